import * as v from "valibot";
import type { LedgerFact, NightFacts, PaymentFact, RecordRow } from "../../rehearsal/facts.ts";
import { readDrop } from "../../verifier/reading.ts";
import { NO_QUESTIONS, verifyDrop, type Material } from "../../verifier/verify.ts";
import { findingTexts, verdictText } from "../../verifier/words.ts";
import { ownHashing } from "../../verifier/sha256.ts";
import type { HttpClient } from "./http-client.ts";
import type { Addresses } from "./serving.ts";
import { wait } from "./visitor.ts";

/* What is left after a night: the public record, the desk's orders and ledger, and the provider's own books. */

const ROW = v.looseObject({ seq: v.number(), kind: v.string(), at: v.string(), sku: v.optional(v.string(), ""), quantity: v.optional(v.number(), 0), subject: v.optional(v.string(), ""), ref: v.optional(v.string(), ""), lane: v.optional(v.string(), ""), stage: v.optional(v.number(), 0), upTo: v.optional(v.string(), "") });
const HEAD = v.looseObject({ head: v.looseObject({ seq: v.number(), hash: v.string() }), signature: v.string() });
const ORDERS = v.looseObject({ orders: v.array(v.looseObject({ id: v.string(), state: v.string(), payment: v.looseObject({ state: v.string() }) })), next: v.nullish(v.string()) });
const TRANSFERS = v.looseObject({ transfers: v.array(v.looseObject({ id: v.string(), debit: v.string(), credit: v.string(), amountMinor: v.number(), state: v.string(), pendingId: v.optional(v.nullable(v.string())) })) });
const BOOKS = v.looseObject({
  paymentIntents: v.array(v.looseObject({
    client_reference_id: v.nullable(v.string()), amount_authorised: v.number(), amount_capturable: v.number(), amount_received: v.number(), amount_refunded: v.number(),
  })),
});

const PLAN = v.looseObject({ kind: v.literal("plan"), items: v.array(v.looseObject({ sku: v.string(), stages: v.array(v.looseObject({ opensAt: v.string(), units: v.number() })) })), lanes: v.optional(v.array(v.looseObject({ lane: v.string(), untilMs: v.number() })), []) });

const ANSWERED_WITHIN_MS = 30_000;
const SETTLED_WITHIN_MS = 150_000;
/** An order that nobody paid for keeps the books open until its five minutes and the half one after them are over. */
const CLOSED_WITHIN_MS = 7 * 60_000;
const TELL_EVERY_MS = 20_000;
/** A payment that is under way: whoever looks at the books now would compare two moments. */
const UNSETTLED = ["placed", "confirming"];
const LEDGERS_AT_ONCE = 8;

interface Way {
  readonly http: HttpClient;
  readonly addresses: Addresses;
  readonly drop: string;
}

export type Evidence = Pick<NightFacts, "rows" | "stock" | "head" | "payments" | "ledger" | "verifier"> & {
  readonly seed: string | null;
  /** By lane: for how long after each opening its part is kept, as the record's own plan states it. */
  readonly keptMs: Readonly<Record<string, number>>;
};

/** Waits until the drop has closed in its record and no order waits for anything, and reads everything. */
export async function gatherEvidence(way: Way, tell: (line: string) => void): Promise<Evidence> {
  const material = await closedRecord(way, tell);
  const orders = await settledOrders(way, tell);
  const lines = material.pages.flatMap((page) => page.split("\n")).filter((line) => line !== "").map((line): unknown => JSON.parse(line));
  const report = verifyDrop(material, NO_QUESTIONS, { hashing: ownHashing, progress: () => undefined });
  return {
    rows: lines.flatMap((line) => rowOf(line)),
    ...planOf(lines),
    head: headText(lines),
    seed: seedOf(lines),
    payments: await paymentsOf(way),
    ledger: await ledgersOf(way, orders),
    verifier: { isRight: report.verdict === "right", sentence: verdictText(report), findings: [...findingTexts(report), ...report.unchecked] },
  };
}

async function closedRecord({ http, addresses, drop }: Way, tell: (line: string) => void): Promise<Material> {
  const get = async (path: string) => {
    const { status, text } = await http.ask({ route: "GET record", method: "GET", url: `${addresses.store}${path}` });
    return { status, text };
  };
  const until = Date.now() + CLOSED_WITHIN_MS;
  for (let tellAt = 0; ; await wait(2_000)) {
    const material = await readDrop(drop, { get, wait, progress: () => undefined });
    const isClosed = material.pages.some((page) => page.includes('"kind":"close"'));
    if (isClosed || Date.now() > until) return material;
    if (Date.now() < tellAt) continue;
    tell("the drop's record is not closed yet: an order that was not paid for keeps it open for five and a half minutes");
    tellAt = Date.now() + TELL_EVERY_MS;
  }
}

async function settledOrders(way: Way, tell: (line: string) => void): Promise<readonly { readonly id: string; readonly state: string }[]> {
  for (const until = Date.now() + SETTLED_WITHIN_MS; ; await wait(2_000)) {
    const orders = await ordersOf(way);
    const open = orders.filter(({ state, payment }) => UNSETTLED.includes(state) || (state === "confirmed" && payment.state === "pending"));
    if (open.length === 0 || Date.now() > until) return orders;
    tell(`${open.length} of ${orders.length} orders are not settled yet`);
  }
}

async function ordersOf({ http, addresses, drop }: Way): Promise<v.InferOutput<typeof ORDERS>["orders"]> {
  const orders: v.InferOutput<typeof ORDERS>["orders"] = [];
  for (let cursor = ""; ;) {
    const url = `${addresses.desk}/desk/api/orders?drop=${drop}&limit=100${cursor}`;
    const page = v.parse(ORDERS, JSON.parse(await answered(http, { route: "desk", method: "GET", url, headers: { authorization: `Bearer ${addresses.deskKey}` } })));
    orders.push(...page.orders);
    if (page.next == null) return orders;
    cursor = `&cursor=${encodeURIComponent(page.next)}`;
  }
}

async function paymentsOf({ http, addresses }: Way): Promise<PaymentFact[]> {
  const books = await answered(http, { route: "sandbox books", method: "GET", url: `${addresses.sandbox}/sandbox/books` });
  return v.parse(BOOKS, JSON.parse(books)).paymentIntents.map((intent) => ({
    order: intent.client_reference_id, authorisedMinor: intent.amount_authorised, capturableMinor: intent.amount_capturable,
    receivedMinor: intent.amount_received, refundedMinor: intent.amount_refunded,
  }));
}

/** The text of an answer, asked for again while the store is busy or has just come back: a night's report must not be lost to one refusal. */
async function answered(http: Way["http"], asked: Parameters<Way["http"]["ask"]>[0]): Promise<string> {
  for (const until = Date.now() + ANSWERED_WITHIN_MS; ; await wait(1_000)) {
    const reply = await http.ask(asked);
    if (reply.status === 200) return reply.text;
    if (Date.now() > until) throw new Error(`${asked.route} answered ${reply.status} for half a minute: ${reply.text.slice(0, 200)}`);
  }
}

async function ledgersOf(way: Way, orders: readonly { readonly id: string; readonly state: string }[]): Promise<LedgerFact[]> {
  const facts: LedgerFact[] = [];
  const waiting = orders.values();
  await Promise.all(Array.from({ length: LEDGERS_AT_ONCE }, async () => {
    for (const order of waiting) facts.push(await ledgerOf(way, order));
  }));
  return facts;
}

/** What an order's transfers leave: towards the provider's account is back to the buyer. */
async function ledgerOf({ http, addresses }: Way, { id, state }: { readonly id: string; readonly state: string }): Promise<LedgerFact> {
  const url = `${addresses.desk}/desk/api/ledger/transfers?order=${id}`;
  const { transfers } = v.parse(TRANSFERS, JSON.parse(await answered(http, { route: "desk", method: "GET", url, headers: { authorization: `Bearer ${addresses.deskKey}` } })));
  const resolved = new Set(transfers.flatMap(({ pendingId }) => pendingId ?? []));
  let [postedMinor, pendingMinor] = [0, 0];
  for (const { id: transfer, credit, amountMinor, state: its } of transfers) {
    const amount = credit.startsWith("provider:") ? -amountMinor : amountMinor;
    if (its === "posted") postedMinor += amount;
    if (its === "pending" && !resolved.has(transfer)) pendingMinor += amount;
  }
  return { order: id, state, postedMinor, pendingMinor };
}

function rowOf(line: unknown): RecordRow[] {
  const row = v.safeParse(ROW, line);
  if (!row.success) return [];
  const { at, seq, kind, sku, quantity, subject, ref, lane, stage, upTo } = row.output;
  return [{ seq, kind, at: Date.parse(at), sku, quantity, subject, ref, lane, stage, upTo }];
}

/** The stock and the lanes as the record's own plan states them. */
function planOf(lines: readonly unknown[]): Pick<Evidence, "stock" | "keptMs"> {
  const plan = v.safeParse(PLAN, lines[0]);
  if (!plan.success) return { stock: [], keptMs: {} };
  const { items, lanes } = plan.output;
  return {
    stock: items.map(({ sku, stages }) => ({ sku, units: stages.reduce((sum, { units }) => sum + units, 0), stages: stages.map(({ opensAt, units }) => ({ opensAt: Date.parse(opensAt), units })) })),
    keptMs: Object.fromEntries(lanes.map(({ lane, untilMs }) => [lane, untilMs])),
  };
}

function headText(lines: readonly unknown[]): string {
  const heads = lines.flatMap((line) => (v.is(HEAD, line) ? [line] : []));
  const last = heads.at(-1);
  return last === undefined ? "none" : `row ${last.head.seq}, ${last.head.hash}, signed ${last.signature}`;
}

function seedOf(lines: readonly unknown[]): string | null {
  for (const line of lines) {
    const draw = v.safeParse(v.looseObject({ kind: v.literal("draw"), seed: v.string() }), line);
    if (draw.success) return draw.output.seed;
  }
  return null;
}
