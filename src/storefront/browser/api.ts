import type { ServerClock } from "./clock.ts";
import { proofFor } from "./proof.ts";

/** A refusal in words: the server's own title and detail, never a bare code. */
export interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly title: string;
  readonly detail: string;
  /** How long the store asks to wait; 0 where it asks for nothing. */
  readonly waitMs: number;
  /** The ticket that a person has already, where that is the reason. */
  readonly ticket?: string;
  /** The member of the request that the refusal is about, where it names one. */
  readonly pointer?: string;
  /** Whose limit is reached, where it is not the person's. */
  readonly per?: string;
}

export type Answer<Value> = { readonly ok: true; readonly status: number; readonly value: Value } | { readonly ok: false; readonly refusal: Refusal };

export interface Ask {
  readonly method: "GET" | "PUT" | "POST" | "DELETE";
  readonly path: string;
  readonly body?: unknown;
  /** A receipt travels as a plain bearer; a ticket or pass with a proof. */
  readonly bearer?: string;
  readonly bound?: { readonly token: string; readonly keys: CryptoKeyPair };
}

export interface Api {
  /**
   * Asks until there is an answer. A lost reply, an overload or a mistake on
   * the server's side is asked again with the same ids, at growing, jittered
   * intervals; `onTrouble` says so meanwhile, and says null once it is over.
   */
  ask<Value>(ask: Ask): Promise<Answer<Value>>;
  /** The nonce for the next proof, from the live object. */
  learnNonce(nonce: string | undefined): void;
}

const ANSWER_WITHIN_MS = 12_000;
const FAULTS_MAX = 6;

/** A factor between 0.5 and 1.5, so that a crowd does not come back in step. */
export function jitter(): number {
  return 0.5 + (crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) / 2 ** 32;
}

export function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function askedWaitMs(response: Response): number {
  const seconds = Number(response.headers.get("retry-after") ?? "0");
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1_000 : 0;
}

async function refusalOf(response: Response): Promise<Refusal> {
  const found: unknown = await response.json().catch(() => null);
  const facts: Record<string, unknown> = typeof found === "object" && found !== null ? { ...found } : {};
  const text = (name: string, otherwise: string) => (typeof facts[name] === "string" ? facts[name] : otherwise);
  return {
    status: response.status,
    code: text("code", "unknown"),
    title: text("title", "The store could not do this"),
    detail: text("detail", "Nothing was changed. Try again in a moment."),
    waitMs: askedWaitMs(response),
    ...(typeof facts["ticket"] === "string" ? { ticket: facts["ticket"] } : {}),
    ...pointerOf(facts["errors"]),
    ...(typeof facts["per"] === "string" ? { per: facts["per"] } : {}),
  };
}

function pointerOf(errors: unknown): { readonly pointer?: string } {
  const first: unknown = Array.isArray(errors) ? errors[0] : null;
  return typeof first === "object" && first !== null && "pointer" in first && typeof first.pointer === "string" ? { pointer: first.pointer } : {};
}

/** A break that is long is told to the shopper instead of being waited out in silence. */
function isLongBreak(response: Response): boolean {
  return askedWaitMs(response) > 20_000;
}

function pauseMs(response: Response | null, attempt: number): number {
  const askedMs = response === null ? 0 : askedWaitMs(response);
  const backoffMs = Math.min(15_000, 500 * 2 ** attempt) * jitter();
  return askedMs > 0 ? Math.min(askedMs, 120_000) + backoffMs / 4 : backoffMs;
}

export function createApi(clock: ServerClock, onTrouble: (words: string | null) => void): Api {
  let nonce: string | null = null;

  async function send(ask: Ask): Promise<Response> {
    const headers: Record<string, string> = { accept: "application/json" };
    if (ask.body !== undefined) headers["content-type"] = "application/json";
    if (ask.bearer !== undefined) headers["authorization"] = `Bearer ${ask.bearer}`;
    if (ask.bound !== undefined) {
      headers["authorization"] = `DPoP ${ask.bound.token}`;
      const url = new URL(ask.path, location.origin);
      headers["dpop"] = await proofFor(ask.bound.keys, {
        method: ask.method, url: url.origin + url.pathname, token: ask.bound.token, nonce, issuedAtSeconds: Math.floor(clock.now() / 1000),
      });
    }
    const response = await fetch(ask.path, {
      method: ask.method, headers, credentials: "same-origin", cache: "no-store", signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
      ...(ask.body === undefined ? {} : { body: JSON.stringify(ask.body) }),
    });
    nonce = response.headers.get("dpop-nonce") ?? nonce;
    return response;
  }

  /** With a stale nonce the first proof is always refused; the refusal brings the right one. */
  async function sendProven(ask: Ask): Promise<Response> {
    const response = await send(ask);
    if (response.status !== 401 || ask.bound === undefined) return response;
    const refusal = await refusalOf(response.clone());
    return refusal.code === "use_dpop_nonce" ? send(ask) : response;
  }

  return {
    learnNonce: (learned) => { if (learned !== undefined) nonce = learned; },
    async ask<Value>(ask: Ask): Promise<Answer<Value>> {
      let faults = 0;
      for (let attempt = 0; ; attempt++) {
        const response = await sendProven(ask).catch(() => null);
        if (response !== null && response.ok) {
          // The shapes are built and tested together with the server; a parser would weigh more than the page.
          const value = await response.json<Value>();
          onTrouble(null);
          return { ok: true, status: response.status, value };
        }
        if (response?.status === 500) faults++;
        const isPassing = response === null || response.status === 503 || (response.status === 429 && !isLongBreak(response)) || (response.status === 500 && faults < FAULTS_MAX);
        if (response !== null && !isPassing) {
          onTrouble(null);
          return { ok: false, refusal: await refusalOf(response) };
        }
        onTrouble(troubleWords(response));
        await wait(pauseMs(response, attempt));
      }
    },
  };
}

function troubleWords(response: Response | null): string {
  if (!navigator.onLine) return "You are offline. Your place is kept; this goes on by itself when the connection is back.";
  if (response === null) return "No answer yet. Asking again with the same number, so nothing happens twice.";
  if (response.status === 429) return "Your network sent many requests. Waiting a moment, then going on by itself.";
  return "The store is very busy. Asking again with the same number, so nothing happens twice.";
}
