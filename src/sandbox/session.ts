import { currencyExponent } from "../kernel/money.ts";
import { accepted, rejected, type Result } from "../kernel/result.ts";
import type { Session } from "./records.ts";
import { badParameter, impossible, type Refusal } from "./refusal.ts";

/* The state machine of a checkout session: open, then complete or expired, once. */

export const SESSION_MS_MIN = 30 * 60 * 1_000;
export const SESSION_MS_MAX = 24 * 60 * 60 * 1_000;

/**
 * When a session that is made at `now` ends: `expiresAtSeconds` if that lies 30
 * minutes to 24 hours ahead, counted in whole seconds as the API counts; after
 * 24 hours when nothing is said.
 */
export function sessionEnd(expiresAtSeconds: number | null, now: number): Result<number, Refusal> {
  const created = Math.floor(now / 1_000);
  if (expiresAtSeconds === null) return accepted((created + SESSION_MS_MAX / 1_000) * 1_000);
  if (expiresAtSeconds < created + SESSION_MS_MIN / 1_000) {
    return rejected(badParameter("expires_at", "The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation."));
  }
  if (expiresAtSeconds > created + SESSION_MS_MAX / 1_000) {
    return rejected(badParameter("expires_at", "The `expires_at` timestamp must be less than 24 hours from Checkout Session creation."));
  }
  return accepted(expiresAtSeconds * 1_000);
}

/** The session as the clock has left it by `now`; null when it is as it was. */
export function ripenSession(session: Session, now: number): Session | null {
  return session.status === "open" && now >= session.expiresAt ? { ...session, status: "expired" } : null;
}

export function expireSession(session: Session): Result<Session, Refusal> {
  if (session.status !== "open") {
    return rejected(impossible("checkout_session_not_open",
      `Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status of ${session.status}.`));
  }
  return accepted({ ...session, status: "expired" });
}

/** Card networks settle three-decimal currencies in tens of their minor unit. */
export function isChargeable(amountMinor: number, currency: string): boolean {
  return currencyExponent(currency.toUpperCase()) !== 3 || amountMinor % 10 === 0;
}

export const WHOLE_TENS = "Amounts of a three-decimal currency end in 0.";

/** Where a browser goes after paying; the session's id is filled in where the store asked for it. */
export function successUrlOf(session: Session): string {
  return session.successUrl.replaceAll("{CHECKOUT_SESSION_ID}", session.id);
}
