import type { LobbyPort } from "../../src/lobby/port.ts";
import type { CheckoutPort } from "../../src/settlement/port.ts";
import type { ShopDrop } from "../../src/storefront/ports.ts";

/** A stub speaks its port over RPC; a lobby shard takes WebSocket upgrades as well. */
interface Objects<Port> {
  getByName(name: string, options?: { readonly locationHint?: DurableObjectLocationHint }): Port;
}

export interface StorefrontEnv {
  readonly DROP: Objects<ShopDrop>;
  readonly LOBBY: Objects<LobbyPort & { fetch(request: Request): Promise<Response> }>;
  readonly CHECKOUT: CheckoutPort;
  readonly WEBHOOKS: Fetcher;
  readonly DESK: Fetcher;
  readonly ASSETS: Fetcher;
  readonly ENVIRONMENT?: string;
  readonly TICKET_KEYS?: string;
  readonly RECEIPT_KEY?: string;
  readonly PUBLIC_KEYS?: string;
  readonly REHEARSAL_KEY?: string;
}
