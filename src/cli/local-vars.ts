import type { Keys } from "./keys.ts";
import type { WorkerSource } from "./project.ts";

/** Where orders live instead of the local D1. */
export interface OrdersServer {
  readonly url: string;
  readonly token: string | null;
}

export interface LocalSettings {
  /** The store's port; the sandbox takes the one after it. */
  readonly port: number;
  /** The `[vars]` of the store that is served, in place of the root config's. */
  readonly vars: Readonly<Record<string, unknown>>;
  readonly keys: Keys;
  /** Null for the local D1. */
  readonly orders: OrdersServer | null;
}

/** The libSQL server that `ORDERS_URL` and `ORDERS_TOKEN` name, or null where orders stay in D1. */
export function ordersServerFrom(environment: Readonly<Record<string, string | undefined>>): OrdersServer | null {
  const url = environment["ORDERS_URL"] ?? "";
  return url === "" ? null : { url, token: environment["ORDERS_TOKEN"] ?? null };
}

/** The secrets and variables of each Worker, and nothing else's: as it is deployed, so it runs here. */
export function localVars(name: WorkerSource["name"], { keys, vars, orders, port }: LocalSettings): Record<string, unknown> {
  const environment = { ENVIRONMENT: "local" };
  switch (name) {
    case "storefront":
      return { ...vars, ...environment, TICKET_KEYS: keys.TICKET_KEYS, RECEIPT_KEY: keys.RECEIPT_KEY, PUBLIC_KEYS: keys.PUBLIC_KEYS, REHEARSAL_KEY: keys.REHEARSAL_KEY, TURNSTILE_SECRET: keys.TURNSTILE_SECRET, TURNSTILE_ORIGIN: `http://127.0.0.1:${port + 1}`, MAIL_KEY: keys.MAIL_KEY, MAIL_FROM: "Tranche on this machine <codes@store.localhost>" };
    case "objects":
      return { ...environment, HEAD_KEY: keys.HEAD_KEY };
    case "settlement":
      return {
        ...environment, STRIPE_KEY: keys.STRIPE_KEY, STRIPE_WEBHOOK_SECRET: keys.STRIPE_WEBHOOK_SECRET,
        ...(orders === null ? {} : { ORDERS_URL: orders.url, ...(orders.token === null ? {} : { ORDERS_TOKEN: orders.token }) }),
      };
    case "desk":
      return { ...environment, DESK_KEY: keys.DESK_KEY, COUPON_KEY: keys.COUPON_KEY };
    case "sandbox":
      return {
        ...environment, STRIPE_KEY: keys.STRIPE_KEY, STRIPE_WEBHOOK_SECRET: keys.STRIPE_WEBHOOK_SECRET, REHEARSAL_KEY: keys.REHEARSAL_KEY,
        MAIL_KEY: keys.MAIL_KEY, TURNSTILE_SECRET: keys.TURNSTILE_SECRET, SANDBOX_ORIGIN: `http://127.0.0.1:${port + 1}`,
      };
    default:
      return name satisfies never;
  }
}
