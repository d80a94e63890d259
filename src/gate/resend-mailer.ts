import { Fault } from "../kernel/result.ts";
import type { Mailer } from "./mail.ts";

const ADDRESS = "https://api.resend.com/emails";
const TIMEOUT_MS = 5_000;

export interface ResendOptions {
  readonly key: string;
  /** Who the mail is from, such as `Nightjar Supply <codes@nightjar.example>`; the domain is verified with the provider. */
  readonly from: string;
  /** The way out: the platform's fetch, or the sandbox's binding on a laptop. */
  readonly fetch: typeof fetch;
}

/**
 * Mail by Resend's HTTP API. Its idempotency keys last for 24 hours
 * (resend.com/docs/dashboard/emails/idempotency-keys, November 2026). What it
 * says about a mail is not passed on: it repeats the address.
 */
export function resendMailer({ key, from, fetch: wayOut }: ResendOptions): Mailer {
  return {
    async send({ to, subject, text, key: idempotencyKey }) {
      const response = await wayOut(ADDRESS, {
        method: "POST",
        // Requests without a User-Agent are turned away with "1010" before anything else is looked at.
        headers: { authorization: `Bearer ${key}`, "content-type": "application/json", "idempotency-key": idempotencyKey, "user-agent": "tranche" },
        body: JSON.stringify({ from, to, subject, text }),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      }).catch((cause: unknown) => {
        throw new Fault("the mail provider does not answer", { retryable: true, cause });
      });
      // A body that is not read keeps the connection.
      await response.body?.cancel();
      // 409: the same mail is being sent by another try at this moment, or was sent under this key before.
      if (response.ok || response.status === 409) return;
      throw new Fault(`the mail provider answers ${response.status}`, { retryable: response.status === 429 || response.status >= 500 });
    },
  };
}
