import { solveChallenge } from "altcha-lib";
import { deriveKey } from "altcha-lib/algorithms/pbkdf2";
import * as v from "valibot";
import { accepted, rejected, type Result } from "../../kernel/result.ts";
import type { HttpClient } from "./http-client.ts";
import { codeOf, read, retryAfterMs, type Visitor, wait } from "./visitor.ts";

/** Which of a drop's gates are there, as its plan says. */
export interface GateNames {
  readonly work: boolean;
  readonly email: boolean;
}

/** What a drop's gates ask of whoever joins, and how the crowd gives it. */
export interface Gates {
  /** Whether every ticket names an address that was proven. */
  readonly isEmailProven: boolean;
  /** The members that a join adds to its body; the rejection is why there are none. */
  members(visitor: Visitor, ticket: string): Promise<Result<Readonly<Record<string, unknown>>, string>>;
}

const CHALLENGE = v.looseObject({
  challenge: v.nullable(v.looseObject({
    parameters: v.looseObject({ algorithm: v.string(), nonce: v.string(), salt: v.string(), cost: v.number(), keyLength: v.number(), keyPrefix: v.string(), expiresAt: v.number() }),
    signature: v.string(),
  })),
});
const MAILS = v.looseObject({ messages: v.array(v.looseObject({ text: v.string() })) });

const MAIL_POLL_MS = 150;
const MAIL_POLLS_MAX = 40;
/** Whoever is told to wait longer than this for another code gives up: a lobby in a rehearsal is short. */
const CODE_PATIENCE_MS = 10_000;
const CODE_TRIES_MAX = 3;

/** The crowd's way through the gates of a drop. `sandbox` is where its mail arrives. */
export function gatesOf(names: GateNames, { http, sandbox, drop }: { readonly http: HttpClient; readonly sandbox: string; readonly drop: string }): Gates {
  /** One after the other for each address: a newer code would be taken for an older one's. */
  const mailboxes = new Map<string, Promise<unknown>>();
  /** How many mails each address has been seen to have. */
  const seen = new Map<string, number>();

  async function provenAddress(visitor: Visitor, ticket: string): Promise<Result<{ readonly email: string; readonly code: string }, string>> {
    const { email } = visitor.identity;
    for (let attempt = 0; attempt < CODE_TRIES_MAX; attempt++) {
      const sent = await visitor.ask({ route: "POST code", method: "POST", path: `/api/drops/${drop}/codes`, body: { ticket, email } });
      if (sent.status === 429) {
        const pauseMs = retryAfterMs(sent, CODE_PATIENCE_MS + 1);
        if (pauseMs > CODE_PATIENCE_MS) return rejected("no more codes for this address");
        await wait(pauseMs);
        continue;
      }
      if (sent.status !== 202) return rejected(codeOf(sent));
      const mail = await newMail(http, sandbox, email, seen.get(email) ?? 0);
      if (mail === null) continue;
      seen.set(email, mail.count);
      return accepted({ email, code: mail.code });
    }
    return rejected("no code arrived");
  }

  return {
    isEmailProven: names.email,
    async members(visitor, ticket) {
      const work = async () => (names.work ? { solution: { work: await solvedWork(visitor, ticket, drop) } } : {});
      if (!names.email) return accepted(await work());
      const { email } = visitor.identity;
      const earlier = mailboxes.get(email) ?? Promise.resolve();
      const proving = earlier.then(() => provenAddress(visitor, ticket));
      mailboxes.set(email, proving.catch(() => undefined));
      const identity = await proving;
      // Nobody works for a place that an address cannot have.
      return identity.ok ? accepted({ ...(await work()), identity: identity.value }) : identity;
    },
  };
}

/** Solves a challenge with the library that the page uses. In a rehearsal it costs next to nothing, so that it costs bots nothing. */
async function solvedWork(visitor: Visitor, ticket: string, drop: string): Promise<unknown> {
  const reply = await visitor.ask({ route: "POST challenge", method: "POST", path: `/api/drops/${drop}/challenges`, body: { ticket } });
  const { challenge } = read(reply, CHALLENGE);
  if (challenge === null) return undefined;
  const solved = await solveChallenge({ challenge, deriveKey });
  return solved === null ? undefined : { challenge, solution: { counter: solved.counter, derivedKey: solved.derivedKey } };
}

/** The code of the newest mail, once there are more of them than before; null when none comes. */
async function newMail(http: HttpClient, sandbox: string, email: string, before: number): Promise<{ readonly code: string; readonly count: number } | null> {
  for (let poll = 0; poll < MAIL_POLLS_MAX; poll++) {
    await wait(MAIL_POLL_MS);
    const mails = await mailsTo(http, sandbox, email);
    const code = mails.length > before ? /^\d{8}$/m.exec(mails[0]?.text ?? "")?.[0] : undefined;
    if (code !== undefined) return { code, count: mails.length };
  }
  return null;
}

async function mailsTo(http: HttpClient, sandbox: string, email: string): Promise<readonly { readonly text: string }[]> {
  const reply = await http.ask({ route: "GET mail", method: "GET", url: `${sandbox}/sandbox/mail?to=${encodeURIComponent(email)}` }).catch(() => null);
  return reply === null || reply.status !== 200 ? [] : read(reply, MAILS).messages;
}
