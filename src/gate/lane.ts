import { betterLane } from "../drop/lanes.ts";
import { type LaneShare, OPEN_LANE } from "../drop/plan.ts";

/** A place on the globe, in degrees. */
export interface Place {
  readonly lat: number;
  readonly lon: number;
}

/** A code that changes every few seconds and was shown at the pop-up of a region: checked, and not too old. */
export interface VerifiedPresence {
  readonly region: string;
}

/** An invitation to a lane of this drop: checked, not revoked, and used up by the ticket that gets in with it. */
export interface VerifiedInvite {
  readonly lane: string;
}

/** What speaks for a lane. Whoever asks has checked it; what a client merely says of itself is not among it. */
export interface LaneEvidenceShown {
  /** Where the platform itself locates the request; null where it does not. */
  readonly near: Place | null;
  readonly presence: VerifiedPresence | null;
  readonly invite: VerifiedInvite | null;
}

/** Where a ticket stands, and what put it there: a code or an invitation that changed nothing is not used up. */
export interface LaneGiven {
  readonly lane: string;
  readonly weight: number;
  readonly by: "location" | "presence" | "invite" | null;
}

/**
 * The lane of a ticket by the evidence that was shown: of all that fit the best
 * for its owner, or the open one. Being at the pop-up by its code counts
 * wherever the platform believes the request to be: phones leave their country
 * through their operator's network.
 */
export function laneFor(lanes: readonly LaneShare[], shown: LaneEvidenceShown): LaneGiven {
  let best: LaneGiven = { lane: OPEN_LANE, weight: 1, by: null };
  for (const share of lanes) {
    const by = fitOf(share, shown);
    if (by !== null && betterLane(lanes, best.lane, share.lane) === share.lane) best = { lane: share.lane, weight: share.weight, by };
  }
  return best;
}

function fitOf({ lane, evidence }: LaneShare, { near, presence, invite }: LaneEvidenceShown): LaneGiven["by"] {
  if (evidence.kind === "invite") return invite?.lane === lane ? "invite" : null;
  // First what nothing is used up for.
  if (near !== null && evidence.withinKm !== null && distanceKm(near, evidence.near) <= evidence.withinKm) return "location";
  return presence?.region === evidence.region ? "presence" : null;
}

const EARTH_RADIUS_KM = 6_371;

/** The great-circle distance of two places, by the haversine formula: right to half a percent, and nearer than any platform locates a phone. */
export function distanceKm(one: Place, other: Place): number {
  const radians = Math.PI / 180;
  const [latitude, longitude] = [(other.lat - one.lat) * radians, (other.lon - one.lon) * radians];
  const chord = Math.sin(latitude / 2) ** 2 + Math.cos(one.lat * radians) * Math.cos(other.lat * radians) * Math.sin(longitude / 2) ** 2;
  // Rounding may put antipodes a hair beyond 1, of which there is no arc sine.
  return 2 * EARTH_RADIUS_KM * Math.asin(Math.min(1, Math.sqrt(chord)));
}
