import { readInvite } from "../../gate/invite.ts";
import { readPresence } from "../../gate/presence.ts";
import type { ApiPorts } from "../ports.ts";

/** How long a code of the pop-up counts after it was pasted: as long as after a scan. */
const SCAN_LIFETIME_MS = 15 * 60_000;

/** The token in what somebody pasted: a link of ours, the address to which a scanned code led, or the token itself. */
export function pastedToken(text: string): string {
  const trimmed = text.trim();
  const inFragment = /[#&](?:coupon|invite|presence)=([A-Za-z0-9_.%-]+)/.exec(trimmed)?.[1];
  const inPath = /\/q\/([A-Za-z0-9_.%-]+)/.exec(trimmed)?.[1];
  return (inFragment ?? inPath ?? trimmed).replaceAll(/%2E/gi, ".");
}

export interface PastedEvidence {
  readonly presence: string | null;
  readonly invite: string | null;
}

/**
 * What the pasted text stands for. A code of the pop-up becomes what scanning
 * makes of it, because a mail takes longer than the code is shown. What is
 * neither is passed on as a code, and refused where codes are read.
 */
export async function pastedEvidence(ports: ApiPorts, text: string, lobbyOpensAt: number): Promise<PastedEvidence> {
  const token = pastedToken(text);
  const now = ports.now();
  if (token === "") return { presence: null, invite: null };
  if ((await readInvite(token, ports.credentials.publicKeys, now)) !== null) return { presence: null, invite: token };
  const shown = await readPresence(token, ports.credentials.publicKeys, now);
  return { presence: shown === null ? token : await ports.credentials.mintScan(shown, now, Math.max(now, lobbyOpensAt) + SCAN_LIFETIME_MS), invite: null };
}
