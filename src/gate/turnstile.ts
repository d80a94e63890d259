/** Where the widget's script and its frame come from. */
export const TURNSTILE_ORIGIN = "https://challenges.cloudflare.com";

/** What the widget is told that a token is for; a token of another page of the same site is refused. */
export const TURNSTILE_ACTION = "join";

/** A token as it came with a join, and what it has to be for. */
export interface TurnstileCheck {
  readonly token: string;
  /** The host that the page was shown on. */
  readonly hostname: string;
  /** The ticket, which the widget was told: a token that was made for another one is refused. */
  readonly ticket: string;
}

/** `unavailable` is never a yes: who cannot be asked has not agreed. */
export type TurnstileVerdict = "passed" | "failed" | "unavailable";

export interface Turnstile {
  verify(check: TurnstileCheck): Promise<TurnstileVerdict>;
}

/**
 * Whether a site key or a secret is one of those that Cloudflare publishes for
 * tests, which let everyone through, or nobody
 * (developers.cloudflare.com/turnstile/troubleshooting/testing).
 */
export function isTestingKey(key: string): boolean {
  return /^[123]x0{12,}[A-F]{2}$/.test(key.trim());
}
