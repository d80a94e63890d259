import { BURDEN } from "./burden-bugs.ts";
import { DOOR } from "./door-bugs.ts";
import { GROUPS } from "./group-bugs.ts";
import { REHEARSAL } from "./rehearsal-bugs.ts";
import { RELEASE } from "./release-bugs.ts";
import { RESALE } from "./resale-bugs.ts";
import { VERIFIER } from "./verifier-bugs.ts";

/** One change of a shipped file. `find` occurs in it exactly once. */
export interface Edit {
  readonly file: string;
  readonly find: string;
  readonly put: string;
}

/** A mistake that somebody could make tomorrow, and what would come of it. */
export interface PlantedBug {
  readonly name: string;
  readonly breaks: string;
  readonly edits: readonly Edit[];
  /**
   * The unit tests that catch it, where the simulator would need thousands of
   * worlds: it is then not asked.
   */
  readonly unitTests?: string;
  /** Whether it is in the short list that every test run plants. */
  readonly isSample?: true;
}

const edit = (file: string, find: string, put: string): Edit => ({ file, find, put });

const STOCK: readonly PlantedBug[] = [
  {
    name: "stock guard removed", isSample: true,
    breaks: "A hold takes units that are not there; nothing but the last check before the write stands in its way.",
    edits: [edit("src/drop/holds.ts", "if (shortage !== null) return", "if (shortage !== null && now < 0) return")],
  },
  {
    name: "stock guard and its assertion removed",
    breaks: "More is held and sold than was released.",
    edits: [
      edit("src/drop/holds.ts", "if (shortage !== null) return", "if (shortage !== null && now < 0) return"),
      edit("src/drop/counters.ts", 'assert(taken <= releasedUnits(stockUnit(plan, movement.sku), now), "held + sold is at most what is released");', "void taken;"),
    ],
  },
  {
    name: "expiry a millisecond late (<= to <)",
    breaks: "What ends in this very millisecond is kept.",
    edits: [edit("src/drop/timetable.ts", "entry.at > now) continue", "entry.at >= now) continue")],
  },
  {
    name: "expiry judged by the alarm",
    breaks: "A hold that ran out still counts until somebody wakes the object.",
    edits: [
      edit("src/drop/drop-book.ts", "    this.settle(now);\n    const { outcome, changes }", "    const { outcome, changes }"),
      edit("src/drop/drop-book.ts", "    // A last seal makes the draw due in the same instant.\n    this.settle(now);", "    if (changes === null) this.settle(now);"),
    ],
  },
  {
    name: "goods go back when the till closes",
    breaks: "The units of an unpaid order are sold to somebody else while its payment page still takes money.",
    edits: [edit("src/drop/due-time.ts", "TILL_TO_SHELF_MS = 30_000", "TILL_TO_SHELF_MS = 0")],
  },
  {
    name: "time follows a clock that was put back",
    breaks: "Rows of the record are dated before the rows that they follow.",
    edits: [edit("src/drop/drop-book.ts", "return Math.max(clock, this.state.tail.at, this.state.facts?.openedAt ?? 0)", "return clock")],
  },
  {
    name: "an opening is forgotten by a clock that was put back",
    breaks: "A stage that people were told is open can be put off, and people join before an opening whose line is sealed.",
    unitTests: "test/unit/drop/line.test.ts",
    edits: [edit("src/drop/drop-book.ts", "this.state.tail.at, this.state.facts?.openedAt ?? 0", "this.state.tail.at")],
  },
  {
    name: "a swapped hold is not given back",
    breaks: "Units of a hold that was replaced stay taken for ever.",
    edits: [edit("src/drop/holds.ts", "const givenBack = replaced === null ? [] : movementsOf", "const givenBack = replaced !== null || now > 0 ? [] : movementsOf")],
  },
  {
    name: "a retry of a hold makes another",
    breaks: "A shopper whose answer was lost holds twice, or is refused.",
    edits: [edit("src/drop/holds.ts", "if (first !== undefined) {", "if (first !== undefined && first.heldAt === now) {")],
  },
  {
    name: "a retry of an order is refused",
    breaks: "A shopper whose answer was lost never learns of the order.",
    edits: [edit("src/drop/orders.ts", "if (first !== undefined) return unchanged(first.fingerprint", "if (first !== undefined && first.hold !== holdId) return unchanged(first.fingerprint")],
  },
  {
    name: "limit counted per hold", isSample: true,
    breaks: "Two holds of one sitting take twice what a person may have.",
    edits: [edit("src/drop/holds.ts", "if (otherItems(state, sitting, replaced) + itemCount(command.lines) > limit", "if (itemCount(command.lines) > limit")],
  },
  {
    name: "network budget off by one",
    breaks: "A network has one unpaid hold more than the plan allows it.",
    edits: [edit("src/drop/holds.ts", "return others < budgetsOf(plan, network).unpaidHolds ? null", "return others <= budgetsOf(plan, network).unpaidHolds ? null")],
  },
  {
    name: "limit per person not counted at the order",
    breaks: "With a second ticket one e-mail address buys more than a person may have.",
    edits: [edit("src/drop/orders.ts", "countOf(state.counters.itemsByPerson, command.person) - ownItems + itemCount(hold.lines) > limit", "itemCount(hold.lines) > limit")],
  },
  {
    name: "late money over the limit of a person",
    breaks: "Whoever ordered again while the first payment was late gets both.",
    edits: [edit("src/drop/payments.ts", "if (hold.person !== null && countOf(state.counters.itemsByPerson, hold.person) + items > limit) return false;", "")],
  },
  {
    name: "late money takes what is gone",
    breaks: "A payment that came after the goods went back is sold units that others have.",
    edits: [edit("src/drop/payments.ts", "if (hold.units.some(({ sku, quantity }) => quantity > unitsFor(state, plan, sku, hold.lane, now))) return false;", "")],
  },
  {
    name: "editing a cart buys time",
    breaks: "Somebody who changes the cart again and again keeps the units for ever.",
    edits: [edit("src/drop/holds.ts", "sitting.heldAt === null ? now + holdMs : sitting.expiresAt", "now + holdMs")],
  },
  {
    name: "an open stage is put off",
    breaks: "Units that were released are taken back.",
    edits: [edit("src/drop/controls.ts", "addedMs < 0 || opensAt <= now ||", "addedMs < 0 ||")],
  },
  {
    name: "a changed plan splits an open stage again", isSample: true,
    breaks: "What was released and promised of a stage that is open changes under those who buy from it.",
    edits: [
      edit("src/drop/changed-stages.ts", "if (before !== undefined && openingOf(before) <= now) return before;", "if (before !== undefined && openingOf(before) < 0) return before;"),
      edit("src/drop/changed-stages.ts", "planned.filter((stage) => openingOf(stage) <= now)", "planned.filter((stage) => openingOf(stage) < 0 && now > 0)"),
    ],
  },
  {
    name: "a changed plan has fewer units than are taken",
    breaks: "Units that people hold or have bought are not in the plan any more.",
    edits: [
      edit("src/drop/changed-stages.ts", "if (quantity < taken) return", "if (quantity < 0 * taken) return"),
      edit("src/drop/changed-stages.ts", "if (quantity < begun) return", "if (quantity < 0 * begun) return"),
      edit("src/drop/changed-stages.ts", "const rest = quantity - open.reduce((sum, units) => sum + units, 0);", "const rest = Math.max(0, quantity - open.reduce((sum, units) => sum + units, 0));"),
    ],
  },
  {
    name: "a cancelled drop closes before its goods are back", unitTests: "test/unit/drop/cancel.test.ts",
    breaks: "The books say that something was sold which everybody was paid back for.",
    edits: [edit("src/drop/due-time.ts", "state.counters.sold.size === 0 ? facts.plan.closesAt : (returnsUntil(facts) ?? facts.plan.closesAt)", "returnsUntil(facts) === null ? facts.plan.closesAt : facts.plan.closesAt")],
  },
  {
    name: "somebody is admitted before the seal",
    breaks: "The record admits an entry that nobody can find in it.",
    edits: [edit("src/drop/sittings.ts", "return joinedAt <= (sealedThrough.get(shard) ?? 0);", "return joinedAt <= (sealedThrough.get(shard) ?? joinedAt);")],
  },
  {
    name: "a pause admits",
    breaks: "People sit down in a drop that the seller has stopped.",
    edits: [edit("src/drop/sittings.ts", 'if (paused) return unchanged(rejected({ code: "drop_paused" }));', "void paused;")],
  },
];

const LINE: readonly PlantedBug[] = [
  {
    name: "threshold merged without completeTo",
    breaks: "A threshold runs past people of a shard that has not told of them yet.",
    unitTests: "test/unit/drop/line.test.ts",
    edits: [edit("src/drop/line.ts", ".filter(({ rank }) => rank <= completeTo && (after", '.filter(({ rank }) => completeTo !== "" && (after')],
  },
  {
    name: "threshold moved without a silent shard",
    breaks: "Whoever stands in a shard that is slow to answer is passed over.",
    edits: [edit("src/drop/line.ts", "required.some((shard) => !byShard.has(shard))", "required.length === 0")],
  },
  {
    name: "rank compare reversed",
    breaks: "Those who drew the last places are called first.",
    edits: [edit("src/drop/line.ts", "(a.rank === b.rank ? 0 : a.rank < b.rank ? -1 : 1)", "(a.rank === b.rank ? 0 : a.rank < b.rank ? 1 : -1)")],
  },
  {
    name: "everybody is served at once", isSample: true,
    breaks: "The draw decides nothing: whoever is fastest gets the units.",
    edits: [edit("src/drop/line.ts", "if (free.itemsFor(item, candidate.lane) < 1) {", "if (free.itemsFor(item, candidate.lane) < -1_000) {")],
  },
  {
    name: "who was called is forgotten",
    breaks: "The same unit is offered to everybody in turn before the first of them could come.",
    edits: [edit("src/drop/line.ts", "for (const call of state.calls.values()) if (!isCallOver(call, plan, now)) want(call, call.lane);", "")],
  },
  {
    name: "a threshold never reached by one who waits",
    breaks: "Demand is there and units stay unsold.",
    edits: [edit("src/drop/sittings.ts", "isServed(rank, thresholdOf(state, sku, ticket.lane))", 'isServed(rank, thresholdOf(state, sku, "open"))')],
  },
  {
    name: "seed without what was sealed",
    breaks: "The seller can choose a secret after the lobby closed, and with it the order of service.",
    edits: [edit("src/drop/due.ts", "secret, roots, beacon }", "secret, roots: [], beacon }")],
  },
  {
    name: "latecomers are offered before their seal",
    breaks: "Somebody is admitted whom no reader of the record can find.",
    edits: [
      edit("src/lobby/tickets.ts", "firstLeftOut === undefined ? before : Math.min(before, firstLeftOut.joinedAt - 1)", "firstLeftOut === undefined || now > 0 ? before : before - 1"),
      edit("src/lobby/line.ts", "ticket.index >= offered.offeredCount || ", ""),
      edit("src/drop/sittings.ts", "&& !isInSeal(state, ticket)) return", "&& !isInSeal(state, ticket) && now < 0) return"),
    ],
  },
  {
    name: "seal without the prefix of its leaves",
    breaks: "A tree whose inner nodes can be passed off as tickets.",
    edits: [edit("src/lobby/seal.ts", "`\\u0000${leafText(leaf)}`", "leafText(leaf)")],
  },
];

const LANES: readonly PlantedBug[] = [
  {
    name: "a reserve ignored at the hold",
    breaks: "Everyone takes what is kept for a lane before its time is over.",
    edits: [edit("src/drop/lanes.ts", "if (kept.lane !== lane) units -= kept.units;", 'if (kept.lane === "") units -= kept.units;')],
  },
  {
    name: "the lapse judged by the alarm",
    breaks: "What a lane has left stays kept until something wakes the object and is written.",
    unitTests: "test/unit/drop/lanes.test.ts",
    edits: [edit("src/drop/lanes.ts", "now >= lapseAt(stock.stages, open, share)", "state.tail.at >= lapseAt(stock.stages, open, share)")],
  },
  {
    name: "a lane's own taking not counted",
    breaks: "A lane takes its reserve again and again, and in the end there is none to keep.",
    edits: [edit("src/drop/counters.ts", "if (hold.lane !== OPEN_LANE) countInLane(counters, hold, sign);", "void OPEN_LANE;")],
  },
  {
    name: "units of a stage before counted against the reserve",
    breaks: "A lane that was quick in the first stage has nothing kept in the next ones.",
    edits: [edit("src/drop/counters.ts", "laneKey(hold.lane, hold.stage, sku), sign * quantity", "laneKey(hold.lane, 1, sku), sign * quantity"), edit("src/drop/lanes.ts", "laneKey(lane, open + 1, stock.sku)", "laneKey(lane, 1, stock.sku)")],
  },
  {
    name: "the line does not know what is kept",
    breaks: "People are called to units that they cannot have.",
    edits: [edit("src/drop/room.ts", "if (other !== lane) units -=", 'if (other === "") units -=')],
  },
  {
    name: "a lane left behind by everyone's line",
    breaks: "Somebody in a lane waits while others of a worse rank are served.",
    edits: [edit("src/drop/line.ts", "const rank = own > everyone ? own : everyone;", "const rank = own;\n    void everyone;")],
  },
  {
    name: "everyone passes a lane that was not told of",
    breaks: "A page that was full or late costs somebody in a lane the turn.",
    unitTests: "test/unit/drop/lanes.test.ts",
    edits: [edit("src/drop/line.ts", "completeTo < horizon) horizon = completeTo;", 'completeTo < horizon) horizon = "~";')],
  },
  {
    name: "a ticket moves into a lane after the opening",
    breaks: "Somebody is admitted in one lane and sealed in another.",
    unitTests: "test/unit/lobby/tickets.test.ts",
    edits: [edit("src/lobby/tickets.ts", "known !== undefined && joinedAt < window.opensAt && known.rank === null && betterLane", "known !== undefined && betterLane")],
  },
];

const COUPONS: readonly PlantedBug[] = [
  {
    name: "coupon not given back",
    breaks: "An order that was never paid has spent the coupon.",
    edits: [edit("src/drop/counters.ts", "add(counters.couponUses, campaignKey(hold.coupon.campaign), sign);", "if (sign > 0) add(counters.couponUses, campaignKey(hold.coupon.campaign), sign);")],
  },
  {
    name: "one use too many (>= to >)", isSample: true,
    breaks: "A campaign is spent once more than it may be.",
    edits: [edit("src/drop/orders.ts", "campaignKey(terms.id)) >= terms.uses", "campaignKey(terms.id)) > terms.uses")],
  },
  {
    name: "a voucher is spent twice (< to <=)",
    breaks: "A voucher for one use is used by two.",
    edits: [edit("src/drop/orders.ts", "voucherKey(coupon)) < coupon.voucherUses", "voucherKey(coupon)) <= coupon.voucherUses")],
  },
];

const VERDICTS: readonly PlantedBug[] = [
  {
    name: "verdict not stored",
    breaks: "A payment that asks again gets another answer.",
    edits: [edit("src/drop/payments.ts", "changes: { ...sale, verdicts: [{ id: payment, order: orderId, answer }] }", "changes: sale")],
  },
  {
    name: "verdict not looked up",
    breaks: "A payment that was sold is told that it is refused.",
    edits: [edit("src/drop/payments.ts", "if (before !== undefined) return unchanged(before.answer);", "void before;")],
  },
  {
    name: "a return counted twice",
    breaks: "A refund that settlement reports again puts the same units on sale again.",
    edits: [edit("src/drop/payments.ts", 'if (order.refunds.some((refund) => refund.id === command.refund)) return unchanged("restocked");', "")],
  },
  {
    name: "nobody is told of a cancelled drop",
    breaks: "The goods go back and the money stays.",
    edits: [edit("src/drop/controls.ts", 'hold.order === null ? [] :', 'hold.order !== null || now > 0 ? [] :')],
  },
];

const SHELL: readonly PlantedBug[] = [
  {
    name: "publish before persist", isSample: true,
    breaks: "A caller is told of what a failing disk then forgets.",
    edits: [
      edit("workers/objects/group-commit.ts", "const pending = book.takePending();", "for (const answer of answers) answer();\n    const pending = book.takePending();"),
      edit("workers/objects/group-commit.ts", "if (pending !== null) this.#write(pending);\n    for (const answer of answers) answer();", "if (pending !== null) this.#write(pending);"),
    ],
  },
  {
    name: "memory kept after a failed write",
    breaks: "The object goes on from what is on no disk.",
    edits: [edit("workers/objects/group-commit.ts", "    } catch (cause) {\n      this.#book = null;\n      // A decision", "    } catch (cause) {\n      // A decision")],
  },
  {
    name: "outbox never sends again",
    breaks: "A message that the queue forgot is lost for as long as the object lives.",
    edits: [edit("workers/objects/outbox-drain.ts", "(this.#dueAt.get(message.id) ?? 0) <= now", "!this.#dueAt.has(message.id)")],
  },
];

const MONEY: readonly PlantedBug[] = [
  {
    name: "remainder to the wrong party", isSample: true,
    breaks: "The sums are right and the first party has everybody's cents.",
    edits: [edit("src/settlement/split.ts", "if (rest !== undefined) give(rest.party, left);", 'if (rest !== undefined) give(rules[0]?.party ?? "", left);')],
  },
  {
    name: "collision ignored", breaks: "Two writers of one order, and the second believes that it wrote.",
    edits: [edit("src/settlement/settlement.ts", 'return answer === "collided" ? null : {', 'return answer === "collided" && events.length === 0 ? null : {')],
  },
  {
    name: "a key that changes with the time: capture", unitTests: "test/unit/settlement/desk.test.ts",
    breaks: "A capture whose answer was lost is made a second time.",
    edits: [edit("src/settlement/step.ts", "`capture:${id}:${book.capturedMinor}`", "`capture:${id}:${at}`")],
  },
  {
    name: "a key that changes with the time: refund",
    breaks: "A refund whose answer was lost is paid a second time.",
    edits: [edit("src/settlement/step.ts", "`refund:${id}:${refund}`", "`refund:${id}:${refund}:${at}`")],
  },
  {
    name: "refund above what was captured",
    breaks: "Two refunds at the same moment pay back more than was taken.",
    edits: [edit("src/settlement/desk-decisions.ts", "if (isNothing || !isPayable || amountMinor > refundableMinor(book)) return", "if (isNothing || !isPayable) return")],
  },
  {
    name: "refused money is kept",
    breaks: "Somebody pays for what is gone, and the money is captured.",
    edits: [edit("src/settlement/lifecycle.ts", 'if (book.isCancelled || book.verdict === "refused") return release', "if (book.isCancelled) return release")],
  },
  {
    name: "a time-out taken for done",
    breaks: "Money is booked that nobody took.",
    edits: [edit("src/settlement/step.ts", "    failure = error;", "    return done();")],
  },
  {
    name: "units captured at their rounded price",
    breaks: "Ten units of one line cost another sum than the line.",
    edits: [edit("src/settlement/order-book.ts", "return apportion(line.totalMinor, [units, line.quantity - units], line.stepMinor)[0] ?? 0;", "return Math.ceil(line.totalMinor / line.quantity) * units;")],
  },
  {
    name: "captured to the last of three decimals",
    breaks: "No card pays it: the provider refuses the capture for ever, and the seller has handed over for nothing.",
    edits: [edit("src/settlement/order-book.ts", "[units, line.quantity - units], line.stepMinor)", "[units, line.quantity - units])")],
    unitTests: "test/unit/settlement/desk.test.ts",
  },
  {
    name: "a rest stays pending",
    breaks: "The ledger waits for ever for money that the bank has let go of.",
    edits: [edit("src/settlement/ledger.ts", 'return isFinal ? [posted, rest, resolve(cause, rest, "voided", restMinor)] : [posted, rest];', "return isFinal ? [posted, rest] : [posted, rest];")],
  },
  {
    name: "a lost dispute is not booked",
    breaks: "The bank took the money back and the parties still have it.",
    edits: [edit("src/settlement/ledger.ts", 'event.outcome === "lost" ? reverse', 'event.outcome === "won" ? reverse')],
  },
  {
    name: "a batch that collided is taken for written", unitTests: "test/unit/settlement/batches.test.ts",
    breaks: "Somebody else wrote one order first, and nothing of the others is in the books.",
    edits: [edit("src/settlement/side-by-side.ts", 'return answer === "appended" ? appends.map(() => answer) : null;', 'return appends.map(() => (answer === "collided" ? "appended" : answer));')],
  },
  {
    name: "an answer goes to the neighbour in the batch", unitTests: "test/unit/settlement/batches.test.ts",
    breaks: "An order is decided on what is stored of another.",
    edits: [edit("src/settlement/side-by-side.ts", "const answer = answers[index];", "const answer = answers[(index + 1) % group.length];")],
  },
  {
    name: "one order fails its batch", unitTests: "test/unit/settlement/batches.test.ts",
    breaks: "An order that nobody can write keeps forty-nine others from their end.",
    edits: [edit("src/settlement/side-by-side.ts", "await together(requests).catch(() => null);", "await together(requests);")],
  },
  {
    name: "nobody looks again",
    breaks: "An order whose webhook was lost is never found.",
    edits: [edit("src/settlement/lifecycle.ts", "  if (nextStep(book) !== null) return soon;\n  if (book.payment === null) {", "  if (nextStep(book) !== null) return soon;\n  if (book.payment !== undefined) return null;\n  if (book.payment === null) {")],
  },
];

export const PLANTED_BUGS: readonly PlantedBug[] = [...BURDEN, ...GROUPS, ...DOOR, ...RESALE, ...RELEASE, ...STOCK, ...LINE, ...LANES, ...COUPONS, ...VERDICTS, ...SHELL, ...MONEY, ...REHEARSAL, ...VERIFIER];
