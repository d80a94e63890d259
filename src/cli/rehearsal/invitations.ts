import * as v from "valibot";
import type { Crowd, Shown } from "../../rehearsal/crowd.ts";
import type { RandomSource } from "../../rehearsal/random.ts";
import type { HttpClient } from "./http-client.ts";
import type { Addresses } from "./serving.ts";

const MINTED = v.looseObject({ invites: v.array(v.looseObject({ token: v.string() })) });
/** The desk makes no more of them at once. */
const AT_ONCE_MAX = 500;

/** The invitations of a night: who has one, and which were used and are handed on all the same. */
export class Invitations {
  readonly #byLane: ReadonlyMap<string, readonly string[]>;
  readonly #used: string[] = [];

  constructor(byLane: ReadonlyMap<string, readonly string[]> = new Map()) {
    this.#byLane = byLane;
  }

  /** What somebody shows by typing or by following a link; null where that is nothing. */
  textFor(shows: Shown, random: RandomSource): string | null {
    if (shows.kind === "invitation") return this.#byLane.get(shows.lane)?.[shows.number] ?? null;
    return shows.kind === "used-invitation" && this.#used.length > 0 ? random.pick(this.#used) : null;
  }

  /** From now on bots know of it. */
  noteUsed(token: string | null): void {
    if (token !== null) this.#used.push(token);
  }
}

/** Has the desk make as many invitations as the crowd has people for, before anybody comes. */
export async function mintedInvitations(http: HttpClient, { desk, deskKey }: Addresses, drop: string, wanted: Crowd["invitations"]): Promise<Invitations> {
  const byLane = new Map<string, string[]>();
  for (const { lane, count } of wanted) {
    const tokens: string[] = [];
    while (tokens.length < count) {
      const reply = await http.ask({
        route: "desk", method: "POST", url: `${desk}/desk/api/drops/${drop}/invites`, headers: { authorization: `Bearer ${deskKey}` }, body: { lane, count: Math.min(AT_ONCE_MAX, count - tokens.length) },
      });
      if (reply.status !== 201) throw new Error(`the desk made no invitations: ${reply.status} ${reply.text.slice(0, 200)}`);
      tokens.push(...v.parse(MINTED, JSON.parse(reply.text)).invites.map(({ token }) => token));
    }
    byLane.set(lane, tokens);
  }
  return new Invitations(byLane);
}

/** The headers that an edge's own are taken for, where somebody claims to be in another place. */
export function disguiseOf(shows: Shown): Readonly<Record<string, string>> {
  if (shows.kind !== "false-place") return {};
  return { "cf-ipcountry": shows.country, "cf-iplatitude": String(shows.lat), "cf-iplongitude": String(shows.lon), "x-forwarded-for": "192.0.2.7", "x-real-ip": "192.0.2.7", "true-client-ip": "192.0.2.7" };
}
