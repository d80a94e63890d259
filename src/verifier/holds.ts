import type { StockRow } from "../../schema/wire/record.ts";
import type { Findings } from "./findings.ts";

type State = "held" | "placed" | "sold" | "expired" | "abandoned" | "voided";

interface Hold {
  readonly subject: string;
  state: State;
  /** What it is made of, by sku. */
  readonly units: Map<string, number>;
  readonly returned: Map<string, number>;
  wasPlaced: boolean;
  /** The step that is being written: one row for every sku, all in one breath. */
  step: { readonly kind: StockRow["kind"]; readonly at: string; readonly moved: Map<string, number> } | null;
}

/** What a row says that happened to a hold, from what state, and to what. */
const STEPS: Readonly<Record<Exclude<StockRow["kind"], "hold" | "return">, { readonly from: readonly State[]; readonly to: State }>> = {
  place: { from: ["held"], to: "placed" },
  sell: { from: ["placed"], to: "sold" },
  expire: { from: ["held", "placed"], to: "expired" },
  abandon: { from: ["held"], to: "abandoned" },
  // A held one is voided only when the whole drop is cancelled.
  void: { from: ["held", "placed"], to: "voided" },
};

const WORDS: Readonly<Record<State, string>> = { held: "held", placed: "ordered", sold: "sold", expired: "run out", abandoned: "given up", voided: "voided" };

/**
 * The life of every hold by its public name: held, then ordered and sold, or
 * ended in one way; units of a sold one may come back. A step is written for
 * all of the hold's units at once, one row for each sku.
 */
export class Holds {
  readonly #findings: Findings;
  readonly #holds = new Map<string, Hold>();
  /** The hold whose step was written last; the next row of another one ends it. */
  #open: { readonly hold: Hold; readonly row: StockRow } | null = null;
  /** A hold that was taken again for money that came late, and has to be sold in the same breath. */
  #retaken: { readonly hold: Hold; readonly row: StockRow } | null = null;

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  get count(): number {
    return this.#holds.size;
  }

  isKnown(ref: string): boolean {
    return this.#holds.has(ref);
  }

  /** Called for every row that is not about stock, and at the end: whatever was being written is complete then. */
  settle(): void {
    this.#endStep();
    if (this.#retaken !== null && this.#retaken.hold.state !== "sold") this.#findings.row(this.#retaken.row, "takes units again for an order whose time to pay was over, and they were not sold at once");
    this.#retaken = null;
  }

  move(row: StockRow, isCancelled: boolean): void {
    const hold = this.#holds.get(row.ref);
    if (hold?.step != null && hold === this.#open?.hold && hold.step.kind === row.kind && hold.step.at === row.at && !hold.step.moved.has(row.sku)) {
      this.#continue(hold, row);
      return;
    }
    this.#endStep();
    if (this.#retaken !== null && !(row.kind === "sell" && hold === this.#retaken.hold)) this.settle();
    if (row.kind === "hold") this.#take(hold, row);
    else if (hold === undefined) this.#findings.row(row, "is about a hold that was never made");
    else {
      if (hold.subject !== row.subject) this.#findings.row(row, "is about a hold of somebody else");
      this.#step(hold, row, row.kind, isCancelled);
    }
  }

  #take(before: Hold | undefined, row: StockRow): void {
    const step = stepOf(row);
    if (before === undefined) {
      const hold: Hold = { subject: row.subject, state: "held", units: step.moved, returned: new Map(), wasPlaced: false, step };
      this.#holds.set(row.ref, hold);
      this.#open = { hold, row };
      return;
    }
    if (before.subject !== row.subject) this.#findings.row(row, "is about a hold of somebody else");
    if (!before.wasPlaced || (before.state !== "expired" && before.state !== "voided")) this.#findings.row(row, `makes a hold again that is ${WORDS[before.state]}`);
    before.state = "placed";
    before.step = step;
    this.#open = { hold: before, row };
    this.#retaken = { hold: before, row };
  }

  #step(hold: Hold, row: StockRow, kind: Exclude<StockRow["kind"], "hold">, isCancelled: boolean): void {
    hold.step = stepOf(row);
    this.#open = { hold, row };
    if (kind === "return") {
      if (hold.state !== "sold") this.#findings.row(row, `returns units of a hold that is ${WORDS[hold.state]}`);
      return;
    }
    const { from, to } = STEPS[kind];
    if (!from.includes(hold.state)) this.#findings.row(row, `cannot be: the hold is ${WORDS[hold.state]}`);
    else if (kind === "void" && hold.state === "held" && !isCancelled) this.#findings.row(row, "voids a hold that was never ordered, and the drop is not cancelled");
    hold.state = to;
    if (to === "placed") hold.wasPlaced = true;
  }

  #continue(hold: Hold, row: StockRow): void {
    if (hold.subject !== row.subject) this.#findings.row(row, "is about a hold of somebody else");
    hold.step?.moved.set(row.sku, row.quantity);
  }

  /** A step is over: it has to have moved just what the hold is made of, or at most that where units come back. */
  #endStep(): void {
    if (this.#open === null) return;
    const { hold, row } = this.#open;
    this.#open = null;
    const { step } = hold;
    if (step === null) return;
    hold.step = null;
    if (step.kind === "return") {
      for (const [sku, quantity] of step.moved) {
        const returned = (hold.returned.get(sku) ?? 0) + quantity;
        hold.returned.set(sku, returned);
        if (returned > (hold.units.get(sku) ?? 0)) this.#findings.row(row, `returns more units of ${sku} than this hold had`);
      }
      return;
    }
    if (step.moved !== hold.units && !sameUnits(step.moved, hold.units)) this.#findings.row(row, `moves ${unitsText(step.moved)}, and the hold is ${unitsText(hold.units)}`);
  }
}

function stepOf(row: StockRow): NonNullable<Hold["step"]> {
  return { kind: row.kind, at: row.at, moved: new Map([[row.sku, row.quantity]]) };
}

function sameUnits(one: ReadonlyMap<string, number>, other: ReadonlyMap<string, number>): boolean {
  return one.size === other.size && [...one].every(([sku, quantity]) => other.get(sku) === quantity);
}

function unitsText(units: ReadonlyMap<string, number>): string {
  return [...units].map(([sku, quantity]) => `${quantity} of ${sku}`).join(" and ");
}
