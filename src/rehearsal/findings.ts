import type { NightFacts, ShopperClass, ShopperFact } from "./facts.ts";
import { correlation, shareDeviation } from "./statistics.ts";

/** One invariant and whether it held. */
export interface Check {
  readonly name: string;
  readonly isHeld: boolean;
  /** What was seen, in words. */
  readonly seen: string;
}

/** How the units were shared between people and bots. */
export interface Shares {
  readonly soldUnits: number;
  readonly unitsByClass: Readonly<Record<ShopperClass, number>>;
  /** Bots' part of the units, 0 to 1. */
  readonly botShare: number;
  /** Bots' part of the identities that came to buy. */
  readonly identityShare: number;
  /** Bots' part of the tickets that came to buy. */
  readonly ticketShare: number;
  /** One standard deviation of `botShare` where every identity has one chance, or every ticket where identities are not proven. */
  readonly deviation: number;
}

/** What may be missing or too much before it is no noise any more: two percentage points. */
const SHARE_TOLERANCE = 0.02;
/** Two-sided 95 %. */
const NORMAL_95 = 1.96;
/** Two-sided 99.9 %: a fair draw exceeds it once in a thousand rehearsals. */
const NORMAL_999 = 3.29;

/** Who got how much of what was sold, over one night or several. */
export function sharesOf(nights: readonly NightFacts[]): Shares {
  const unitsByClass = { people: 0, bots: 0 };
  const unitsByWinner: number[] = [];
  const entrants = { people: 0, bots: 0 };
  const tickets = { people: 0, bots: 0 };
  for (const night of nights) {
    const classByEntry = new Map(night.shoppers.flatMap((shopper) => (shopper.entry === null ? [] : [[shopper.entry, shopper.class] as const])));
    const unitsByRef = new Map<string, { readonly class: ShopperClass; units: number }>();
    for (const { kind, subject, ref, quantity } of night.rows) {
      if (kind !== "sell" && kind !== "return") continue;
      const ofClass = classByEntry.get(subject) ?? "bots";
      const units = kind === "sell" ? quantity : -quantity;
      unitsByClass[ofClass] += units;
      const known = unitsByRef.get(ref);
      if (known === undefined) unitsByRef.set(ref, { class: ofClass, units });
      else known.units += units;
    }
    unitsByWinner.push(...[...unitsByRef.values()].map(({ units }) => units));
    for (const ofClass of ["people", "bots"] as const) {
      const came = night.shoppers.filter((shopper) => shopper.class === ofClass && hasComeInTime(shopper, night));
      // A place that was moved to another browser is told of by both, and is one.
      tickets[ofClass] += new Set(came.map(({ entry }) => entry)).size;
      entrants[ofClass] += new Set(came.map(({ identity }) => identity)).size;
    }
  }
  const soldUnits = unitsByClass.people + unitsByClass.bots;
  const identityShare = partOf(entrants.bots, entrants.people + entrants.bots);
  const ticketShare = partOf(tickets.bots, tickets.people + tickets.bots);
  // Where nobody proves who they are, it is tickets among which chance decides.
  const isProven = nights.every(({ terms }) => terms.isEmailProven);
  const [drawn, share] = isProven ? [entrants, identityShare] : [tickets, ticketShare];
  return {
    soldUnits, unitsByClass, identityShare, ticketShare,
    botShare: partOf(unitsByClass.bots, soldUnits),
    deviation: shareDeviation({ share, entrants: drawn.people + drawn.bots, unitsByWinner }),
  };
}

/** Whoever joined before the opening and means to buy: those among whom the draw decides. */
function hasComeInTime({ intent, joinedAt }: ShopperFact, { opensAt }: NightFacts): boolean {
  return intent === "buys" && joinedAt !== null && joinedAt < opensAt;
}

function partOf(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

/** How far bots may be from their part of the identities: two points, or what chance does in nineteen of twenty rehearsals of this size. */
export function shareTolerance({ deviation }: Shares): number {
  return Math.max(SHARE_TOLERANCE, NORMAL_95 * deviation);
}

/** Everything that must hold in a night. */
export function checksOf(night: NightFacts): Check[] {
  return [recordCheck(night), stockCheck(night), soldCheck(night), admissionCheck(night), ...moneyChecks(night), toldCheck(night), placeCheck(night), drawCheck(night), ...brokenChecks(night)];
}

function recordCheck({ verifier }: NightFacts): Check {
  return { name: "The public record is right, recomputed from what is public", isHeld: verifier.isRight, seen: [verifier.sentence, ...verifier.findings].join(" ") };
}

/** Recounted here, apart from the verifier. */
function stockCheck({ rows, stages }: NightFacts): Check {
  let [held, sold, mostTaken, worst] = [0, 0, 0, 0];
  for (const { kind, quantity, at } of rows) {
    if (kind === "hold") held += quantity;
    if (kind === "sell") [held, sold] = [held - quantity, sold + quantity];
    if (kind === "expire" || kind === "abandon" || kind === "void") held -= quantity;
    if (kind === "return") sold -= quantity;
    const released = stages.filter(({ opensAt }) => opensAt <= at).reduce((sum, { units }) => sum + units, 0);
    mostTaken = Math.max(mostTaken, held + sold);
    worst = Math.max(worst, held + sold - released);
  }
  return { name: "Held and sold never exceed what is released", isHeld: worst <= 0, seen: worst <= 0 ? `at most ${mostTaken} units were held or sold at once` : `${worst} units too many` };
}

/** Underselling is a defect too, where enough people wanted what is left. */
function soldCheck(night: NightFacts): Check {
  const wanted = wantedUnits(night);
  const sold = new Map<string, number>();
  for (const { kind, sku, quantity } of night.rows) {
    if (kind === "sell") sold.set(sku, (sold.get(sku) ?? 0) + quantity);
    if (kind === "return") sold.set(sku, (sold.get(sku) ?? 0) - quantity);
  }
  const left = night.stock.filter(({ sku, units }) => (wanted.get(sku) ?? 0) >= units && (sold.get(sku) ?? 0) < units);
  const { soldUnits } = sharesOf([night]);
  const lack = night.stock.filter(({ sku, units }) => (wanted.get(sku) ?? 0) < units).map(({ sku }) => sku);
  return {
    name: "Everything is sold that enough people wanted", isHeld: left.length === 0,
    seen: `${soldUnits} of ${night.terms.units} sold${lack.length === 0 ? "" : `; nobody was there for some of ${lack.join(", ")}`}${left.map(({ sku, units }) => `; ${sku}: ${sold.get(sku) ?? 0} of ${units}, and ${wanted.get(sku) ?? 0} wanted`).join("")}`,
  };
}

/** What the places of those who came to buy ask for, by sku. Who shares a place cannot have twice what it may: the least that any of them wants of it counts. */
function wantedUnits({ shoppers }: NightFacts): Map<string, number> {
  const wanted = new Map<string, number>();
  const places = Map.groupBy(shoppers.filter(({ intent, entry }) => intent === "buys" && entry !== null), ({ entry }) => entry);
  for (const [first, ...others] of places.values()) {
    for (const { sku, quantity } of first?.wants ?? []) {
      const least = Math.min(quantity, ...others.map(({ wants }) => wants.find((want) => want.sku === sku)?.quantity ?? 0));
      wanted.set(sku, (wanted.get(sku) ?? 0) + least);
    }
  }
  return wanted;
}

/** A hold in the record whose entry was not admitted before came in by a side door. */
function admissionCheck({ rows, tried }: NightFacts): Check {
  const admitted = new Set<string>();
  let holds = 0;
  let without = 0;
  for (const { kind, subject } of rows) {
    if (kind === "admit") admitted.add(subject);
    if (kind !== "hold") continue;
    holds++;
    if (!admitted.has(subject)) without++;
  }
  const doors = tried.find(([what]) => what === "side doors tried")?.[1] ?? 0;
  return { name: "No hold without an admission", isHeld: without === 0, seen: `${holds} holds of ${admitted.size} admitted, ${without} without an admission; ${doors === 0 ? "no bot of this crowd tried a side door" : `${doors} side doors tried`}` };
}

function moneyChecks({ payments, ledger, orders, rows }: NightFacts): Check[] {
  const stateOf = new Map(ledger.map(({ order, state }) => [order, state]));
  const taken = payments.filter(({ receivedMinor, capturableMinor, refundedMinor }) => receivedMinor - refundedMinor > 0 || capturableMinor > 0);
  const withoutOrder = taken.filter(({ order }) => order === null || stateOf.get(order) !== "confirmed");
  const twice = taken.length - new Set(taken.map(({ order }) => order)).size;
  const sold = new Set(rows.flatMap(({ kind, ref }) => (kind === "sell" ? [ref] : [])));
  const paid = orders.filter(({ isPaid }) => isPaid);
  const promised = orders.filter(({ isConfirmed, ref }) => isConfirmed && !sold.has(ref));
  const [ledgerPosted, ledgerPending] = [ledger.reduce((sum, { postedMinor }) => sum + postedMinor, 0), ledger.reduce((sum, { pendingMinor }) => sum + pendingMinor, 0)];
  const [bookPosted, bookPending] = [payments.reduce((sum, { receivedMinor, refundedMinor }) => sum + receivedMinor - refundedMinor, 0), payments.reduce((sum, { capturableMinor }) => sum + capturableMinor, 0)];
  return [
    { name: "Nobody was charged without an order, and nobody twice", isHeld: withoutOrder.length === 0 && twice === 0, seen: `${taken.length} payments kept, ${withoutOrder.length} without a confirmed order, ${twice} twice` },
    { name: "Whoever was told that an order is confirmed has the goods", isHeld: promised.length === 0, seen: `${orders.filter(({ isConfirmed }) => isConfirmed).length} told, ${promised.length} without a sale in the record; ${paid.length} had paid` },
    { name: "The ledger says what the provider's books say", isHeld: ledgerPosted === bookPosted && ledgerPending === bookPending, seen: `posted ${ledgerPosted} and ${bookPosted}, reserved ${ledgerPending} and ${bookPending} minor units` },
  ];
}

/** Every hold that somebody was told of is in the record. */
function toldCheck({ orders, rows }: NightFacts): Check {
  const placed = new Set(rows.flatMap(({ kind, ref }) => (kind === "place" ? [ref] : [])));
  const missing = orders.filter(({ ref }) => !placed.has(ref));
  return { name: "Every order that anybody was told of is in the record", isHeld: missing.length === 0, seen: `${orders.length} told, ${missing.length} missing` };
}

/** Where an address is proven it has one place, whichever way it comes by; without script it is proven on every drop. */
function placeCheck({ shoppers, terms }: NightFacts): Check {
  const entries = new Map<string, Set<string>>();
  for (const { identity, entry, way } of shoppers) {
    if (entry !== null && (terms.isEmailProven || way === "forms")) entries.set(identity, (entries.get(identity) ?? new Set()).add(entry));
  }
  const several = [...entries].filter(([, of]) => of.size > 1);
  const moved = shoppers.filter(({ isMoved }) => isMoved).length;
  return {
    name: "One proven address had one place, by whichever way", isHeld: several.length === 0,
    seen: `${entries.size} addresses, ${several.length} with more than one${several.length === 0 ? "" : `, such as ${several[0]?.[0] ?? ""}`}; ${moved} places were moved to the way without script`,
  };
}

/**
 * How many who came to buy were called, and how many of them claimed only after
 * their window: within it a call keeps a unit for them, after it they take what
 * is left, and there speed counts. By the record's own times.
 */
export function lateClaims(night: NightFacts, ofClass: ShopperClass): { readonly called: number; readonly late: number } {
  const serves = night.rows.filter(({ kind }) => kind === "serve");
  const admittedAt = new Map<string, number>();
  for (const { kind, subject, at } of night.rows) if (kind === "admit" && !admittedAt.has(subject)) admittedAt.set(subject, at);
  let [called, late] = [0, 0];
  for (const { class: its, intent, entry, lane, rank, wants } of night.shoppers) {
    if (its !== ofClass || intent !== "buys" || entry === null || rank === null) continue;
    const call = serves.find((row) => row.lane === lane && rank <= row.upTo && wants.some(({ sku }) => sku === row.sku));
    if (call === undefined) continue;
    called++;
    if ((admittedAt.get(entry) ?? Number.POSITIVE_INFINITY) > call.at + night.terms.compression.claimWindowMs) late++;
  }
  return { called, late };
}

/** Arrival (milliseconds) and position (1 is first) of everybody who was drawn. */
export function drawnPlaces({ shoppers, opensAt }: NightFacts): readonly { readonly joinedAt: number; readonly position: number; readonly class: ShopperClass }[] {
  // A place that was moved to another browser was drawn once.
  const drawn = shoppers.flatMap(({ joinedAt, rank, isMoved, class: ofClass }) => (isMoved || joinedAt === null || rank === null || joinedAt >= opensAt ? [] : [{ joinedAt, rank, class: ofClass }]));
  return drawn.toSorted((a, b) => (a.rank < b.rank ? -1 : 1)).map(({ joinedAt, class: ofClass }, index) => ({ joinedAt, position: index + 1, class: ofClass }));
}

/** The correlation of arrival and position; null with too few. */
export function arrivalCorrelation(night: NightFacts): { readonly value: number; readonly bound: number; readonly count: number } | null {
  const places = drawnPlaces(night);
  const value = correlation(places.map(({ joinedAt, position }) => [joinedAt, position] as const));
  return value === null ? null : { value, bound: NORMAL_999 / Math.sqrt(places.length), count: places.length };
}

function drawCheck(night: NightFacts): Check {
  const found = arrivalCorrelation(night);
  const name = "Coming early gained nothing";
  if (found === null) return { name, isHeld: true, seen: "too few tickets to tell" };
  return { name, isHeld: Math.abs(found.value) < found.bound, seen: `correlation of arrival and position ${found.value.toFixed(4)} over ${found.count} tickets, of which chance alone reaches ${found.bound.toFixed(4)} once in a thousand` };
}

function brokenChecks({ broken }: NightFacts): Check[] {
  if (broken.length === 0) return [{ name: "Nobody saw anything that contradicts the contract", isHeld: true, seen: "nothing" }];
  return broken.map(({ what, count, examples }) => ({ name: `Nobody saw: ${what}`, isHeld: false, seen: `${count} times, such as ${examples.join("; ")}` }));
}
