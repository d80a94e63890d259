import * as v from "valibot";
import type { Hashing } from "../kernel/hashing.ts";
import { TURNSTILE_ACTION, TURNSTILE_ORIGIN, type Turnstile, type TurnstileCheck, type TurnstileVerdict } from "./turnstile.ts";

const ADDRESS = `${TURNSTILE_ORIGIN}/turnstile/v0/siteverify`;
/** A shopper waits for this; whoever has not answered by then is not waited for. */
const TIMEOUT_MS = 4_000;
/** An honest answer has a few hundred characters. */
const ANSWER_LENGTH_MAX = 8_192;

/** Errors that are about the token; every other one is about us or about them. */
const TOKEN_ERRORS = ["missing-input-response", "invalid-input-response", "timeout-or-duplicate"];

const passedShape = v.object({ success: v.literal(true), hostname: v.string(), action: v.string(), cdata: v.string() });
const refusedShape = v.object({ success: v.literal(false), "error-codes": v.pipe(v.array(v.string()), v.minLength(1)) });

export interface SiteverifyOptions {
  readonly secret: string;
  readonly hashing: Hashing;
  /** The way out: the platform's fetch, or the sandbox's binding on a laptop. */
  readonly fetch: typeof fetch;
}

/**
 * Asks Cloudflare whether a token is genuine, once: a token is used up by being
 * asked about, and asking again under the same idempotency key gets the first
 * answer, so that a join whose answer was lost can be sent again. Anything but
 * a well-formed yes for this very host, action and ticket lets nobody in.
 */
export function siteverify({ secret, hashing, fetch: wayOut }: SiteverifyOptions): Turnstile {
  return {
    async verify(check) {
      try {
        const response = await wayOut(ADDRESS, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ secret, response: check.token, idempotency_key: keyOf(check, hashing) }),
          // The runtime does not know "error"; what a redirect says is no answer either.
          redirect: "manual",
          signal: AbortSignal.timeout(TIMEOUT_MS),
        });
        return verdictOf(await response.text(), check);
      } catch {
        return "unavailable";
      }
    },
  };
}

function verdictOf(text: string, { hostname, ticket }: TurnstileCheck): TurnstileVerdict {
  if (text.length > ANSWER_LENGTH_MAX) return "unavailable";
  const answer: unknown = JSON.parse(text);
  if (v.is(passedShape, answer)) return answer.hostname === hostname && answer.action === TURNSTILE_ACTION && answer.cdata === ticket ? "passed" : "failed";
  if (!v.is(refusedShape, answer)) return "unavailable";
  return answer["error-codes"].every((code) => TOKEN_ERRORS.includes(code)) ? "failed" : "unavailable";
}

/** A UUID of the ticket and its token, so that only a retry of the same join is the same question. */
function keyOf({ token, ticket }: TurnstileCheck, hashing: Hashing): string {
  const hex = hashing.sha256(`turnstile\n${ticket}\n${token}`);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
