import type { Hashing } from "../kernel/hashing.ts";
import { accepted, assert, rejected, type Result } from "../kernel/result.ts";
import { isServed } from "../lobby/draw.ts";
import { countOf, itemCount, itemsWithin, unitsOfLines } from "./counters.ts";
import { groupMaxOf, limitOf, peopleOf } from "./groups.ts";
import { factsOf, movementsOf } from "./hold-movements.ts";
import { unitsFor } from "./lanes.ts";
import { budgetsOf, isPressed, pressedHoldMs } from "./network-budgets.ts";
import type { Plan } from "./plan.ts";
import type { AbandonRejection, HoldCommand, HoldRejection, HoldView, Line } from "./port.ts";
import { nextStageAt, stageAt } from "./release.ts";
import { thresholdOf } from "./sittings.ts";
import { tillRetryAt } from "./till-breaker.ts";
import { type Decision, type DropFacts, type DropState, type HoldRow, type PricedLine, type SittingRow, unchanged } from "./state.ts";

/**
 * How many holds one sitting may have accepted. Nobody needs as many; somebody
 * who takes and gives back in a loop would fill the record.
 */
export const HOLDS_PER_SITTING_MAX = 40;
/** How many orders of one sitting may fail at the till: a second try is honest, and whoever tries out cards would go on. */
const FAILED_ORDERS_MAX = 2;
const NETWORK_RETRY_MS = 15_000;

type Held = Result<HoldView, HoldRejection>;

/**
 * Takes the units of all lines or of none. The id is the client's: a retry gets
 * the first hold, and another request under the same id is refused. Expiry of
 * what others hold was settled before, so that a unit which came back this very
 * millisecond can be had.
 */
export function decideHold(state: DropState, command: HoldCommand, now: number, hashing: Hashing): Decision<Held> {
  const facts = factsOf(state);
  const { plan } = facts;
  const fingerprint = fingerprintOf(command);
  const first = state.holds.get(command.id);
  if (first !== undefined) {
    const isRetry = first.entry === command.entry && first.fingerprint === fingerprint;
    return unchanged(isRetry ? accepted(holdView(first, plan)) : rejected({ code: "id_reused" }));
  }
  const sitting = state.sittings.get(command.sitting);
  // Several people who sit here together may have as much as each of them alone.
  const people = sitting === undefined ? groupMaxOf(plan) : peopleOf(sitting);
  const limit = limitOf(plan, people);
  const refusal = notOpen(facts, now) ?? lineRefusal(plan, command.lines, people);
  if (refusal !== null) return unchanged(rejected(refusal));
  if (sitting === undefined || sitting.entry !== command.entry) return unchanged(rejected({ code: "not_admitted" }));
  if (now >= sitting.expiresAt) return unchanged(rejected({ code: "pass_expired" }));
  if (!command.lines.every(({ sku }) => isServed(sitting.rank, thresholdOf(state, sku, sitting.lane)))) {
    return unchanged(rejected({ code: "not_admitted" }));
  }
  const replaced = replacedHold(state, command);
  if (replaced === "not_found") return unchanged(rejected({ code: "not_found" }));
  if (otherItems(state, sitting, replaced) + itemCount(command.lines) > limit || sitting.holds >= HOLDS_PER_SITTING_MAX) {
    return unchanged(rejected({ code: "limit_reached", limit }));
  }
  if (countOf(state.counters.failedBySitting, sitting.id) >= FAILED_ORDERS_MAX) {
    return unchanged(rejected({ code: "too_many_requests", retryAt: sitting.expiresAt }));
  }
  const shortage = shortageOf(state, plan, command.lines, { lane: sitting.lane, replaced, now });
  if (shortage !== null) return unchanged(rejected(shortage));
  const retryAt = networkRetryAt(state, plan, command.network, replaced, now) ?? tillRetryAt(state, command.network, now);
  if (retryAt !== null) return unchanged(rejected({ code: "too_many_requests", retryAt }));
  const holdMs = isPressed(plan, command.network, otherUnpaidHolds(state, command.network, replaced)) ? pressedHoldMs(plan) : plan.holdTtlMs;
  return acceptHold(plan, command, { sitting, replaced, fingerprint, holdMs, now, hashing });
}

/** What the ticket has beside the hold that goes back, and with it everything of the person, where it is known who that is. */
function otherItems({ counters }: DropState, { entry, person }: SittingRow, replaced: HoldRow | null): number {
  const ofEntry = countOf(counters.itemsByEntry, entry) - (replaced === null ? 0 : itemCount(replaced.lines));
  const ofPerson = person === null ? 0 : countOf(counters.itemsByPerson, person) - (replaced?.person === person ? itemCount(replaced.lines) : 0);
  return Math.max(ofEntry, ofPerson);
}

function acceptHold(
  plan: Plan,
  command: HoldCommand,
  { sitting, replaced, fingerprint, holdMs, now, hashing }: { sitting: SittingRow; replaced: HoldRow | null; fingerprint: string; holdMs: number; now: number; hashing: Hashing },
): Decision<Held> {
  // The first accepted hold fixes the end for all holds of the sitting: editing
  // a cart again and again never buys time, and a crowd that comes to the same
  // network later takes none away.
  const expiresAt = sitting.heldAt === null ? now + holdMs : sitting.expiresAt;
  const stage = stageAt(plan, now);
  assert(stage !== null, "units are held only while a stage is open");
  const hold: HoldRow = {
    id: command.id, sitting: sitting.id, entry: command.entry, lane: sitting.lane, stage, network: command.network, state: "held",
    lines: command.lines.map((line): PricedLine => ({ sku: line.sku, quantity: line.quantity, unitPriceMinor: priceOf(plan, line.sku) })),
    units: unitsOfLines(plan, command.lines), fingerprint, heldAt: now, expiresAt,
    order: null, person: sitting.person, coupon: null, payBy: null, tillClosed: false, returned: [], returnedItems: 0,
  };
  const givenBack = replaced === null ? [] : movementsOf("abandon", replaced, plan, now, hashing);
  return {
    outcome: accepted(holdView(hold, plan)),
    changes: {
      movements: [...givenBack, ...movementsOf("hold", hold, plan, now, hashing)],
      holds: [...(replaced === null ? [] : [{ ...replaced, state: "abandoned" as const }]), hold],
      sittings: [{ ...sitting, expiresAt, heldAt: sitting.heldAt ?? now, holds: sitting.holds + 1 }],
    },
  };
}

/** Gives a hold up. Doing it again, or after the clock did it, is the same answer. */
export function decideAbandon(state: DropState, id: string, entry: string, now: number, hashing: Hashing): Decision<Result<HoldView, AbandonRejection>> {
  const { plan } = factsOf(state);
  const hold = state.holds.get(id);
  if (hold === undefined || hold.entry !== entry) return unchanged(rejected({ code: "not_found" }));
  if (hold.state === "placed" || hold.state === "sold") return unchanged(rejected({ code: "order_placed" }));
  if (hold.state !== "held") return unchanged(accepted(holdView(hold, plan)));
  const abandoned: HoldRow = { ...hold, state: "abandoned" };
  return { outcome: accepted(holdView(abandoned, plan)), changes: { movements: movementsOf("abandon", hold, plan, now, hashing), holds: [abandoned] } };
}

/** A hold as its owner sees it; nobody else learns that it exists. */
export function holdFor(state: DropState, id: string, entry: string): HoldView | null {
  const hold = state.holds.get(id);
  if (state.facts === null || hold === undefined || hold.entry !== entry) return null;
  return holdView(hold, state.facts.plan);
}

function holdView(hold: HoldRow, plan: Plan): HoldView {
  const lines = hold.lines.map((line) => ({ ...line, totalMinor: line.quantity * line.unitPriceMinor }));
  const totalMinor = lines.reduce((sum, line) => sum + line.totalMinor, 0);
  return { id: hold.id, state: hold.state, lines, totalMinor, currency: plan.currency, expiresAt: hold.expiresAt, order: hold.order };
}

/** What a retry has in common with its first try. The sitting may differ: the answer belongs to the id. */
function fingerprintOf({ lines, replaces }: HoldCommand): string {
  return JSON.stringify([lines.map(({ sku, quantity }) => [sku, quantity]), replaces]);
}

function notOpen({ plan, cancelled, paused }: DropFacts, now: number): HoldRejection | null {
  if (cancelled || now >= plan.closesAt) return { code: "drop_closed" };
  if (now < plan.opensAt) return { code: "drop_not_open", opensAt: plan.opensAt };
  return paused ? { code: "drop_paused" } : null;
}

function lineRefusal(plan: Plan, lines: readonly Line[], people: number): HoldRejection | null {
  const max = limitOf(plan, people);
  const together = people === 1 ? {} : { people };
  for (const [index, { sku, quantity }] of lines.entries()) {
    if (!plan.items.some((item) => item.sku === sku)) return { code: "unknown_sku", pointer: `/lines/${index}/sku` };
    if (!Number.isSafeInteger(quantity) || quantity < 1 || quantity > max) return { code: "quantity_not_allowed", pointer: `/lines/${index}/quantity`, max, ...together };
  }
  const isAllowed = lines.length > 0 && itemCount(lines) <= max;
  return isAllowed ? null : { code: "quantity_not_allowed", pointer: "/lines", max, ...together };
}

/** The hold that goes back in the same breath; null where nothing is held any more, for an old hold never blocks its owner. */
function replacedHold(state: DropState, command: HoldCommand): HoldRow | null | "not_found" {
  if (command.replaces === null) return null;
  const hold = state.holds.get(command.replaces);
  if (hold === undefined || hold.entry !== command.entry || hold.state === "placed" || hold.state === "sold") return "not_found";
  return hold.state === "held" ? hold : null;
}

/** What the sitting's lane could have instead is said where it cannot have all: what is kept for others is not there for it. */
function shortageOf(state: DropState, plan: Plan, lines: readonly Line[], { lane, replaced, now }: { readonly lane: string; readonly replaced: HoldRow | null; readonly now: number }): HoldRejection | null {
  const free = (sku: string) => unitsFor(state, plan, sku, lane, now, replaced);
  const short = unitsOfLines(plan, lines).find(({ sku, quantity }) => quantity > free(sku));
  if (short === undefined) return null;
  const item = plan.items.find(({ sku, components }) => lines.some((line) => line.sku === sku) && components.some((part) => part.sku === short.sku));
  assert(item !== undefined, "what is short is a component of something wanted");
  return { code: "sold_out", sku: item.sku, available: itemsWithin(item, free), nextStageAt: nextStageAt(plan, now) };
}

/**
 * When a network may ask again that has as many unpaid holds as it may; null
 * where there is room for one more. When one of them ends is their owners'
 * affair, so that this names a moment to try and not a promise.
 */
function networkRetryAt(state: DropState, plan: Plan, network: string, replaced: HoldRow | null, now: number): number | null {
  const others = otherUnpaidHolds(state, network, replaced);
  return others < budgetsOf(plan, network).unpaidHolds ? null : now + NETWORK_RETRY_MS;
}

/** What a network holds unpaid beside the hold that goes back. */
function otherUnpaidHolds({ counters }: DropState, network: string, replaced: HoldRow | null): number {
  return countOf(counters.unpaidByNetwork, network) - (replaced?.network === network ? 1 : 0);
}

function priceOf(plan: Plan, sku: string): number {
  const item = plan.items.find((candidate) => candidate.sku === sku);
  assert(item !== undefined, "a held line is an item of the plan");
  return item.priceMinor;
}
