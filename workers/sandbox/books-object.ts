import { DurableObject } from "cloudflare:workers";
import { nodeHashing } from "../../src/kernel/node-hashing.ts";
import { createBooks, type BooksWithAlarm } from "../../src/sandbox/books.ts";
import type { Database, Row } from "../../src/sandbox/database.ts";
import type { Books } from "../../src/sandbox/port.ts";

export interface SandboxEnv {
  readonly ENVIRONMENT?: string;
  /** Where browsers reach this Worker, such as `http://127.0.0.1:8788`. */
  readonly SANDBOX_ORIGIN?: string;
  readonly STRIPE_WEBHOOK_SECRET?: string;
  readonly MAIL_KEY?: string;
  readonly TURNSTILE_SECRET?: string;
  readonly BOOKS: DurableObjectNamespace<SandboxBooks>;
  /** The store's public door: webhooks go the same way as from outside. */
  readonly STOREFRONT: Fetcher;
}

/** A store that does not answer an event within this is asked again later. */
const ANSWER_MS = 10_000;

function databaseOf(storage: DurableObjectStorage): Database {
  return {
    rows: (statement, ...values) => storage.sql.exec<Record<string, string | number | null>>(statement, ...values).toArray() satisfies readonly Row[],
    transaction: (work) => storage.transactionSync(work),
  };
}

/** Earlier than everything: until the stored alarm is read, none is set over it. */
const ALARM_UNKNOWN = 0;

/** The provider's books in one SQLite-backed object: what it has answered is still there after any crash. */
export class SandboxBooks extends DurableObject<SandboxEnv> implements Books {
  readonly #books: BooksWithAlarm;
  /** The alarm as far as this instance knows; null when there is none and while one runs. */
  #armedAt: number | null = ALARM_UNKNOWN;

  constructor(ctx: DurableObjectState, env: SandboxEnv) {
    super(ctx, env);
    this.#books = createBooks({
      database: databaseOf(ctx.storage),
      hashing: nodeHashing,
      now: () => Date.now(),
      pageOrigin: env.SANDBOX_ORIGIN ?? "http://127.0.0.1:8788",
      webhookSecret: env.STRIPE_WEBHOOK_SECRET ?? null,
      mailKey: env.MAIL_KEY ?? null,
      turnstileSecret: env.TURNSTILE_SECRET ?? null,
      randomBytes: (count) => crypto.getRandomValues(new Uint8Array(count)),
      sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
      wakeAt: (at) => {
        // An alarm that is past and never rang was lost: it is set again, or nothing would ever be delivered.
        const armedAt = this.#armedAt;
        const isArmed = armedAt === ALARM_UNKNOWN || (armedAt !== null && armedAt > Date.now());
        if (isArmed && armedAt <= at) return;
        this.#armedAt = at;
        // Not awaited: the write joins the transaction before it, and nothing is answered before both are on disk.
        void ctx.storage.setAlarm(at);
      },
      post: async (body, headers) => {
        const response = await env.STOREFRONT.fetch("http://storefront/webhooks/stripe", { method: "POST", body, headers, redirect: "manual", signal: AbortSignal.timeout(ANSWER_MS) });
        await response.body?.cancel();
        return response.status;
      },
    });
    void ctx.blockConcurrencyWhile(async () => {
      this.#armedAt = await ctx.storage.getAlarm();
      this.#books.arm();
    });
  }

  override async alarm(): Promise<void> {
    this.#armedAt = null;
    await this.#books.alarm();
  }

  call(...args: Parameters<Books["call"]>): ReturnType<Books["call"]> { return this.#books.call(...args); }
  page(...args: Parameters<Books["page"]>): ReturnType<Books["page"]> { return this.#books.page(...args); }
  pay(...args: Parameters<Books["pay"]>): ReturnType<Books["pay"]> { return this.#books.pay(...args); }
  behaviour(): ReturnType<Books["behaviour"]> { return this.#books.behaviour(); }
  setBehaviour(...args: Parameters<Books["setBehaviour"]>): ReturnType<Books["setBehaviour"]> { return this.#books.setBehaviour(...args); }
  deliveries(): ReturnType<Books["deliveries"]> { return this.#books.deliveries(); }
  releaseWebhooks(): ReturnType<Books["releaseWebhooks"]> { return this.#books.releaseWebhooks(); }
  report(): ReturnType<Books["report"]> { return this.#books.report(); }
  openDispute(...args: Parameters<Books["openDispute"]>): ReturnType<Books["openDispute"]> { return this.#books.openDispute(...args); }
  closeDispute(...args: Parameters<Books["closeDispute"]>): ReturnType<Books["closeDispute"]> { return this.#books.closeDispute(...args); }
  mail(...args: Parameters<Books["mail"]>): ReturnType<Books["mail"]> { return this.#books.mail(...args); }
  sendMail(...args: Parameters<Books["sendMail"]>): ReturnType<Books["sendMail"]> { return this.#books.sendMail(...args); }
  siteverify(...args: Parameters<Books["siteverify"]>): ReturnType<Books["siteverify"]> { return this.#books.siteverify(...args); }
  releaseMail(): ReturnType<Books["releaseMail"]> { return this.#books.releaseMail(); }
}
