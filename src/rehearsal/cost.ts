import type { NightFacts } from "./facts.ts";
import type { Table } from "./table.ts";

/*
 * What the night itself would cost on Cloudflare: an estimate from what was
 * counted here. What somebody does (joins, claims, holds, orders, pays) happens
 * as often on the night and is taken as counted. What happens because time goes
 * by (pages that look again, the state that is read once a second, crons,
 * objects that are awake) is worked out for the night's own hours: every minute
 * of the rehearsal is stretched to the length that its part of the night has,
 * and never multiplied by the speed as a whole, of which some parts took less.
 */

interface Price {
  /** In a month of the Workers Paid plan, which costs 5 dollars. */
  readonly included: number;
  /** US dollars for a million beyond that. */
  readonly perMillion: number;
}

/**
 * As https://developers.cloudflare.com/workers/platform/pricing/ and
 * https://developers.cloudflare.com/durable-objects/platform/pricing/ said when
 * they were looked up on 2026-11-22. Messages that a browser sends over a socket
 * count as a twentieth of an object's request, messages to it as nothing; the
 * pages send none.
 */
const PRICES = {
  requests: { included: 10_000_000, perMillion: 0.3 },
  cpuMs: { included: 30_000_000, perMillion: 0.02 },
  objectRequests: { included: 1_000_000, perMillion: 0.15 },
  objectGigabyteSeconds: { included: 400_000, perMillion: 12.5 },
  rowsWritten: { included: 50_000_000, perMillion: 1 },
  rowsRead: { included: 25_000_000_000, perMillion: 0.001 },
} satisfies Record<string, Price>;

/** Every object is billed as if it had this much memory, for as long as it cannot sleep. */
const GIGABYTES_AN_OBJECT = 0.128;
/** The page reads the state so often beside its socket, and without script looks again so often. */
const HEARTBEAT_MS = 15_000;
const LOOK_AGAIN_MS = 10_000;
/** In so many of the edge's locations somebody waits: each asks a lobby shard for the state at most once a second. */
const LOCATIONS = 20;
/** The cron of the storefront and that of settlement, every minute. */
const CRONS = 2;
/** For so long after the close the objects are still asked now and then. */
const AFTERMATH_MS = 3_600_000;
/** Well above what any of the calls writes: rows of tickets, uses, codes, holds, sittings, orders, the outbox, with their indexes. */
const ROWS_WRITTEN_A_CALL_MAX = 8;
/** What is decided is in memory; tables are read at a start and where a list is asked for. */
const ROWS_READ_A_CALL_MAX = 100;
/** Ten times what a request takes at the bench, signatures included. */
const CPU_MS_A_REQUEST_MAX = 5;

/** Routes that no store answers, or that only a rehearsal asks for. */
const NOT_OF_THE_STORE = ["GET mail", "GET pay page", "POST pay page", "sandbox", "sandbox books", "desk", "GET record", "GET drop"];
/** Asked because time goes by: worked out for the night and not taken as counted. */
const BY_TIME = ["GET live", "forms: GET line/place"];
const CALLS_BY_TIME = ["live", "snapshot"];

export interface CostItem {
  readonly what: keyof typeof PRICES;
  readonly name: string;
  readonly quantity: number;
  readonly how: string;
  /** At the list price, as if a month included nothing. */
  readonly dollars: number;
}

export interface Cost {
  readonly items: readonly CostItem[];
  /** At the list price, as if a month included nothing. */
  readonly dollars: number;
  /** What is left to pay beside the plan's 5 dollars when nothing else uses the account in that month. */
  readonly dollarsBeyond: number;
}

/** What the night costs by what was counted in its rehearsal. */
export function costOf(night: NightFacts): Cost {
  const { terms, calls, routes, shoppers } = night;
  const spanMs = terms.realLobbyMs + terms.realSaleMs;
  const waits = waitedMs(night);
  const ofStore = routes.filter(({ route }) => !NOT_OF_THE_STORE.includes(route));
  const done = sum(ofStore.filter(({ route }) => !BY_TIME.includes(route)).map(({ requests }) => requests));
  const pages = shoppers.filter(({ entry, way, class: ofClass }) => entry !== null && way !== "forms" && (ofClass === "people" || way === "browser")).length;
  const [heartbeats, looks, crons] = [waits.script / HEARTBEAT_MS, waits.forms / LOOK_AGAIN_MS, ((spanMs + AFTERMATH_MS) / 60_000) * CRONS];
  const requests = done + pages + heartbeats + looks + crons;
  const called = sum(calls.filter(({ call }) => !CALLS_BY_TIME.includes(call)).map((one) => one.calls));
  const readings = (spanMs / 1_000) * (LOCATIONS + 1);
  const objects = terms.shards + 1;
  const awakeSeconds = ((spanMs + AFTERMATH_MS) / 1_000) * objects;
  const quantities: readonly (readonly [what: keyof typeof PRICES, name: string, quantity: number, how: string])[] = [
    ["requests", "requests to Workers", requests, `${whole(done)} counted here; ${whole(pages)} sockets; pages that look again while somebody waits: ${whole(heartbeats)} every ${HEARTBEAT_MS / 1_000} s with script, ${whole(looks)} every ${LOOK_AGAIN_MS / 1_000} s without; ${whole(crons)} crons`],
    ["cpuMs", "milliseconds of processor", requests * CPU_MS_A_REQUEST_MAX, `at most ${CPU_MS_A_REQUEST_MAX} ms a request`],
    ["objectRequests", "requests to objects", called + pages + readings, `${whole(called)} calls counted here; ${whole(pages)} sockets, over which pages send nothing and what they are sent is free; ${whole(readings)} readings of the state, at most one a second from each of ${LOCATIONS} places and one between the objects`],
    ["objectGigabyteSeconds", "GB-seconds of objects", awakeSeconds * GIGABYTES_AN_OBJECT, `${objects} objects, awake all the time until an hour after the close, which is more than they are`],
    ["rowsWritten", "rows written by objects", called * ROWS_WRITTEN_A_CALL_MAX, `at most ${ROWS_WRITTEN_A_CALL_MAX} for every counted call`],
    ["rowsRead", "rows read by objects", called * ROWS_READ_A_CALL_MAX, `at most ${ROWS_READ_A_CALL_MAX} for every counted call`],
  ];
  const items = quantities.map(([what, name, quantity, how]): CostItem => ({ what, name, quantity, how, dollars: dollarsOf(quantity, PRICES[what]) }));
  return { items, dollars: sum(items.map(({ dollars }) => dollars)), dollarsBeyond: sum(items.map(({ what, quantity }) => dollarsOf(Math.max(0, quantity - PRICES[what].included), PRICES[what]))) };
}

/**
 * For how long everybody with a ticket waits on the night, in milliseconds:
 * until they are called, or else until the last unit is sold. Bots read nothing
 * while they wait: they work their place out of what one of them reads.
 */
function waitedMs(night: NightFacts): { readonly script: number; readonly forms: number } {
  const lastSale = Math.max(night.opensAt, ...night.rows.filter(({ kind }) => kind === "sell").map(({ at }) => at));
  const waits = { script: 0, forms: 0 };
  for (const { way, class: ofClass, joinedAt, calledAt } of night.shoppers) {
    if (joinedAt === null || (ofClass === "bots" && way === "script")) continue;
    const until = realAt(night, calledAt ?? lastSale);
    waits[way === "forms" ? "forms" : "script"] += Math.max(0, until - realAt(night, joinedAt));
  }
  return waits;
}

/** The time of the night (milliseconds from its opening) that a moment of the rehearsal stands for. */
export function realAt({ opensAt, closesAt, terms }: Pick<NightFacts, "opensAt" | "closesAt" | "terms">, at: number): number {
  const here = [-terms.lobbyMs, ...terms.compression.stages.map(({ afterMs }) => afterMs), closesAt - opensAt];
  const there = [-terms.realLobbyMs, ...terms.realStages, terms.realSaleMs];
  const time = Math.min(closesAt - opensAt, Math.max(-terms.lobbyMs, at - opensAt));
  for (let part = 1; part < Math.min(here.length, there.length); part++) {
    const [from = 0, to = 0, realFrom = 0, realTo = 0] = [here[part - 1], here[part], there[part - 1], there[part]];
    if (time <= to && to > from) return realFrom + ((time - from) / (to - from)) * (realTo - realFrom);
  }
  return terms.realSaleMs;
}

export function costTable(night: NightFacts): Table {
  const cost = costOf(night);
  return {
    title: "What the night would cost on Cloudflare, estimated", columns: ["what", "on the night", "a month includes", "at the list price", "how it is worked out"],
    rows: [
      ...cost.items.map(({ what, name, quantity, how, dollars }) => [name, whole(quantity), whole(PRICES[what].included), dollarText(dollars), how]),
      ["in all", "–", "–", dollarText(cost.dollars), `as if nothing were included; beyond what a month of the plan includes ($5, when nothing else uses it): ${dollarText(cost.dollarsBeyond)}`],
    ],
    note: "An estimate, and on the high side. What people do is taken as counted here, with the bots and the side doors that they try; what goes by the clock is worked out for the night's own hours, each part of the rehearsal stretched to the length that it has on the night. Not in it: the orders' database and queues (some dozens of rows and a dozen messages an order), storage, files of the page (free), lost connections that are opened again, visitors who only look, mails, the payment provider's fees, and Turnstile.",
  };
}

function dollarsOf(quantity: number, { perMillion }: Price): number {
  return (quantity / 1_000_000) * perMillion;
}

function dollarText(dollars: number): string {
  return dollars > 0 && dollars < 0.01 ? "< $0.01" : `$${dollars.toFixed(2)}`;
}

function whole(value: number): string {
  return Math.round(value).toLocaleString("en");
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
