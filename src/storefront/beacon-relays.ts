import * as v from "valibot";
import { isSignedRound } from "../drop/beacon-signature.ts";
import type { Hashing } from "../kernel/hashing.ts";
import type { BeaconSource } from "../lobby/beacon.ts";

/** Who hands the rounds of drand's networks on, run by different people; the first that answers rightly is enough. */
export const DRAND_RELAYS: readonly string[] = ["https://api.drand.sh", "https://drand.cloudflare.com", "https://api2.drand.sh", "https://api3.drand.sh"];

const TIMEOUT_MS = 2_500;
/** An honest answer has some three hundred characters. */
const ANSWER_LENGTH_MAX = 4_096;

const roundShape = v.object({ round: v.number(), signature: v.string() });

export interface RelayOptions {
  readonly relays: readonly string[];
  readonly hashing: Hashing;
  /** The way out: the platform's fetch, or the sandbox's binding on a laptop. */
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
}

/**
 * Rounds over HTTP, in the form of drand's relays: `{relay}/{chain}/public/{round}`.
 * All relays are asked at once, since a draw waits for it; no relay is believed,
 * because what counts is the signature.
 */
export function beaconRelays({ relays, hashing, fetch: wayOut }: RelayOptions): BeaconSource {
  return {
    async round(terms, round) {
      let found: string | null = null;
      const asked = relays.map(async (relay) => {
        const response = await wayOut(`${relay}/${terms.chain}/public/${round}`, { redirect: "manual", signal: AbortSignal.timeout(TIMEOUT_MS) });
        if (response.status !== 200) throw new Error(`the relay answered ${response.status}`);
        const text = await response.text();
        if (text.length > ANSWER_LENGTH_MAX) throw new Error("the relay's answer is too long");
        const answer = v.parse(roundShape, JSON.parse(text));
        // Checking costs more than asking; once one is right the others need not be looked at.
        if (found !== null) return found;
        if (answer.round !== round || !isSignedRound(terms, round, answer.signature, hashing)) throw new Error("the relay's answer is not the round");
        found = answer.signature;
        return found;
      });
      return Promise.any(asked).catch(() => null);
    },
  };
}
