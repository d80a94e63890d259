import type { DropConfig } from "../config/store-config.ts";
import { evenUnits } from "../drop/lanes.ts";
import type { DripTerms, SourceStage } from "../drop/plan.ts";
import { portionsOf, stepsOf } from "../drop/written-stages.ts";
import { durationFromText } from "../kernel/time.ts";

/*
 * The creator's own drop, made short: the same stock, shares, prices and
 * limits, with every duration divided by the speed. What would become shorter
 * than the runtime's own rhythm is not divided as far, and the report says so.
 */

/** The live state is renewed about once a second and may be two seconds old: in a shorter window people could not think and still answer a call. */
const CLAIM_WINDOW_MIN_MS = 4_000;
/** The shortest hold that a config may ask for on a local machine. */
const HOLD_MIN_MS = 10_000;
/** Between two stages the line has to come to rest: some claim windows and a hold. */
const STAGE_GAP_MIN_MS = 15_000;
/** The shortest step of a drip that a config may ask for on a local machine. */
const DRIP_STEP_MIN_MS = 1_000;
/** A beacon's round comes out nine to twelve seconds after the opening, which are seconds at any speed, and is heard of a little later. */
const DRAW_WAIT_MS = 14_000;
/** What is kept for a lane is kept for so many claim windows after the draw, or nobody of it could come in time. */
const RESERVE_WINDOWS_MIN = 2;
/** After the last opening, whatever is left over is worth this many claim windows. */
const TAIL_WINDOWS_MIN = 12;

export interface Compression {
  readonly speed: number;
  /** Counted from the opening. */
  readonly stages: readonly SourceStage[];
  readonly closesAfterMs: number;
  readonly holdMs: number;
  readonly claimWindowMs: number;
  /** The shortest time for which anything is kept for a lane. */
  readonly reserveMinMs: number;
  /** What was not divided by the whole speed, and what else is not as it will be on the night: a sentence each. */
  readonly notes: readonly string[];
}

export interface CompressionTerms {
  readonly speed: number;
  /** Of those who are called, how many never come: each of them costs a claim window. */
  readonly abandonShare: number;
  readonly units: number;
}

/** The drop's durations at a speed, counted from its opening. */
export function compressionOf({ source }: DropConfig, { speed, abandonShare, units }: CompressionTerms): Compression {
  const notes: string[] = [];
  const bounded = (name: string, ms: number, minMs: number, why: string): number => {
    const divided = ms / speed;
    if (divided >= minMs) return Math.round(divided);
    notes.push(`${name}: ${seconds(ms)} would last ${seconds(divided)} at this speed and lasts ${seconds(minMs)}, because ${why}.`);
    return minMs;
  };
  const claimWindowMs = bounded("The claim window", source.claimWindowMs, CLAIM_WINDOW_MIN_MS, "a call is heard of up to two seconds late");
  const holdMs = bounded("The hold", source.holdTtlMs, HOLD_MIN_MS, "the runtime takes no shorter one");
  const drawMs = source.beacon === null ? 0 : DRAW_WAIT_MS;
  const reserveMinMs = drawMs + RESERVE_WINDOWS_MIN * claimWindowMs;
  const keptMs = Math.max(0, ...source.lanes.map(({ untilMs }) => Math.max(reserveMinMs, untilMs / speed)));
  const stages: SourceStage[] = [];
  let dripMs = 0;
  for (const [index, { sharePercent, afterMs, drip }] of source.stages.entries()) {
    const before = source.stages[index - 1];
    const gap = before === undefined ? 0 : bounded(`The time before stage ${index + 1}`, afterMs - before.afterMs, Math.max(STAGE_GAP_MIN_MS + drawMs, dripMs), "the line needs some claim windows to come to rest, and a drip has to be out");
    const everyMs = drip === undefined ? 0 : bounded(`A step of the drip of stage ${index + 1}`, drip.everyMs, keptMs + DRIP_STEP_MIN_MS, "what it keeps for a lane has to be everyone's before the next");
    const kept = drip === undefined ? null : { everyMs, units: scaledStep(source, drip, units) };
    if (kept !== null && isEvened(source, units)) notes.push(`The drip of stage ${index + 1} brings ${kept.units} of an item at a time, a number of which every lane's share is whole: the steps of an edition of another size might keep another part for a lane.`);
    stages.push({ sharePercent, afterMs: (stages.at(-1)?.afterMs ?? 0) + gap, ...(kept === null ? {} : { drip: kept }) });
    // One more step than on the night: rounding may leave a unit for it in an edition of another size.
    dripMs = drip === undefined ? 0 : (stepsOf(portionsOf(source.stock, source.stages.map((stage) => stage.sharePercent))[index]?.values() ?? [], drip) + 1) * everyMs;
  }
  const lastStage = source.stages.at(-1)?.afterMs ?? 0;
  const tailMs = bounded("The time after the last stage", spanMs(source) - lastStage, dripMs + drawMs + tailWindows(abandonShare, units) * claimWindowMs, "everyone who is called and does not come costs a claim window");
  notes.push("The time to pay after ordering (five minutes) is the contract's and is not divided, so nobody in the rehearsal orders and then never pays.");
  notes.push("The Workers' crons run every minute of the machine's own time.");
  for (const { lane, untilMs } of source.lanes) bounded(`What is kept for ${lane}`, untilMs, reserveMinMs, "people of the lane have to be called first");
  notes.push(...replaced(source));
  return { speed, stages, closesAfterMs: (stages.at(-1)?.afterMs ?? 0) + tailMs, holdMs, claimWindowMs, reserveMinMs, notes };
}

/**
 * How many units a drip brings at a time in an edition of another size: in
 * proportion, so that it takes as many steps, and with lanes at least so many
 * that the steps keep the lanes' shares, without which no config is taken.
 */
function scaledStep(source: DropConfig["source"], drip: DripTerms, units: number): number {
  const { lanes, stock } = source;
  const factor = units / totalUnits(stock);
  // The parts of bundles keep their quantities, and would take more steps by less.
  const scaled = Math.max(1, Math.ceil(drip.units * (hasParts(source) ? Math.max(1, factor) : factor)));
  if (!isEvened(source, units)) return scaled;
  const even = evenUnits(lanes);
  return Math.ceil(scaled / even) * even;
}

/** Whether the drips of a rehearsal are split otherwise than on the night, where their steps were looked at already. */
function isEvened(source: DropConfig["source"], units: number): boolean {
  return source.lanes.length > 0 && (hasParts(source) || units !== totalUnits(source.stock));
}

function hasParts({ stock, items }: DropConfig["source"]): boolean {
  return stock.some(({ sku }) => !items.some((item) => item.sku === sku));
}

function totalUnits(stock: DropConfig["source"]["stock"]): number {
  return stock.reduce((sum, { quantity }) => sum + quantity, 0);
}

/** What the night will have and the rehearsal has not, or has in another form. */
function replaced({ gates, beacon, lanes }: DropConfig["source"]): string[] {
  return [
    ...(gates.turnstile === null ? [] : ["Turnstile is not asked: its widget lives on a network that a rehearsal does not touch."]),
    ...(beacon === null ? [] : ["The draw waits for a round of the sandbox's own chain in place of the beacon's: it is verified in the same way and proves nothing, because its key is no secret. Its nine to twelve seconds are not divided."]),
    ...(lanes.some(({ evidence }) => evidence.kind === "presence" && evidence.withinKm === null) ? ["Nobody scans a code at a pop-up, so that what is kept for those who are there falls to everyone at its time."] : []),
  ];
}

/**
 * How many claim windows the last units may take. A unit that is offered again
 * and again stays unsold for n windows with probability share ** n: enough
 * windows that not one unit in fifty such rehearsals is left.
 */
function tailWindows(abandonShare: number, units: number): number {
  if (abandonShare <= 0) return TAIL_WINDOWS_MIN;
  const share = Math.min(0.95, abandonShare);
  return Math.max(TAIL_WINDOWS_MIN, Math.ceil(Math.log(0.02 / Math.max(1, units)) / Math.log(share)));
}

function spanMs({ opensAt, closesAt }: DropConfig["source"]): number {
  const at = (moment: typeof opensAt) => ("at" in moment ? moment.at : moment.afterFirstSeenMs);
  return at(closesAt) - at(opensAt);
}

function seconds(ms: number): string {
  return `${Number((ms / 1_000).toPrecision(3))} s`;
}

/** What a drop's table in the config says, as far as it is changed here. */
type Table = Readonly<Record<string, unknown>>;

export interface RehearsedTerms {
  readonly compression: Compression;
  /** How long the crowd needs to come together, in milliseconds. */
  readonly lobbyMs: number;
  /** The edition's size in place of the config's; null leaves it. */
  readonly units: number | null;
  /** The `gates` of the table; null for none. */
  readonly gates: Readonly<Record<string, unknown>> | null;
}

/** The drop's own table with what the rehearsal changes in it; everything else stays as the creator wrote it. */
export function rehearsedTable(table: Table, { compression, lobbyMs, units, gates }: RehearsedTerms): Table {
  const { beacon, gates: _gates, lanes, ...kept } = table;
  return {
    ...kept,
    announceAt: "+0s",
    lobbyOpensAt: "+0s",
    opensAt: `+${lobbyMs}ms`,
    closesAt: `+${lobbyMs + compression.closesAfterMs}ms`,
    stages: compression.stages.map(({ sharePercent, afterMs, drip }) => ({ share: sharePercent, after: `${afterMs}ms`, ...(drip === undefined ? {} : { every: `${drip.everyMs}ms`, units: drip.units }) })),
    hold: `${compression.holdMs}ms`,
    lobby: { ...recordOf(table["lobby"]), claimWindow: `${compression.claimWindowMs}ms`, admit: "paced" },
    items: units === null ? table["items"] : scaledItems(listOf(table["items"]), units),
    ...(lanes === undefined ? {} : { lanes: listOf(lanes).map((lane) => ({ ...lane, until: `${Math.max(compression.reserveMinMs, Math.round(lengthOf(lane["until"]) / compression.speed))}ms` })) }),
    // A rehearsal asks nobody but this machine: the rounds come from its own chain.
    ...(beacon === undefined ? {} : { beacon: "sandbox" }),
    ...(gates === null ? {} : { gates }),
  };
}

/** The items of an edition of another size, in the same proportions: largest remainder. */
function scaledItems(items: readonly Table[], units: number): Table[] {
  const quantityOf = (item: Table) => (typeof item["quantity"] === "number" ? item["quantity"] : 0);
  const total = items.reduce((sum, item) => sum + quantityOf(item), 0);
  const exact = items.map((item) => (total === 0 ? 0 : (quantityOf(item) * units) / total));
  const rests = exact.map((share, index) => ({ index, rest: share - Math.floor(share) })).toSorted((a, b) => b.rest - a.rest || a.index - b.index);
  const missing = units - exact.reduce((sum, share) => sum + Math.floor(share), 0);
  const rounded = new Set(rests.slice(0, missing).map(({ index }) => index));
  return items.map((item, index) => (item["quantity"] === undefined ? item : { ...item, quantity: Math.max(1, Math.floor(exact[index] ?? 0) + (rounded.has(index) ? 1 : 0)) }));
}

function listOf(value: unknown): readonly Table[] {
  return Array.isArray(value) ? value.map(recordOf) : [];
}

function recordOf(value: unknown): Table {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
}

function lengthOf(value: unknown): number {
  return typeof value === "string" ? (durationFromText(value) ?? 0) : 0;
}
