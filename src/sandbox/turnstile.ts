import * as v from "valibot";
import type { Hashing } from "../kernel/hashing.ts";
import type { Clock } from "../kernel/time.ts";
import { readBehaviour } from "./behaviour-row.ts";
import type { Database } from "./database.ts";

/*
 * Cloudflare Turnstile's siteverify, as far as a store uses it: a token is good
 * once and for five minutes, and the same question under the same idempotency
 * key gets the first answer. A token here says itself what it was made for, and
 * anybody can make one: it stands for a visitor whom the real widget found
 * human.
 */

const TOKEN_LIFETIME_MS = 300_000;
const HANG_MS = 60_000;

export interface TurnstileReply {
  readonly status: number;
  readonly type: "application/json" | "text/html";
  readonly body: string;
}

export interface TurnstileDesk {
  /** Answers one question; `body` is the JSON of the request. */
  siteverify(body: string): Promise<TurnstileReply>;
}

const questionSchema = v.looseObject({
  secret: v.optional(v.string(), ""),
  response: v.optional(v.string(), ""),
  idempotency_key: v.optional(v.pipe(v.string(), v.regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i))),
});
type Question = v.InferOutput<typeof questionSchema>;

const tokenSchema = v.strictObject({ hostname: v.string(), action: v.string(), cdata: v.string(), at: v.number() });
type TokenFacts = v.InferOutput<typeof tokenSchema>;

export interface TurnstilePorts {
  readonly hashing: Hashing;
  readonly now: Clock;
  /** Null where nobody may ask. */
  readonly turnstileSecret: string | null;
  sleep(ms: number): Promise<void>;
}

export function createTurnstile(database: Database, { hashing, now, turnstileSecret, sleep }: TurnstilePorts): TurnstileDesk {
  /** Uses the token up. The same key may ask again; anybody else comes too late. */
  function isFirstUse(question: Question): boolean {
    const token = hashing.sha256(question.response);
    const key = question.idempotency_key ?? null;
    const [known] = database.rows("SELECT key FROM turnstile_tokens WHERE token = ?", token);
    if (known !== undefined) return key !== null && known["key"] === key;
    database.rows("INSERT INTO turnstile_tokens (token, key, at) VALUES (?, ?, ?)", token, key, now());
    database.rows("DELETE FROM turnstile_tokens WHERE at < ?", now() - 2 * TOKEN_LIFETIME_MS);
    return true;
  }

  function answerTo(question: Question): Record<string, unknown> {
    const no = (code: string) => ({ success: false, "error-codes": [code], messages: [] });
    if (question.secret === "") return no("missing-input-secret");
    if (turnstileSecret === null || question.secret !== turnstileSecret) return no("invalid-input-secret");
    if (question.response === "") return no("missing-input-response");
    const facts = factsOf(question.response);
    if (facts === null) return no("invalid-input-response");
    if (Math.abs(now() - facts.at) > TOKEN_LIFETIME_MS || !isFirstUse(question)) return no("timeout-or-duplicate");
    return { success: true, "error-codes": [], challenge_ts: new Date(facts.at).toISOString(), hostname: facts.hostname, action: facts.action, cdata: facts.cdata };
  }

  return {
    async siteverify(body) {
      const { mode } = readBehaviour(database).behaviour.turnstile;
      if (mode === "error") return { status: 500, type: "application/json", body: JSON.stringify({ success: false, "error-codes": ["internal-error"] }) };
      if (mode === "html") return { status: 200, type: "text/html", body: "<!doctype html><title>Just a moment</title>" };
      if (mode === "timeout") {
        await sleep(HANG_MS);
        return { status: 504, type: "text/html", body: "" };
      }
      const question = questionOf(body);
      if (question === null) return { status: 400, type: "application/json", body: JSON.stringify({ success: false, "error-codes": ["bad-request"] }) };
      const answer = database.transaction(() => answerTo(question));
      const twisted = mode === "other-host" ? { hostname: "elsewhere.example" } : mode === "other-action" ? { action: "login" } : {};
      return { status: 200, type: "application/json", body: JSON.stringify(answer["success"] === true ? { ...answer, ...twisted } : answer) };
    },
  };
}

function questionOf(body: string): Question | null {
  const json = parsedJson(body);
  return v.is(questionSchema, json) ? v.parse(questionSchema, json) : null;
}

/** What a token says that it was made for: `sandbox.`, its facts as JSON in base64url, and something that tells it from others. */
function factsOf(token: string): TokenFacts | null {
  const [, encoded] = /^sandbox\.([A-Za-z0-9_-]{1,1500})\.[A-Za-z0-9]{1,64}$/.exec(token) ?? [];
  if (encoded === undefined) return null;
  const facts = parsedJson(textFromBase64url(encoded));
  return v.is(tokenSchema, facts) ? facts : null;
}

function textFromBase64url(encoded: string): string {
  try {
    return atob(encoded.replaceAll("-", "+").replaceAll("_", "/"));
  } catch {
    return "";
  }
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** The widget's script, which finds everybody human at once. It speaks as much of the real one's interface as a store uses. */
export const TURNSTILE_SCRIPT = `"use strict";
(() => {
  const widgets = new Map();
  const tokenFor = ({ action = "", cData = "" }) => {
    const facts = JSON.stringify({ hostname: location.hostname, action, cdata: cData, at: new Date().getTime() });
    const encoded = btoa(facts).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
    return "sandbox." + encoded + "." + crypto.randomUUID().replaceAll("-", "");
  };
  const pass = (id) => setTimeout(() => widgets.get(id)?.callback?.(tokenFor(widgets.get(id))), 50);
  window.turnstile = {
    render(container, options) {
      const id = "sandbox-" + (widgets.size + 1);
      widgets.set(id, options);
      container.textContent = "Sandbox: Turnstile passes everybody here.";
      pass(id);
      return id;
    },
    reset: pass,
    remove: (id) => widgets.delete(id),
  };
})();
`;
