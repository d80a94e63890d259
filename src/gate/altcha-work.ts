import { createChallenge, verifySolution } from "altcha-lib";
import { deriveKey } from "altcha-lib/algorithms/web/pbkdf2";
import * as v from "valibot";
import { WorkChallenge } from "../../schema/wire/ticket.ts";
import { Fault } from "../kernel/result.ts";
import { counterLimit, expiryOf, isFor, purposeOf, spendOf, WORK_PARAMETERS, type WorkGate } from "./work.ts";

/**
 * Challenges in altcha's second form (altcha-lib 2.8.0), which keep no state:
 * the challenge itself carries our signature. The library would accept the same
 * solution twice, and one whose parameters say anything as long as they are
 * signed: the one is the join's business, which uses it up, the other is judged
 * before the library is asked.
 */
export function altchaWork({ secrets, randomBytes }: {
  /** The first signs, all verify; none closes the gate. */
  readonly secrets: readonly string[];
  readonly randomBytes: (count: number) => Uint8Array;
}): WorkGate {
  return {
    async challenge(terms, now) {
      const [secret] = secrets;
      if (secret === undefined) throw closed();
      const challenge = await createChallenge({
        ...WORK_PARAMETERS, deriveKey,
        counter: counterFrom(randomBytes(4), counterLimit(terms.cost)),
        expiresAt: Math.floor(expiryOf(now) / 1_000),
        data: purposeOf(terms),
        hmacSignatureSecret: secret,
      });
      return v.parse(WorkChallenge, challenge);
    },

    async check(solution, terms, now) {
      if (secrets.length === 0) throw closed();
      if (!isFor(solution, terms, now)) return null;
      const { challenge, solution: { counter, derivedKey } } = solution;
      for (const secret of secrets) {
        const { verified } = await verifySolution({ challenge, solution: { counter, derivedKey }, deriveKey, hmacSignatureSecret: secret });
        if (verified) return spendOf(solution);
      }
      return null;
    },
  };
}

/** Evenly below `limit`, as far as anybody could tell: of four billion numbers at most a thousand are distinguished. */
function counterFrom(random: Uint8Array, limit: number): number {
  return random.reduce((number, byte) => number * 256 + byte, 0) % limit;
}

function closed(): Fault {
  return new Fault("the secret TICKET_KEYS is missing or malformed", { retryable: false });
}
