import type { RowOf, StockRow } from "../../schema/wire/record.ts";
import type { Findings } from "./findings.ts";
import type { Schedule } from "./schedule.ts";

const EFFECTS: Readonly<Record<StockRow["kind"], { readonly held: number; readonly sold: number }>> = {
  hold: { held: 1, sold: 0 },
  place: { held: 0, sold: 0 },
  sell: { held: -1, sold: 1 },
  expire: { held: -1, sold: 0 },
  abandon: { held: -1, sold: 0 },
  void: { held: -1, sold: 0 },
  return: { held: 0, sold: -1 },
};

/** Held and sold of every sku, row by row. */
export class Stock {
  readonly #schedule: Schedule;
  readonly #findings: Findings;
  readonly #held = new Map<string, number>();
  readonly #sold = new Map<string, number>();
  readonly #takenBySubject = new Map<string, number>();
  readonly #perItemMax: number;
  units = 0;

  constructor(schedule: Schedule, findings: Findings) {
    this.#schedule = schedule;
    this.#findings = findings;
    const bundles = schedule.first.bundles ?? [];
    this.#perItemMax = Math.max(1, ...bundles.map(({ components }) => components.reduce((sum, { quantity }) => sum + quantity, 0)));
  }

  heldOf(sku: string): number {
    return this.#held.get(sku) ?? 0;
  }

  soldOf(sku: string): number {
    return this.#sold.get(sku) ?? 0;
  }

  takenOf(sku: string): number {
    return this.heldOf(sku) + this.soldOf(sku);
  }

  /** Everything that is held or sold, over all skus. */
  totals(): { readonly held: number; readonly sold: number } {
    const sum = (counts: ReadonlyMap<string, number>) => [...counts.values()].reduce((total, units) => total + units, 0);
    return { held: sum(this.#held), sold: sum(this.#sold) };
  }

  /** `people` is how many stand behind the row's subject. */
  move(row: StockRow, at: number, people: number): void {
    const { sku, quantity, kind, subject } = row;
    const { held, sold } = EFFECTS[kind];
    this.units += quantity;
    if (!this.#schedule.skus.includes(sku)) this.#findings.row(row, `moves ${sku}, which the plan does not have`);
    this.#held.set(sku, this.heldOf(sku) + held * quantity);
    this.#sold.set(sku, this.soldOf(sku) + sold * quantity);
    if (this.heldOf(sku) < 0) this.#findings.row(row, `makes ${this.heldOf(sku)} units of ${sku} held: more came back than was taken`);
    if (this.soldOf(sku) < 0) this.#findings.row(row, `makes ${this.soldOf(sku)} units of ${sku} sold: more came back than was sold`);
    const released = this.#schedule.releasedAt(sku, at);
    if (held + sold >= 0 && this.takenOf(sku) > released) this.#findings.row(row, `makes ${this.takenOf(sku)} units of ${sku} held or sold, and ${released} were released`);
    const stage = this.#schedule.stageAt(at);
    if (row.stage !== stage) this.#findings.row(row, stage === 0 ? "moves units before the first stage opened" : `says stage ${row.stage}, and stage ${stage} was open`);
    const mine = (this.#takenBySubject.get(subject) ?? 0) + (held + sold) * quantity;
    this.#takenBySubject.set(subject, mine);
    // Bundles are counted as one by the limit; which units were sold in one is not in the record, so that this is the most generous reading.
    const limit = this.#schedule.first.limitPerPerson * people;
    if (held + sold > 0 && Math.ceil(mine / this.#perItemMax) > limit) this.#findings.row(row, `gives ${people === 1 ? "one person" : `a group of ${people}`} ${mine} units, and the limit is ${limit}`);
  }

  /** Where every unit ended: nothing is held, and sold, unsold and withheld are the plan's quantity. */
  close(row: RowOf<"close">, endedAt: number): void {
    for (const list of [row.sold, row.unsold, row.withheld]) {
      if (list.map(({ sku }) => sku).toSorted().join() !== this.#schedule.skus.toSorted().join()) this.#findings.row(row, "does not account for every item of the plan once");
    }
    const said = (list: RowOf<"close">["sold"], sku: string) => list.find((count) => count.sku === sku)?.quantity ?? 0;
    for (const sku of this.#schedule.skus) {
      const [sold, unsold, withheld] = [said(row.sold, sku), said(row.unsold, sku), said(row.withheld, sku)];
      const quantity = this.#schedule.quantityOf(sku);
      const released = this.#schedule.releasedAt(sku, endedAt);
      if (this.heldOf(sku) !== 0) this.#findings.row(row, `closes the books while ${this.heldOf(sku)} units of ${sku} are held`);
      if (sold !== this.soldOf(sku)) this.#findings.row(row, `says that ${sold} units of ${sku} were sold, and the rows before it say ${this.soldOf(sku)}`);
      if (sold + unsold + withheld !== quantity) this.#findings.row(row, `accounts for ${sold + unsold + withheld} units of ${sku}, and the plan has ${quantity}`);
      if (withheld !== quantity - released) this.#findings.row(row, `says that ${withheld} units of ${sku} were withheld, and ${quantity - released} were never released`);
    }
  }
}
