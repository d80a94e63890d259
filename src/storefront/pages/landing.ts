import type { Context } from "hono";
import { readVoucher } from "../../coupon/voucher.ts";
import { readInvite } from "../../gate/invite.ts";
import { readPresence } from "../../gate/presence.ts";
import type { LobbyLive } from "../../lobby/port.ts";
import type { StorefrontPorts } from "../ports.ts";
import { regionsByNearness } from "./nearest-region.ts";

/** A code is a few hundred characters; what is longer is not one and is not worth a signature check. */
const CODE_CHARACTERS_MAX = 2_000;
/** How long a scan counts after the page was opened, and after the lobby opened: choosing, and waiting for a mail, take longer than a code is shown. */
const SCAN_LIFETIME_MS = 15 * 60_000;

/** The drop's state when it may be shown, by its name. */
type Shown = (drop: string) => Promise<LobbyLive | null>;

/**
 * Where a scanned code leads: a voucher, an invitation, or the code of a
 * pop-up. It is verified before anything else is said, and travels on in the
 * fragment, which no server and no referrer sees. Nothing is used up by
 * looking: telephones open a link to show a picture of the page. Null for what
 * is no code of ours that is valid now.
 */
export async function scannedCode(ports: StorefrontPorts, c: Context, code: string, shown: Shown): Promise<Response | null> {
  if (code.length > CODE_CHARACTERS_MAX) return null;
  const found = (await voucherPlace(ports, c, code, shown)) ?? (await invitePlace(ports, c, code, shown)) ?? (await presencePlace(ports, code, shown));
  if (found === null) return null;
  c.header("cache-control", "private, no-store");
  return c.redirect(found, 302);
}

function place(region: string, drop: string, kind: "coupon" | "invite" | "presence", token: string): string {
  return `/${region}/${drop}#${kind}=${encodeURIComponent(token)}`;
}

async function voucherPlace(ports: StorefrontPorts, c: Context, code: string, shown: Shown): Promise<string | null> {
  const voucher = await readVoucher(code, ports.credentials.publicKeys, ports.now());
  const region = regionsByNearness(ports.store.regions, ports.visitor(c.req.raw)).find(({ slug }) => voucher?.region === null || slug === voucher?.region);
  if (voucher === null || region === undefined || (await shown(voucher.drop)) === null) return null;
  return place(region.slug, voucher.drop, "coupon", code);
}

async function invitePlace(ports: StorefrontPorts, c: Context, code: string, shown: Shown): Promise<string | null> {
  const invite = await readInvite(code, ports.credentials.publicKeys, ports.now());
  const [region] = regionsByNearness(ports.store.regions, ports.visitor(c.req.raw));
  if (invite === null || region === undefined || (await shown(invite.drop)) === null) return null;
  return place(region.slug, invite.drop, "invite", code);
}

async function presencePlace(ports: StorefrontPorts, code: string, shown: Shown): Promise<string | null> {
  const now = ports.now();
  const presence = await readPresence(code, ports.credentials.publicKeys, now);
  const region = ports.store.regions.find(({ slug }) => slug === presence?.region);
  const live = presence === null || region === undefined ? null : await shown(presence.drop);
  if (presence === null || region === undefined || live === null) return null;
  const scan = await ports.credentials.mintScan(presence, now, Math.max(now, live.plan.lobbyOpensAt) + SCAN_LIFETIME_MS);
  return place(region.slug, presence.drop, "presence", scan);
}
