import { idPattern } from "../../kernel/ids.ts";

/*
 * The cookies of the way without script. A `__Host-` name makes the browser
 * hold us to our word: only this very host can set it, only over a connection
 * that nobody listens to, and for all of it.
 */

export const applicationCookie = (drop: string) => `__Host-application-${drop}`;
export const placeCookie = (drop: string) => `__Host-place-${drop}`;
export const seatCookie = (drop: string) => `__Host-seat-${drop}`;
/** The smallest position that was shown; it is nobody's secret and proves nothing. */
export const shownCookie = (drop: string) => `__Host-shown-${drop}`;
const RECEIPT_PREFIX = "__Host-receipt-";
export const receiptCookie = (order: string) => RECEIPT_PREFIX + order;

const ORDER = idPattern("ord");

const FLAGS = "Path=/; Secure; HttpOnly; SameSite=Lax";

/** The value of a cookie, or null. One that is there twice is nobody's: which of the two is meant cannot be known. */
export function cookieOf(request: Request, name: string): string | null {
  const values = pairsOf(request).filter(([known]) => known === name);
  return values.length === 1 ? (values[0]?.[1] ?? null) : null;
}

/** The orders of which this browser has a receipt. */
export function ordersOf(request: Request): string[] {
  const names = pairsOf(request).flatMap(([name]) => (name.startsWith(RECEIPT_PREFIX) ? [name.slice(RECEIPT_PREFIX.length)] : []));
  return names.filter((name) => ORDER.test(name));
}

/** A `Set-Cookie`; `untilMs` from now it is forgotten. */
export function keptCookie(name: string, value: string, untilMs: number): string {
  return `${name}=${value}; Max-Age=${Math.max(0, Math.floor(untilMs / 1_000))}; ${FLAGS}`;
}

export function forgottenCookie(name: string): string {
  return `${name}=; Max-Age=0; ${FLAGS}`;
}

function pairsOf(request: Request): [name: string, value: string][] {
  return (request.headers.get("cookie") ?? "").split(";").flatMap((pair): [string, string][] => {
    const at = pair.indexOf("=");
    return at < 0 ? [] : [[pair.slice(0, at).trim(), pair.slice(at + 1).trim()]];
  });
}
