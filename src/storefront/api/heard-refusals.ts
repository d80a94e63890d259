/** Far more than are refused at any one time, and no more memory than a picture. */
const REFUSALS_MAX = 10_000;

/** That somebody has used up what there is in a time; see the problem of the same code. */
type UsedUp = { readonly code: "too_many_requests"; readonly retryAt: number };

/** What the shards said about networks, addresses and tickets that have used their time's worth up. */
export interface HeardRefusals {
  /** The shard's own refusal of `who` for as long as it holds, or null. */
  find(where: string, who: string, now: number): UsedUp | null;
  /** Keeps a refusal that names its end; any other is none of this. */
  note(where: string, who: string, rejection: { readonly code: string } | UsedUp): void;
}

/**
 * Remembers refusals until the time that they name, so that a flood from one
 * network, or for one address, ends in the isolates and does not reach the shard
 * that counted it.
 * It only repeats what a shard has said: an isolate that forgets, or never
 * heard it, asks the shard and gets the same answer.
 */
export function heardRefusals(): HeardRefusals {
  const refusals = new Map<string, UsedUp>();
  return {
    find(where, who, now) {
      const name = `${where}/${who}`;
      const known = refusals.get(name);
      if (known === undefined || now < known.retryAt) return known ?? null;
      refusals.delete(name);
      return null;
    },
    note(where, who, rejection) {
      if (!isUsedUp(rejection)) return;
      // The oldest goes first: memory is bounded whoever comes.
      const [oldest] = refusals.keys();
      if (refusals.size >= REFUSALS_MAX && oldest !== undefined) refusals.delete(oldest);
      refusals.set(`${where}/${who}`, rejection);
    },
  };
}

function isUsedUp(rejection: { readonly code: string } | UsedUp): rejection is UsedUp {
  return rejection.code === "too_many_requests" && "retryAt" in rejection;
}
