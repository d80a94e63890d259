import { UNNAMED_NETWORK } from "../drop/network-budgets.ts";
import type { Hashing } from "../kernel/hashing.ts";
import type { Visitor } from "./ports.ts";

/** What the platform itself says about a request; a header that a client can set is not among it. */
export interface PlatformFacts {
  readonly address: string | null;
  readonly country?: unknown;
  readonly latitude?: unknown;
  readonly longitude?: unknown;
}

/** Where a request comes from, by the platform's own data. */
export function platformVisitor(facts: PlatformFacts): Visitor {
  return { network: networkOf(facts.address ?? "unknown"), country: countryOf(facts.country), near: placeOf(facts.latitude, facts.longitude) };
}

/**
 * Where a request on this machine claims to come from:
 * `Rehearsal: <key> <network> [<country> <lat> <lon>]`. Without the right key,
 * or where no key is set, everybody is the same neighbour without a place. The
 * runtime's own facts are not used here: on a direct socket a client makes them.
 */
export function rehearsedVisitor(header: string | null, rehearsalKey: string | null, hashing: Hashing): Visitor {
  const claimed = header === null || rehearsalKey === null || rehearsalKey === "" ? null : claimedVisitor(header, rehearsalKey, hashing);
  return claimed ?? { network: UNNAMED_NETWORK, country: null, near: null };
}

function claimedVisitor(header: string, rehearsalKey: string, hashing: Hashing): Visitor | null {
  const [key = "", network, country, latitude, longitude] = header.trim().split(/\s+/);
  if (network === undefined || !areEqual(hashing.sha256(key), hashing.sha256(rehearsalKey))) return null;
  return { network: network.slice(0, 64), country: countryOf(country), near: placeOf(latitude, longitude) };
}

/** Looks at every character whatever the first difference is; over hashes, so that lengths do not show either. */
function areEqual(left: string, right: string): boolean {
  let difference = left.length ^ right.length;
  for (let index = 0; index < left.length; index++) difference |= left.charCodeAt(index) ^ right.charCodeAt(index);
  return difference === 0;
}

/** One household has one IPv4 address, but a /64 full of IPv6 addresses. */
function networkOf(address: string): string {
  // Nothing but an address is a network: no name can be slipped in that means something to us.
  if (!/^[0-9a-f:.]+$/i.test(address)) return "unknown";
  if (!address.includes(":")) return address;
  const [head = "", tail] = address.toLowerCase().split("::");
  const front = head === "" ? [] : head.split(":");
  const back = tail === undefined || tail === "" ? [] : tail.split(":");
  const groups = tail === undefined ? front : [...front, ...Array<string>(Math.max(0, 8 - front.length - back.length)).fill("0"), ...back];
  return `${groups.slice(0, 4).map((group) => group.replace(/^0+(?=.)/, "")).join(":")}::/64`;
}

/**
 * The site that a network is part of: whoever rents one IPv6 address may be
 * given a /48, which is 65,536 networks. For what one person needs only a few
 * times, so that it does no harm to count neighbours together.
 */
export function siteOf(network: string): string {
  const groups = network.split(":");
  return network.endsWith("::/64") ? `${groups.slice(0, 3).join(":")}::/48` : network;
}

function countryOf(value: unknown): string | null {
  return typeof value === "string" && /^[A-Z]{2}$/.test(value) ? value : null;
}

function placeOf(latitude: unknown, longitude: unknown): Visitor["near"] {
  const [lat, lon] = [degrees(latitude, 90), degrees(longitude, 180)];
  return lat === null || lon === null ? null : { lat, lon };
}

function degrees(value: unknown, max: number): number | null {
  if (typeof value !== "string" || !/^-?\d{1,3}(\.\d{1,10})?$/.test(value)) return null;
  const number = Number(value);
  return Math.abs(number) <= max ? number : null;
}
