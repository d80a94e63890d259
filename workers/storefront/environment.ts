import type { CheckoutPort } from "../../src/settlement/port.ts";
import type { ShopDrop, ShopLobby } from "../../src/storefront/ports.ts";

/** A stub speaks its port over RPC; a lobby shard takes WebSocket upgrades as well. */
interface Objects<Port> {
  getByName(name: string, options?: { readonly locationHint?: DurableObjectLocationHint }): Port;
}

export interface StorefrontEnv {
  readonly DROP: Objects<ShopDrop>;
  readonly LOBBY: Objects<ShopLobby & { fetch(request: Request): Promise<Response> }>;
  readonly CHECKOUT: CheckoutPort;
  readonly WEBHOOKS: Fetcher;
  readonly DESK: Fetcher;
  readonly ASSETS: Fetcher;
  readonly ENVIRONMENT?: string;
  readonly TICKET_KEYS?: string;
  readonly RECEIPT_KEY?: string;
  readonly PUBLIC_KEYS?: string;
  readonly REHEARSAL_KEY?: string;
  readonly TURNSTILE_SECRET?: string;
  /** The sandbox in Turnstile's place, and where browsers find its widget; they count only on a developer's machine. */
  readonly TURNSTILE?: Fetcher;
  readonly TURNSTILE_ORIGIN?: string;
  readonly MAIL_KEY?: string;
  readonly MAIL_FROM?: string;
  /** The sandbox in the mail provider's place; bound only on a developer's machine. */
  readonly MAILBOX?: Fetcher;
  /** The sandbox in the place of a public beacon's relays; bound only on a developer's machine. */
  readonly BEACON?: Fetcher;
}
