import type { StoreConfig } from "../config/store-config.ts";
import type { DropPort } from "../drop/port.ts";
import type { Clock } from "../kernel/time.ts";
import type { LobbyLive, LobbyPort } from "../lobby/port.ts";
import type { CheckoutPort } from "../settlement/port.ts";
import type { Credentials } from "./credentials.ts";

/** Where a request comes from: the platform's own data, never a header that a client can set. */
export interface Visitor {
  /** The network that budgets count by: an address, or "local" on a laptop. */
  readonly network: string;
  readonly country: string | null;
  readonly near: { readonly lat: number; readonly lon: number } | null;
}

/** Everything that the storefront's routes may use; workers/storefront wires it from the bindings. */
export interface StorefrontPorts {
  readonly store: StoreConfig;
  readonly isLocal: boolean;
  readonly version: string;
  drop(slug: string): DropPort;
  lobby(slug: string, shard: number): LobbyPort;
  /** The live chain: isolate memory, edge cache, a lobby shard. At most 2 s old and never past a boundary. */
  live(slug: string): Promise<LobbyLive | null>;
  /** Hands a WebSocket upgrade to one of the drop's lobby shards. */
  socket(slug: string, request: Request): Promise<Response>;
  readonly checkout: CheckoutPort;
  /** Passes a request on to another Worker behind the one public door. */
  forward(to: "desk" | "settlement", request: Request): Promise<Response>;
  asset(request: Request): Promise<Response>;
  readonly credentials: Credentials;
  readonly now: Clock;
  visitor(request: Request): Visitor;
}
