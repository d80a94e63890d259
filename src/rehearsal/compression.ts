import type { DropConfig } from "../config/store-config.ts";
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
/** After the last opening, whatever is left over is worth this many claim windows. */
const TAIL_WINDOWS_MIN = 12;

export interface Compression {
  readonly speed: number;
  /** Counted from the opening. */
  readonly stages: readonly { readonly sharePercent: number; readonly afterMs: number }[];
  readonly closesAfterMs: number;
  readonly holdMs: number;
  readonly claimWindowMs: number;
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
  const stages: { readonly sharePercent: number; readonly afterMs: number }[] = [];
  for (const [index, { sharePercent, afterMs }] of source.stages.entries()) {
    const before = source.stages[index - 1];
    const gap = before === undefined ? 0 : bounded(`The time before stage ${index + 1}`, afterMs - before.afterMs, STAGE_GAP_MIN_MS, "the line needs some claim windows to come to rest");
    stages.push({ sharePercent, afterMs: (stages.at(-1)?.afterMs ?? 0) + gap });
  }
  const lastStage = source.stages.at(-1)?.afterMs ?? 0;
  const tailMs = bounded("The time after the last stage", spanMs(source) - lastStage, tailWindows(abandonShare, units) * claimWindowMs, "everyone who is called and does not come costs a claim window");
  notes.push("The time to pay after ordering (five minutes) is the contract's and is not divided, so nobody in the rehearsal orders and then never pays.");
  notes.push("The Workers' crons run every minute of the machine's own time.");
  notes.push(...leftOut(source));
  return { speed, stages, closesAfterMs: (stages.at(-1)?.afterMs ?? 0) + tailMs, holdMs, claimWindowMs, notes };
}

/** What the night will have and the rehearsal does not. */
function leftOut({ gates, beacon, lanes }: DropConfig["source"]): string[] {
  return [
    ...(gates.turnstile === null ? [] : ["Turnstile is not asked: its widget lives on a network that a rehearsal does not touch."]),
    ...(beacon === null ? [] : ["The draw waits for no beacon, whose round is still to come: the committed secret alone decides."]),
    ...(lanes.some(({ evidence }) => evidence.kind === "invite") ? ["Nobody has an invitation, so that a share for the invited falls to everyone at its time."] : []),
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
  // A round of a beacon that is still to come cannot be waited for, and the announcement is now.
  const { beacon: _beacon, gates: _gates, lanes, ...kept } = table;
  return {
    ...kept,
    announceAt: "+0s",
    lobbyOpensAt: "+0s",
    opensAt: `+${lobbyMs}ms`,
    closesAt: `+${lobbyMs + compression.closesAfterMs}ms`,
    stages: compression.stages.map(({ sharePercent, afterMs }) => ({ share: sharePercent, after: `${afterMs}ms` })),
    hold: `${compression.holdMs}ms`,
    lobby: { ...recordOf(table["lobby"]), claimWindow: `${compression.claimWindowMs}ms`, admit: "paced" },
    items: units === null ? table["items"] : scaledItems(listOf(table["items"]), units),
    ...(lanes === undefined ? {} : { lanes: listOf(lanes).map((lane) => ({ ...lane, until: `${Math.max(compression.claimWindowMs, Math.round(lengthOf(lane["until"]) / compression.speed))}ms` })) }),
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
