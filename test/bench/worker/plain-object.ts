import { DurableObject } from "cloudflare:workers";
import { canonicalJson } from "../../../src/kernel/canonical.ts";
import { nodeHashing } from "../../../src/kernel/node-hashing.ts";

const GENESIS = "0".repeat(64);

export interface PlainHold {
  readonly id: string;
  readonly sitting: string;
  readonly entry: string;
  readonly sku: string;
  readonly quantity: number;
}

/**
 * A hold in its plain form: one request, one transaction. It asks for the hold
 * by its id and for the stock with the record's tail (two reads), and writes
 * what the Drop object writes for a hold: a chained record row, the hold and
 * its sitting, beside the stock (four writes).
 */
export class PlainObject extends DurableObject<unknown> {
  readonly #sql: SqlStorage;

  constructor(context: DurableObjectState, env: unknown) {
    super(context, env);
    this.#sql = context.storage.sql;
    this.#sql.exec(`
      CREATE TABLE IF NOT EXISTS stock (id INTEGER PRIMARY KEY, free INTEGER NOT NULL, seq INTEGER NOT NULL, hash TEXT NOT NULL);
      CREATE TABLE IF NOT EXISTS record (seq INTEGER PRIMARY KEY, row TEXT NOT NULL);
      CREATE TABLE IF NOT EXISTS holds (id TEXT PRIMARY KEY, row TEXT NOT NULL) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS sittings (id TEXT PRIMARY KEY, row TEXT NOT NULL) WITHOUT ROWID;
      INSERT OR IGNORE INTO stock VALUES (1, 1000000, 0, '${GENESIS}')`);
  }

  hold(command: PlainHold): { readonly id: string; readonly expiresAt: number } | null {
    const now = Date.now();
    return this.ctx.storage.transactionSync(() => {
      const known = this.#sql.exec<{ row: string }>("SELECT row FROM holds WHERE id = ?", command.id).toArray()[0];
      if (known !== undefined) return { id: command.id, expiresAt: Number(Reflect.get(Object(JSON.parse(known.row)), "expiresAt")) };
      const { free, seq, hash: prevHash } = this.#sql.exec<{ free: number; seq: number; hash: string }>("SELECT free, seq, hash FROM stock WHERE id = 1").one();
      if (free < command.quantity) return null;
      const expiresAt = now + 480_000;
      const movement = {
        seq: seq + 1, kind: "hold", at: new Date(now).toISOString(), sku: command.sku, quantity: command.quantity, stage: 1, subject: command.entry,
        ref: nodeHashing.sha256(`tranche/ref\nplain\n${command.id}`),
      };
      const hash = nodeHashing.sha256(`${prevHash}\n${canonicalJson(movement)}`);
      const hold = {
        id: command.id, sitting: command.sitting, entry: command.entry, state: "held", lines: [{ sku: command.sku, quantity: command.quantity, unitPriceMinor: 4_200 }],
        units: [{ sku: command.sku, quantity: command.quantity }], heldAt: now, expiresAt, order: null, person: null, coupon: null, payBy: null, tillClosed: false, returned: [], returnedItems: 0,
      };
      const sitting = { id: command.sitting, entry: command.entry, lane: "open", rank: command.entry, wants: hold.units, stage: 1, admittedAt: now, expiresAt, heldAt: now, holds: 1 };
      this.#sql.exec("INSERT INTO record (seq, row) VALUES (?, ?)", seq + 1, JSON.stringify({ ...movement, prevHash, hash }));
      this.#sql.exec("INSERT INTO holds (id, row) VALUES (?, ?)", command.id, JSON.stringify(hold));
      this.#sql.exec("INSERT OR REPLACE INTO sittings (id, row) VALUES (?, ?)", command.sitting, JSON.stringify(sitting));
      this.#sql.exec("UPDATE stock SET free = ?, seq = ?, hash = ? WHERE id = 1", free - command.quantity, seq + 1, hash);
      return { id: command.id, expiresAt };
    });
  }
}
