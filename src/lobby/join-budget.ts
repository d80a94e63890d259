/** How long the joins of a network add up. */
const MINUTE_MS = 60_000;

/** What one network asked of this shard in its present minute, which begins with its first join. */
export interface NetworkMinute {
  readonly network: string;
  readonly startedAt: number;
  readonly joins: number;
}

/** A join that was asked for before it came. */
interface AnnouncedJoin {
  readonly network: string;
  readonly ticket: string;
}

/**
 * The part of a network's joins a minute that one shard allows. A keyed hash
 * spreads tickets over the shards like dice, so that of J joins a shard gets
 * J/N on average and now and then more: four standard deviations of slack let
 * one honest minute in some thousands be refused for bad luck, and all shards
 * together allow at most J + 4·√(J·N). One shard alone needs no slack.
 */
export function shardPart(joinsPerMinute: number, shards: number): number {
  const mean = joinsPerMinute / shards;
  return shards === 1 ? joinsPerMinute : Math.min(joinsPerMinute, Math.ceil(mean + 4 * Math.sqrt(mean)));
}

/**
 * Counts the joins of each network, minute by minute. Everything that reaches
 * the shard counts, answered again or refused, because it costs the shard the
 * same. The caller stores the minutes that changed with the tickets: what an
 * eviction forgets is at most requests that changed nothing.
 */
export class JoinBudget {
  readonly #minutes = new Map<string, NetworkMinute>();
  readonly #changed = new Set<string>();
  /** Since when a ticket's join is paid for, by its network and id: at most one for each request that was counted. */
  readonly #announced = new Map<string, number>();
  #forgetAt = 0;

  /** Counts one request. Answers null, or when the network's next minute begins where this one is used up. */
  ask(network: string, joinsPerMinute: number, now: number): number | null {
    this.#forgetEnded(now);
    const known = this.#minutes.get(network);
    const isPresent = known !== undefined && isWithin(known, now);
    const joins = isPresent ? known.joins : 0;
    const startedAt = isPresent ? known.startedAt : now;
    if (joins >= joinsPerMinute) return startedAt + MINUTE_MS;
    this.#minutes.set(network, { network, startedAt, joins: joins + 1 });
    this.#changed.add(network);
    return null;
  }

  /** Notes that the join of which this request asked is on its way, and was counted with it. */
  announce(join: AnnouncedJoin, now: number): void {
    this.#announced.set(announcedName(join), now);
  }

  /** Whether a join was counted before it came: once, and for a minute. What an eviction forgets is counted twice. */
  takeAnnounced(join: AnnouncedJoin, now: number): boolean {
    const name = announcedName(join);
    const startedAt = this.#announced.get(name);
    this.#announced.delete(name);
    return startedAt !== undefined && isWithin({ startedAt }, now);
  }

  /** Puts a stored minute back. */
  restore(minute: NetworkMinute): void {
    this.#minutes.set(minute.network, minute);
  }

  /** The minutes that changed since they were last asked for. */
  takeChanged(): NetworkMinute[] {
    const changed = [...this.#changed].flatMap((network) => this.#minutes.get(network) ?? []);
    this.#changed.clear();
    return changed;
  }

  #forgetEnded(now: number): void {
    if (now < this.#forgetAt && this.#forgetAt - now <= MINUTE_MS) return;
    this.#forgetAt = now + MINUTE_MS;
    for (const [name, startedAt] of this.#announced) if (!isWithin({ startedAt }, now)) this.#announced.delete(name);
    for (const { network, ...minute } of this.#minutes.values()) {
      if (isWithin(minute, now)) continue;
      this.#minutes.delete(network);
      // A shard that refuses everybody stores nothing: without this the names of whoever asked would pile up.
      this.#changed.delete(network);
    }
  }
}

function announcedName({ network, ticket }: AnnouncedJoin): string {
  return `${network}/${ticket}`;
}

/** A minute that would begin in the future is from before a clock was set back, and over. */
function isWithin({ startedAt }: Pick<NetworkMinute, "startedAt">, now: number): boolean {
  return startedAt <= now && now < startedAt + MINUTE_MS;
}
