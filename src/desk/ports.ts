import type { CouponKey } from "../coupon/voucher.ts";
import type { DropPort } from "../drop/port.ts";
import type { LobbyDoor } from "../lobby/door.ts";
import type { Hashing } from "../kernel/hashing.ts";
import type { ProblemCode } from "../kernel/problem.ts";
import type { Clock } from "../kernel/time.ts";
import type { MoneyDeskPort } from "../settlement/port.ts";

/** Everything that the desk's routes may use; workers/desk wires it from the bindings. */
export interface DeskPorts {
  /** The bearer key, or null where the secret is not set: then every door is shut. */
  readonly deskKey: string | null;
  /** The key that signs vouchers, or null where the secret is not set: then none is minted. */
  readonly couponKey: CouponKey | null;
  /** Whether a config may have what exists only on a developer's machine. */
  readonly isLocal: boolean;
  readonly money: MoneyDeskPort;
  /** The desk reads a drop's public state and plan, and controls it; it touches nothing else of it. */
  drop(slug: string): Pick<DropPort, "snapshot" | "control" | "changePlan" | "awaitedReturns" | "pace">;
  /** Of a lobby shard the desk asks nothing but to note what staff say, and to take back what it gave out. */
  lobby(slug: string, shard: number): Pick<LobbyDoor, "revoke" | "redeem">;
  readonly hashing: Hashing;
  readonly now: Clock;
  randomBytes(count: number): Uint8Array;
  /** Notes what went wrong on our side; never gets a credential or a body. */
  report(failure: { readonly code: ProblemCode; readonly path: string; readonly error: unknown }): void;
}
