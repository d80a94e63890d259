import { drizzle as drizzleD1 } from "drizzle-orm/d1";
import { drizzle as drizzleLibsql } from "drizzle-orm/libsql/web";
import * as v from "valibot";
import type { DropPort } from "../../src/drop/port.ts";
import { nodeHashing } from "../../src/kernel/node-hashing.ts";
import { Fault } from "../../src/kernel/result.ts";
import type { NoticeReader, PaymentProvider } from "../../src/payment/provider.ts";
import { stripeNotices } from "../../src/payment/stripe-notice.ts";
import { stripeProvider } from "../../src/payment/stripe.ts";
import { drizzleOrderStore } from "../../src/settlement/drizzle-order-store.ts";
import type { SettlementDrop, SettlementPorts } from "../../src/settlement/settlement-ports.ts";

interface DropNamespace {
  getByName(name: string): DropPort;
}

const binding = <Binding>(method: string) =>
  v.custom<Binding>((value) => (typeof value === "object" || typeof value === "function") && value !== null && method in value, `needs a binding with ${method}`);
const secret = v.optional(v.pipe(v.string(), v.trim(), v.minLength(8)));

const envSchema = v.object({
  ENVIRONMENT: v.string(),
  ORDERS: binding<D1Database>("batch"),
  DROP: binding<DropNamespace>("getByName"),
  PAYMENTS_QUEUE: binding<Queue>("send"),
  PROVIDER: v.optional(binding<Fetcher>("fetch")),
  STRIPE_KEY: secret,
  STRIPE_WEBHOOK_SECRET: secret,
  /** "on" where the Stripe account may capture a payment several times. */
  STRIPE_MULTICAPTURE: v.optional(v.picklist(["on", "off"]), "off"),
  // Its own message: the library's would put the address, and whatever secret somebody wrote into it, into the log.
  ORDERS_URL: v.optional(v.pipe(v.string(), v.url("is not an address"))),
  ORDERS_TOKEN: v.optional(v.string()),
});

type Env = v.InferOutput<typeof envSchema>;

/** The environment, wired to the ports. */
export interface Wiring {
  readonly ports: SettlementPorts;
  readonly notices: NoticeReader;
  /** Whether the key moves real money; null without a key. */
  readonly isLive: boolean | null;
  readonly paymentsQueue: Queue;
  /** Secrets that are not set; what needs them refuses. */
  readonly missing: readonly ("STRIPE_KEY" | "STRIPE_WEBHOOK_SECRET")[];
}

/** What lives as long as the isolate: an instance of the SDK costs as much as a small request. */
interface Lasting {
  readonly env: Env;
  readonly provider: PaymentProvider;
  readonly notices: NoticeReader;
}

const lasting = new WeakMap<object, Lasting>();

/**
 * The ports of one request. What can last is made once an isolate; the store is
 * made afresh, because the libSQL client keeps promises of the request that
 * made it, and another request that waits for one of them is cancelled.
 */
export function wiringOf(env: unknown): Wiring {
  const key = typeof env === "object" && env !== null ? env : {};
  const known = lasting.get(key) ?? lastingOf(parseEnv(env));
  lasting.set(key, known);
  return wire(known);
}

function lastingOf(env: Env): Lasting {
  return { env, provider: providerOf(env), notices: stripeNotices(env.STRIPE_WEBHOOK_SECRET ?? "") };
}

function parseEnv(env: unknown): Env {
  const parsedEnv = v.parse(envSchema, env);
  for (const name of missingSecrets(parsedEnv)) console.error(JSON.stringify({ code: "secret_missing", name }));
  return parsedEnv;
}

function missingSecrets(env: Env): Wiring["missing"] {
  return (["STRIPE_KEY", "STRIPE_WEBHOOK_SECRET"] as const).filter((name) => env[name] === undefined);
}

function wire({ env, provider, notices }: Lasting): Wiring {
  const database = env.ORDERS_URL === undefined
    ? drizzleD1(env.ORDERS)
    : drizzleLibsql({ connection: { url: env.ORDERS_URL, ...(env.ORDERS_TOKEN === undefined ? {} : { authToken: env.ORDERS_TOKEN }) } });
  return {
    ports: {
      store: drizzleOrderStore(database),
      provider,
      drop: (slug) => faultingDrop(env.DROP.getByName(slug)),
      hashing: nodeHashing,
      now: () => Date.now(),
    },
    notices,
    isLive: env.STRIPE_KEY === undefined ? null : /^(sk|rk)_live_/.test(env.STRIPE_KEY),
    paymentsQueue: env.PAYMENTS_QUEUE,
    missing: missingSecrets(env),
  };
}

function providerOf(env: Env): PaymentProvider {
  if (env.STRIPE_KEY === undefined) return shutProvider();
  const sandbox = env.ENVIRONMENT === "local" ? env.PROVIDER : undefined;
  const wayOut: typeof fetch = sandbox === undefined ? (input, init) => fetch(input, init) : (input, init) => sandbox.fetch(input, init);
  return stripeProvider({ key: env.STRIPE_KEY, fetch: wayOut, hasMulticapture: env.STRIPE_MULTICAPTURE === "on" });
}

/** Without a key nothing goes out, and whatever is owed stays owed. */
function shutProvider(): PaymentProvider {
  const refuse = async (): Promise<never> => {
    throw new Fault("temporarily_unavailable", { retryable: true });
  };
  return { openSession: refuse, truth: refuse, closeSession: refuse, capture: refuse, voidPayment: refuse, refund: refuse };
}

/** A call into the object that fails is the world failing: every one of them is idempotent and may be made again. */
function faultingDrop(drop: DropPort): SettlementDrop {
  const call = async <Value>(work: () => Promise<Value>): Promise<Value> => {
    try {
      return await work();
    } catch (cause) {
      throw new Fault("the drop did not answer", { retryable: true, cause });
    }
  };
  return {
    confirm: (order, payment, card) => call(() => drop.confirm(order, payment, card)),
    confirmAll: (payments) => call(() => drop.confirmAll(payments)),
    processing: (order) => call(() => drop.processing(order)),
    fail: (order) => call(() => drop.fail(order)),
    restock: (order, refund, lines) => call(() => drop.restock(order, refund, lines)),
    placed: (order) => call(() => drop.placed(order)),
    acknowledge: (ids) => call(() => drop.acknowledge(ids)),
  };
}
