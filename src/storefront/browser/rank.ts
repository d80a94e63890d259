import type { Live, Quantiles, WireLine } from "./page-data.ts";

/*
 * A shopper's own place, computed in the browser from what everyone is told.
 * Waiting therefore costs the server nothing, and nobody has to be believed:
 * the seed, the entry and this arithmetic are public.
 */

export interface OwnTicket {
  readonly entry: string;
  readonly lane: string;
  readonly weight: number;
  readonly joinedAt: number;
}

async function hmacHex(subtle: SubtleCrypto, seedHex: string, text: string): Promise<string> {
  const seed = Uint8Array.from(seedHex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
  const key = await subtle.importKey("raw", seed, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const mac = new Uint8Array(await subtle.sign("HMAC", key, new TextEncoder().encode(text)));
  return Array.from(mac, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The ticket's place in the order of service, as the record defines it; ranks compare as strings. */
export async function rankOf(ticket: OwnTicket, opensAt: number, seedHex: string, subtle: SubtleCrypto): Promise<string> {
  const draws = Array.from({ length: ticket.weight }, (_, index) => hmacHex(subtle, seedHex, `${ticket.entry}/${index + 1}`));
  const smallest = (await Promise.all(draws)).reduce((least, value) => (value < least ? value : least), "~");
  if (ticket.joinedAt < opensAt) return `0${smallest.slice(0, 32)}`;
  return `1${ticket.joinedAt.toString(16).padStart(12, "0")}${smallest.slice(0, 16)}`;
}

export function isServed(rank: string, upTo: string | null): boolean {
  return upTo !== null && rank <= upTo;
}

/** Those of the wanted items that are being served up to this rank now; each item has a line of its own. */
export function servedWants(live: Live, rank: string, lane: string, wants: readonly WireLine[]): WireLine[] {
  return wants.filter(({ sku }) => live.thresholds.some((threshold) => threshold.lane === lane && threshold.sku === sku && isServed(rank, threshold.upTo)));
}

/** Whether any of the wanted items is being served up to this rank now. */
export function isCalled(live: Live, rank: string, lane: string, wants: readonly WireLine[]): boolean {
  return servedWants(live, rank, lane, wants).length > 0;
}

/** Where somebody stands, as a range; `from` equals `to` where the line is short enough to know. 1 is next. */
export interface Position {
  readonly from: number;
  readonly to: number;
}

function inLane(quantiles: Quantiles, rank: string, servedTo: string | null): Position {
  const ahead = quantiles.ranks.filter((other) => other < rank && !isServed(other, servedTo)).length;
  const isComplete = quantiles.count <= quantiles.ranks.length;
  if (isComplete) return { from: ahead + 1, to: ahead + 1 };
  const step = quantiles.count / Math.max(1, quantiles.ranks.length);
  return { from: Math.max(1, Math.floor((ahead - 1) * step) + 1), to: Math.max(1, Math.ceil((ahead + 1) * step)) };
}

/**
 * How many of the same lane stand before `rank`, from the quantiles. They know
 * nothing about what the others want, so this is an upper bound for an item
 * that only some of them are after.
 */
export function positionOf(live: Live, rank: string, lane: string, wants: readonly WireLine[]): Position | null {
  const quantiles = live.quantiles.find((candidate) => candidate.lane === lane);
  if (quantiles === undefined) return null;
  const reached = live.thresholds
    .filter((threshold) => threshold.lane === lane && threshold.upTo !== null && wants.some((want) => want.sku === threshold.sku))
    .map((threshold) => threshold.upTo ?? "");
  return inLane(quantiles, rank, reached.length === 0 ? null : reached.reduce((most, upTo) => (upTo > most ? upTo : most)));
}

/**
 * What is shown never grows: quantiles are coarse and wobble by a step, and a
 * number that goes up reads as somebody having pushed in.
 */
export function neverGrowing(shown: Position | null, next: Position | null): Position | null {
  if (shown === null || next === null) return next ?? shown;
  const to = Math.min(shown.to, next.to);
  return { from: Math.min(shown.from, next.from, to), to };
}
