import { DurableObject } from "cloudflare:workers";
import type { Result } from "../../src/kernel/result.ts";
import type { Clock } from "../../src/kernel/time.ts";
import type { AddressProof, AddressRejection, CodeNote, LobbyDoor, Redemption, RedemptionRejection } from "../../src/lobby/door.ts";
import { DoorStore } from "./door-store.ts";

/** The half of a lobby shard that knows no tickets: what is used once, and whose address was proven. */
export class LobbyDoorObject<Env> extends DurableObject<Env> implements LobbyDoor {
  /** The one place where the shard reads the time; tests put theirs here. */
  clock: Clock = () => Date.now();
  /** Asked for only in answers to others, when the shard has made its tables. */
  readonly #store: DoorStore;

  constructor(context: DurableObjectState, env: Env) {
    super(context, env);
    this.#store = new DoorStore(context.storage);
  }

  async redeem(redemption: Redemption): Promise<Result<null, RedemptionRejection>> {
    return this.#store.redeem(redemption, this.clock());
  }

  async revoke(key: string, until: number): Promise<{ readonly used: number }> {
    return this.#store.revoke(key, until);
  }

  async noteCode(note: CodeNote): Promise<Result<null, { readonly code: "too_many_requests"; readonly retryAt: number }>> {
    return this.#store.noteCode(note, this.clock());
  }

  async proveAddress(proof: AddressProof): Promise<Result<null, AddressRejection>> {
    return this.#store.proveAddress(proof, this.clock());
  }
}
