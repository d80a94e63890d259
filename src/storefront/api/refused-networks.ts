import type { JoinRejection } from "../../lobby/port.ts";

/** Far more networks than are refused at any one time, and no more memory than a picture. */
const NETWORKS_MAX = 10_000;

/** What the shards said about networks that have used their minute up. */
export interface RefusedNetworks {
  /** The shard's own refusal of this network for as long as it holds, or null. */
  find(shard: string, network: string, now: number): JoinRejection | null;
  note(shard: string, network: string, rejection: JoinRejection): void;
}

/**
 * Remembers refusals until the time that they name, so that a flood from one
 * network ends in the isolates and does not reach the shard that counted it.
 * It only repeats what a shard has said: an isolate that forgets, or never
 * heard it, asks the shard and gets the same answer.
 */
export function refusedNetworks(): RefusedNetworks {
  const refusals = new Map<string, JoinRejection & { readonly code: "too_many_requests" }>();
  return {
    find(shard, network, now) {
      const name = `${shard}/${network}`;
      const known = refusals.get(name);
      if (known === undefined || now < known.retryAt) return known ?? null;
      refusals.delete(name);
      return null;
    },
    note(shard, network, rejection) {
      if (rejection.code !== "too_many_requests") return;
      // The oldest goes first: memory is bounded whoever comes.
      const [oldest] = refusals.keys();
      if (refusals.size >= NETWORKS_MAX && oldest !== undefined) refusals.delete(oldest);
      refusals.set(`${shard}/${network}`, rejection);
    },
  };
}
