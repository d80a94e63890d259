import type { DropPort } from "../drop/port.ts";
import type { Hashing } from "../kernel/hashing.ts";
import type { Clock } from "../kernel/time.ts";
import type { PaymentProvider } from "../payment/provider.ts";
import type { OrderStore } from "./order-store.ts";

/** What settlement uses of a drop. */
export type SettlementDrop = Pick<DropPort, "confirm" | "confirmAll" | "processing" | "fail" | "restock" | "placed" | "acknowledge">;

/** Everything that settlement may use; workers/settlement wires it from the bindings. */
export interface SettlementPorts {
  readonly store: OrderStore;
  readonly provider: PaymentProvider;
  drop(slug: string): SettlementDrop;
  readonly hashing: Hashing;
  readonly now: Clock;
}
