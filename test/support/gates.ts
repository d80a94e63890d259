import { pbkdf2Sync, randomBytes } from "node:crypto";
import { request, type Shopper } from "./shopper.ts";

/* What a stranger's client does at the gates, written from the formats alone. */

export interface Work {
  readonly challenge: { readonly parameters: Readonly<Record<string, unknown>> & { readonly nonce: string; readonly salt: string; readonly cost: number; readonly keyLength: number; readonly keyPrefix: string; readonly data: Readonly<Record<string, unknown>> }; readonly signature: string };
  readonly solution: { readonly counter: number; readonly derivedKey: string };
}

/** Looks for the counter whose key begins as the challenge says: PBKDF2 over the nonce and the counter in four bytes. */
function solve(challenge: Work["challenge"]): Work {
  const { nonce, salt, cost, keyLength, keyPrefix } = challenge.parameters;
  const password = Buffer.concat([Buffer.from(nonce, "hex"), Buffer.alloc(4)]);
  for (let counter = 0; ; counter++) {
    password.writeUInt32BE(counter, password.length - 4);
    const derivedKey = pbkdf2Sync(password, Buffer.from(salt, "hex"), cost, keyLength, "sha256").toString("hex");
    if (derivedKey.startsWith(keyPrefix)) return { challenge, solution: { counter, derivedKey } };
  }
}

/** Fetches a shopper's challenge and solves it. */
export async function workFor(shopper: Shopper): Promise<Work> {
  const { status, body } = await request("POST", shopper.url(`/api/drops/${shopper.drop}/challenges`), { body: { ticket: shopper.ticketId }, headers: shopper.headers });
  if (status !== 200 || body.challenge === null) throw new Error(`no challenge: ${status} ${JSON.stringify(body)}`);
  return solve(body.challenge);
}

/** What the sandbox's widget would give to a visitor of this page. */
export function widgetToken(shopper: Shopper, facts: Readonly<Record<string, unknown>> = {}): string {
  const text = JSON.stringify({ hostname: new URL(shopper.store).hostname, action: "join", cdata: shopper.ticketId, at: Date.now(), ...facts });
  return `sandbox.${Buffer.from(text).toString("base64url")}.${randomBytes(8).toString("hex")}`;
}
