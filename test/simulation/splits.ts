import { parseArgs } from "node:util";
import type { PlacedOrder } from "../../src/checkout/placed-order.ts";
import { apportion, currencyExponent } from "../../src/kernel/money.ts";
import { nodeHashing } from "../../src/kernel/node-hashing.ts";
import { assert } from "../../src/kernel/result.ts";
import { type RandomSource, seededRandom } from "../../src/rehearsal/random.ts";
import { transfersOf } from "../../src/settlement/ledger.ts";
import type { OrderEvent } from "../../src/settlement/order-event.ts";
import { reversedParts, type SplitRule, splitGoods } from "../../src/settlement/split.ts";
import { balanceOf, checkTransfers } from "./world/ledger-auditor.ts";

/*
 * node test/simulation/splits.ts --count 1000000 [--seed N]
 *
 * Splits random amounts by random rules and takes them back in random steps:
 * the parts sum to the amount, none is below zero, no remainder is lost, and
 * what is given back in any steps is, in the end, exactly what was had. One in a
 * hundred goes through the whole ledger, captured in parts and refunded in parts.
 */

const CURRENCIES = ["JPY", "KRW", "EUR", "USD", "KWD", "TND"];
const PARTIES = ["partner:kiosk-k", "creator:ana", "printer:bo", "label:night", "charity:sea"];
const LEDGERS_EVERY = 100;

export interface SplitFigures {
  readonly splits: number;
  readonly ledgers: number;
  readonly byDecimals: Readonly<Record<number, number>>;
  /** Amounts whose parts left a remainder to give away. */
  readonly withRemainder: number;
  readonly amountMinorMax: number;
}

export function proveSplits(count: number, seed: number): SplitFigures {
  const random = seededRandom(seed);
  const byDecimals: Record<number, number> = { 0: 0, 2: 0, 3: 0 };
  let ledgers = 0;
  let withRemainder = 0;
  let amountMinorMax = 0;
  for (let index = 0; index < count; index++) {
    const currency = random.pick(CURRENCIES);
    const rules = drawRules(random);
    const units = random.integer(1, 9);
    const amountMinor = drawAmount(random);
    const parts = splitGoods(rules, units, amountMinor);
    checkParts(rules, parts, amountMinor);
    if (parts.some((part) => amountMinor > 0 && part.amountMinor * parts.length !== amountMinor)) withRemainder += 1;
    checkReversal(parts.map((part) => part.amountMinor), amountMinor, random);
    checkApportionment(amountMinor, random);
    if (index % LEDGERS_EVERY === 0 && amountMinor > 0) {
      checkLedger(currency, rules, units, amountMinor, random);
      ledgers += 1;
    }
    const decimals = currencyExponent(currency);
    byDecimals[decimals] = (byDecimals[decimals] ?? 0) + 1;
    amountMinorMax = Math.max(amountMinorMax, amountMinor);
  }
  return { splits: count, ledgers, byDecimals, withRemainder, amountMinorMax };
}

/** Rules as a config may have them: each party once, fixed parts and percentages in any order, one remainder. */
function drawRules(random: RandomSource): SplitRule[] {
  const rules: SplitRule[] = [];
  let percentLeft = 100;
  for (const party of PARTIES.slice(0, random.integer(0, PARTIES.length))) {
    if (random.chance(0.3)) rules.push({ party, fixedMinor: random.pick([0, 1, 7, 300, 12_345]) });
    else {
      const percent = Math.min(percentLeft, random.pick([0.0001, 1, 3.3333, 12.5, 33.3333, 50, 99.9999]));
      percentLeft = Math.max(0, Math.round((percentLeft - percent) * 10_000) / 10_000);
      rules.push({ party, percent });
    }
  }
  rules.splice(random.integer(0, rules.length), 0, { party: "platform", remainder: true });
  return rules;
}

/** From nothing at all up to the largest safe amount, small ones most often: there the rounding bites. */
function drawAmount(random: RandomSource): number {
  return random.integer(0, random.pick([3, 100, 5_000, 100_000, 10_000_000, Number.MAX_SAFE_INTEGER]));
}

function checkParts(rules: readonly SplitRule[], parts: readonly { readonly party: string; readonly amountMinor: number }[], amountMinor: number): void {
  let sum = 0n;
  for (const part of parts) {
    assert(Number.isSafeInteger(part.amountMinor) && part.amountMinor >= 0, "no part is below nothing, and each is whole");
    sum += BigInt(part.amountMinor);
  }
  assert(sum === BigInt(amountMinor), "the parts sum to the amount");
  assert(parts.length === rules.length && parts.every((part, index) => part.party === rules[index]?.party), "each party has its part, in the order of the rules");
}

/** Taking back one part after the other takes from each party, in the end, exactly what it had; and on the way never more, never less than before. */
function checkReversal(shares: readonly number[], amountMinor: number, random: RandomSource): void {
  let before = shares.map(() => 0);
  for (const amount of [random.integer(0, amountMinor), amountMinor].toSorted((a, b) => a - b)) {
    const parts = reversedParts(shares, amount);
    assert(parts.reduce((sum, part) => sum + BigInt(part), 0n) === BigInt(amount), "what is taken back sums to what was asked for");
    for (const [index, part] of parts.entries()) assert(part >= (before[index] ?? 0) && part <= (shares[index] ?? 0), "a party gives back more with every step and never more than it had");
    before = parts;
  }
  assert(before.every((part, index) => part === shares[index]), "when all is taken back nobody keeps anything");
}

/** Largest remainder: nobody is further than one minor unit from the exact share. */
function checkApportionment(total: number, random: RandomSource): void {
  const weights = Array.from({ length: random.integer(1, 5) }, () => random.integer(0, 1_000));
  weights[0] = random.integer(1, 1_000);
  const sum = weights.reduce((all, weight) => all + weight, 0);
  const parts = apportion(total, weights);
  assert(parts.reduce((all, part) => all + BigInt(part), 0n) === BigInt(total), "an apportionment sums to its total");
  for (const [index, part] of parts.entries()) {
    const distance = BigInt(part) * BigInt(sum) - BigInt(total) * BigInt(weights[index] ?? 0);
    assert(part >= 0 && distance < BigInt(sum) && -distance < BigInt(sum), "a part is less than one minor unit from its share");
  }
}

/** One order through the ledger: authorised, captured in parts, refunded in parts. */
function checkLedger(currency: string, splits: readonly SplitRule[], units: number, amountMinor: number, random: RandomSource): void {
  const order: PlacedOrder = {
    id: "ord_1", drop: "moth-tee", dropTitle: "Moth tee", planHash: "", hold: "hld_1", entry: "", email: "", delivery: { method: "pickup", point: "kiosk-k", slot: null },
    region: null, locale: "de-DE", currency, lines: [{ sku: "TEE", title: "Tee", quantity: units, unitPriceMinor: 0, discountMinor: 0, totalMinor: amountMinor, taxMinor: 0 }],
    discountMinor: 0, totalMinor: amountMinor, tax: null, coupon: null, splits, capture: "on-fulfilment", placedAt: 0, payBy: 0, returnTo: "",
  };
  const rows: ReturnType<typeof transfersOf> = [];
  let at = 0;
  const happen = (event: OrderEvent) => rows.push(...transfersOf(order, rows, event, nodeHashing));
  happen({ kind: "authorised", at: at++, payment: "pi_1", amountMinor, captureBefore: null, isMulticapture: true });
  assert(balanceOf(rows).pendingMinor === amountMinor, "an authorisation is pending whole");
  const first = random.integer(1, amountMinor);
  const firstUnits = random.integer(1, units);
  happen({ kind: "captured", at: at++, payment: "pi_1", amountMinor: first, units: firstUnits, isFinal: first === amountMinor });
  if (first < amountMinor && random.chance(0.7)) happen({ kind: "captured", at: at++, payment: "pi_1", amountMinor: amountMinor - first, units: units - firstUnits, isFinal: true });
  else if (first < amountMinor) happen({ kind: "voided", at: at++, payment: "pi_1", by: "us" });
  const captured = balanceOf(rows).inMinor;
  assert(captured === first || captured === amountMinor, "what was captured is posted");
  assert(balanceOf(rows).pendingMinor === 0, "after the last capture nothing is pending");
  const back = random.integer(1, captured);
  happen({ kind: "refunded", at: at++, refund: "ref_1", amountMinor: back });
  if (back < captured) happen({ kind: "refunded", at: at++, refund: "ref_2", amountMinor: captured - back });
  assert(balanceOf(rows).outMinor === captured, "what was refunded whole is given back whole");
  checkTransfers(rows, order);
  for (const { party } of splits) {
    const of = (side: "credit" | "debit") => rows.reduce((sum, row) => (row.state === "posted" && row[side] === party ? sum + row.amountMinor : sum), 0);
    assert(of("credit") === of("debit"), "nobody keeps anything of an order that was refunded whole");
  }
}

function main(): void {
  const { values } = parseArgs({ options: { count: { type: "string" }, seed: { type: "string" } } });
  const count = Number(values.count ?? 1_000_000);
  const seed = Number(values.seed ?? 1);
  console.log(`seed ${seed}`);
  const startedAt = performance.now();
  const { splits, ledgers, byDecimals, withRemainder, amountMinorMax } = proveSplits(count, seed);
  const seconds = (performance.now() - startedAt) / 1_000;
  console.log(`${splits} splits in ${seconds.toFixed(1)} s: every sum exact, nothing below zero, no remainder lost`);
  console.log(`  with 0 decimals ${byDecimals[0]}, with 2 ${byDecimals[2]}, with 3 ${byDecimals[3]}; ${withRemainder} uneven; up to ${amountMinorMax} minor units; ${ledgers} through the whole ledger`);
}

if (import.meta.main) main();
