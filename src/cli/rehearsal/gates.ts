import { solveChallenge } from "altcha-lib";
import { deriveKey } from "altcha-lib/algorithms/pbkdf2";
import * as v from "valibot";
import { accepted, rejected, type Result } from "../../kernel/result.ts";
import type { Mailboxes } from "./mailboxes.ts";
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
/** Whoever is told to wait longer than this for another code gives up: a lobby in a rehearsal is short. */
const CODE_PATIENCE_MS = 10_000;
const CODE_TRIES_MAX = 3;

/** The crowd's way through the gates of a drop. */
export function gatesOf(names: GateNames, { mailboxes, drop }: { readonly mailboxes: Mailboxes; readonly drop: string }): Gates {
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
      const code = await mailboxes.newCode(email);
      if (code !== null) return accepted({ email, code });
    }
    return rejected("no code arrived");
  }

  return {
    isEmailProven: names.email,
    async members(visitor, ticket) {
      const work = async () => (names.work ? { solution: { work: await solvedWork(visitor, ticket, drop) } } : {});
      if (!names.email) return accepted(await work());
      const identity = await mailboxes.inTurn(visitor.identity.email, () => provenAddress(visitor, ticket));
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
