import * as v from "valibot";
import type { Hashing } from "../kernel/hashing.ts";
import type { Clock } from "../kernel/time.ts";
import { decideMail } from "./behaviour.ts";
import { draw } from "./behaviour-row.ts";
import type { Database } from "./database.ts";
import type { Mail } from "./port.ts";

/*
 * Resend's `POST /emails`, as far as a store uses it: text mails, an
 * Idempotency-Key, and errors of the form `{ statusCode, name, message }`.
 */

/** A request to the mail API, as far as the mailbox cares. */
export interface MailCall {
  readonly body: string;
  readonly idempotencyKey: string | null;
  readonly authorization: string | null;
  readonly userAgent: string | null;
}

export interface MailReply {
  readonly status: number;
  readonly body: string;
}

export interface Mailbox {
  /** The newest first; null lists everybody's. */
  mail(to: string | null): Promise<readonly Mail[]>;
  sendMail(call: MailCall): Promise<MailReply>;
  /** Delivers what was withheld; gives how many. */
  releaseMail(): Promise<number>;
}

const LISTED_MAX = 1_000;
const address = v.pipe(v.string(), v.maxLength(512), v.regex(/^(?:[^<>]*<[^\s<>@]+@[^\s<>@]+>|[^\s<>@]+@[^\s<>@]+)$/));
const emailSchema = v.looseObject({
  from: address,
  to: v.union([address, v.pipe(v.array(address), v.length(1))]),
  subject: v.pipe(v.string(), v.minLength(1), v.maxLength(998)),
  text: v.pipe(v.string(), v.minLength(1), v.maxLength(200_000)),
});

function failure(statusCode: number, name: string, message: string): MailReply {
  return { status: statusCode, body: JSON.stringify({ statusCode, name, message }) };
}

export function createMailbox(database: Database, { hashing, now, mailKey }: { readonly hashing: Hashing; readonly now: Clock; readonly mailKey: string | null }): Mailbox {
  /** The id that the provider gives to a message: made of its key, so that a retry gets the first one again. */
  const idOf = (key: string) => hashing.sha256(`mail\n${key}`).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, "$1-$2-$3-$4-$5");

  function refused(call: MailCall): MailReply | null {
    // The real API turns clients without a name away before it looks at anything else.
    if (call.userAgent === null || call.userAgent === "") return failure(403, "validation_error", "error code: 1010");
    const key = /^Bearer (\S+)$/.exec(call.authorization ?? "")?.[1];
    if (key === undefined) return failure(401, "missing_api_key", "Missing API key in the authorization header.");
    if (mailKey === null || key !== mailKey) return failure(403, "invalid_api_key", "API key is invalid.");
    const length = call.idempotencyKey?.length ?? 1;
    return length < 1 || length > 256 ? failure(400, "invalid_idempotency_key", "The key must be between 1-256 chars.") : null;
  }

  return {
    async mail(to) {
      const rows = to === null
        ? database.rows("SELECT recipient, subject, text, at FROM mail ORDER BY seq DESC LIMIT ?", LISTED_MAX)
        : database.rows("SELECT recipient, subject, text, at FROM mail WHERE recipient = ? ORDER BY seq DESC LIMIT ?", to, LISTED_MAX);
      return rows.map((row) => ({ to: String(row["recipient"]), subject: String(row["subject"]), text: String(row["text"]), at: Number(row["at"]) }));
    },

    async sendMail(call) {
      const refusal = refused(call);
      if (refusal !== null) return refusal;
      const parsed = parsedEmail(call.body);
      if (parsed === null) return failure(422, "validation_error", "The fields from, to, subject and text are needed.");
      const { to, subject, text } = parsed;
      return database.transaction(() => {
        const fate = draw(database, (behaviour, random) => {
          const { fails, left } = decideMail(behaviour, random);
          return { value: { fails, isWithheld: behaviour.mail.withhold }, left };
        });
        if (fate.fails) return failure(500, "application_error", "An unexpected error occurred.");
        // Without a key every request is a message of its own; the sequence of the table tells them apart.
        const key = call.idempotencyKey;
        const known = key === null ? undefined : ["mail", "withheld_mail"].flatMap((table) => database.rows(`SELECT recipient, subject, text FROM ${table} WHERE key = ?`, key))[0];
        if (known !== undefined && (known["recipient"] !== to || known["subject"] !== subject || known["text"] !== text)) {
          return failure(409, "invalid_idempotent_request", "Same idempotency key used with a different request payload.");
        }
        if (known === undefined) database.rows(`INSERT INTO ${fate.isWithheld ? "withheld_mail" : "mail"} (key, recipient, subject, text, at) VALUES (?, ?, ?, ?, ?)`, key, to, subject, text, now());
        return { status: 200, body: JSON.stringify({ id: idOf(key ?? `${to}\n${subject}\n${text}\n${now()}`) }) };
      });
    },

    async releaseMail() {
      return database.transaction(() => {
        const [count] = database.rows("SELECT count(*) AS n FROM withheld_mail");
        database.rows("INSERT INTO mail (key, recipient, subject, text, at) SELECT key, recipient, subject, text, at FROM withheld_mail ORDER BY seq");
        database.rows("DELETE FROM withheld_mail");
        return Number(count?.["n"] ?? 0);
      });
    },
  };
}

function parsedEmail(body: string): { readonly to: string; readonly subject: string; readonly text: string } | null {
  try {
    const parsed = v.safeParse(emailSchema, JSON.parse(body));
    if (!parsed.success) return null;
    const { to, subject, text } = parsed.output;
    return { to: typeof to === "string" ? to : (to[0] ?? ""), subject, text };
  } catch {
    return null;
  }
}
