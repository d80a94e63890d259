import type { StoreConfig } from "../config/store-config.ts";
import type { DropPort, DropSnapshot } from "../drop/port.ts";
import type { Mailer } from "../gate/mail.ts";
import type { Turnstile } from "../gate/turnstile.ts";
import type { WorkGate } from "../gate/work.ts";
import type { Hashing } from "../kernel/hashing.ts";
import type { Clock } from "../kernel/time.ts";
import type { LobbyDoor } from "../lobby/door.ts";
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

/** What the shop may ask of a drop: stock and orders, never money, controls or seals. */
export type ShopDrop = Pick<DropPort, "plan" | "beacon" | "claim" | "hold" | "holdState" | "abandon" | "place" | "placed" | "record" | "sweep">;

/** What the shop may ask of a lobby shard: everything but to take back what the desk gave out. */
export type ShopLobby = LobbyPort & Omit<LobbyDoor, "revoke">;

/** Everything that the storefront's routes may use; workers/storefront wires it from the bindings. */
export interface StorefrontPorts {
  readonly store: StoreConfig;
  readonly isLocal: boolean;
  readonly version: string;
  drop(slug: string): ShopDrop;
  lobby(slug: string, shard: number): ShopLobby;
  /** The live chain: isolate memory, edge cache, a lobby shard. At most 2 s old and never past a boundary. */
  live(slug: string): Promise<LobbyLive | null>;
  /** Hands a WebSocket upgrade to one of the drop's lobby shards. */
  socket(slug: string, request: Request): Promise<Response>;
  readonly checkout: CheckoutPort;
  /** Passes a request on to another Worker behind the one public door. */
  forward(to: "desk" | "settlement", request: Request): Promise<Response>;
  /** Where the Turnstile widget's script comes from: Cloudflare, or the sandbox on a laptop. */
  readonly turnstileOrigin: string;
  asset(request: Request): Promise<Response>;
  readonly credentials: Credentials;
  readonly now: Clock;
  visitor(request: Request): Visitor;
}

/** What a log line says: a code, ids and facts, never a credential and never a body. */
export type LogLine = { readonly code: string } & Readonly<Record<string, string | number | boolean | null>>;

/** What the API needs beside what the pages need. */
export interface ApiPorts extends StorefrontPorts {
  /**
   * The plan of a drop, from whatever copy of the live state is at hand, up to
   * half a minute old. For checking a request's shape; stock and time are never
   * judged by it. Null for a drop that the store does not have.
   */
  plan(slug: string): Promise<PlannedDrop | null>;
  /** The state that `live` would answer with from this isolate's memory, or null where it would have to ask somebody. */
  liveAtHand(slug: string): LobbyLive | null;
  readonly hashing: Hashing;
  randomBytes(count: number): Uint8Array;
  readonly work: WorkGate;
  /** Null where its secret is not set: a drop that asks for it lets nobody in. */
  readonly turnstile: Turnstile | null;
  /** Null where no mail can be sent, because its secret or its sender is not set: what needs a mail refuses. */
  readonly mailer: Mailer | null;
  /** Resolves after so many milliseconds. */
  wait(ms: number): Promise<void>;
  /** Lets work go on after the answer is sent. */
  later(work: Promise<unknown>): void;
  /** What never changes, kept at the edge under a path of our own. */
  readonly edge: EdgeStore;
  log(line: LogLine): void;
}

export type PlannedDrop = Pick<DropSnapshot, "plan" | "planHash">;

export interface EdgeStore {
  read(key: string): Promise<string | null>;
  /** `keepSeconds` is a wish: the edge forgets when it likes. */
  write(key: string, text: string, keepSeconds: number): Promise<void>;
}
