import { spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { parse } from "smol-toml";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startProduct, type Product } from "../support/product.ts";
import { readRecord, verifyRecord } from "../support/record-verifier.ts";
import { type Answer, clientId, orderUntil, payAt, request, Shopper } from "../support/shopper.ts";
import { storeVars, type TestDrop } from "../support/store-config.ts";

/* What the seller does to a drop that runs, seen from outside: a published change of its plan, and the emergency controls. */

const TEE = [{ sku: "TEE", quantity: 1 }];
const CHANGED: TestDrop = {
  slug: "changed", items: [{ sku: "TEE", priceMinor: 4_200, quantity: 5 }], opensAfter: "4s", admit: "paced", limitPerPerson: 1, closesAfter: "3h",
  stages: '[ { share = 40, after = "0s" }, { share = 40, after = "1h" }, { share = 20, after = "2h" } ]',
};
const STOPPED: TestDrop = { slug: "stopped", items: [{ sku: "TEE", priceMinor: 4_200, quantity: 10 }], closesAfter: "3h", stages: '[ { share = 60, after = "0s" }, { share = 40, after = "1h" } ]' };

let product: Product;
beforeAll(async () => {
  product = await startProduct(storeVars(CHANGED, STOPPED));
}, 180_000);
afterAll(() => product?.stop());

const desk = (method: string, address: string, body?: unknown): Promise<Answer> =>
  request(method, `${product.desk}/desk/api/drops/${address}`, { headers: { authorization: `Bearer ${product.deskKey}` }, ...(body === undefined ? {} : { body }) });
const kindsOf = async (drop: string) => (await readRecord(product.store, drop)).rows.map(({ kind }) => kind);

/** What the verifier that everybody gets says of a drop's record. */
function shippedVerdict(drop: string): readonly [number | null, string] {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["src/cli/verify.ts", `${product.store}/drops/${drop}/record`], { encoding: "utf8" });
  return [status, stdout + stderr];
}

async function until<Value>(read: () => Promise<Value | null>, limitMs: number, what: string): Promise<Value> {
  const end = Date.now() + limitMs;
  for (;;) {
    const value = await read();
    if (value !== null) return value;
    if (Date.now() > end) throw new Error(`this did not come within ${limitMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Whoever of them is called next, and holds at once. */
function nextHold(people: Set<Shopper>): Promise<{ shopper: Shopper; hold: Answer }> {
  return until(async () => {
    for (const shopper of people) {
      if ((await shopper.claim()).status !== 201) continue;
      people.delete(shopper);
      return { shopper, hold: await shopper.hold(TEE) };
    }
    return null;
  }, 30_000, "somebody is called");
}

async function bought(shopper: Shopper, hold: Answer): Promise<{ order: string; receipt: string }> {
  const order = clientId("ord");
  const placed = await shopper.order(hold.body.id, { id: order });
  expect(placed.status, JSON.stringify(placed.body)).toBe(201);
  expect((await payAt(placed.body.payment.url)).status).toBeLessThan(400);
  await orderUntil(shopper, order, placed.body.receipt, (body) => body.state === "confirmed" && body.payment.state === "captured");
  return { order, receipt: placed.body.receipt };
}

describe("a published change of the plan", () => {
  test("who was not served in stage 1 keeps the place for stages 2 and 3, and pays what is published by then", async () => {
    const people = new Set(Array.from({ length: 5 }, () => new Shopper(product.store, "changed")));
    for (const shopper of people) expect((await shopper.join(TEE)).status).toBe(201);
    const first = [await nextHold(people), await nextHold(people)];
    for (const { shopper, hold } of first) await bought(shopper, hold);
    for (const shopper of people) expect((await shopper.claim()).body).toMatchObject({ state: "waiting" });

    const { body: drop } = await request("GET", `${product.store}/api/drops/changed`);
    const opensAt = Date.parse(drop.stages[0].opensAt);
    const after = (ms: number) => `${Date.now() + ms - opensAt}ms`;
    const config = (changes: Partial<TestDrop>) => ({ vars: (parse(storeVars({ ...CHANGED, ...changes })) as { vars: unknown }).vars });
    const cheaper = { items: [{ sku: "TEE", priceMinor: 3_900, quantity: 6 }], stages: `[ { share = 40, after = "0s" }, { share = 40, after = "${after(8_000)}" }, { share = 20, after = "${after(16_000)}" } ]` };

    const refused = await desk("POST", "changed/plan", { ...config({ ...cheaper, limitPerPerson: 2 }), publish: true });
    expect(refused.body).toMatchObject({ published: false });
    expect(refused.body.changes.find((change: { allowed: boolean }) => !change.allowed)).toMatchObject({ field: "limitPerPerson", from: 1, to: 2 });
    expect((await desk("POST", "changed/plan", { ...config(cheaper), publish: false })).body).toMatchObject({ published: false });
    expect((await kindsOf("changed")).filter((kind) => kind === "plan"), "looking publishes nothing").toHaveLength(1);
    const published = await desk("POST", "changed/plan", { ...config(cheaper), publish: true });
    expect([published.status, published.body.published, published.body.changes.map(({ field }: { field: string }) => field)]).toEqual([200, true, ["items.TEE.priceMinor", "stages.2.opensAt", "stages.3.opensAt", "items.TEE.quantity"]]);
    expect((await desk("POST", "changed/plan", { ...config(cheaper), publish: true })).body).toEqual({ changes: [], published: false });
    expect((await kindsOf("changed")).filter((kind) => kind === "plan")).toHaveLength(2);

    const second = [await nextHold(people), await nextHold(people), await nextHold(people)];
    for (const { hold } of second) expect([hold.status, hold.body.totalMinor]).toEqual([201, 3_900]);
    const { rows } = await readRecord(product.store, "changed");
    expect(rows.filter(({ kind }) => kind === "hold").map((row) => row["stage"])).toEqual([1, 1, 2, 2, 2]);
    expect(rows.filter(({ kind }) => kind === "plan").at(-1)).toMatchObject({ actor: "desk", prices: [{ sku: "TEE", priceMinor: 3_900 }], items: [{ sku: "TEE", stages: [{ units: 2 }, { units: 3 }, { units: 1 }] }] });
    expect((await request("GET", `${product.store}/api/drops/changed`)).body.planHash).toBe(drop.planHash);
    const late = new Set([new Shopper(product.store, "changed")]);
    for (const shopper of late) expect((await shopper.join(TEE)).status).toBe(201);
    expect((await nextHold(late)).hold.status).toBe(201);
    expect((await readRecord(product.store, "changed")).rows.findLast(({ kind }) => kind === "hold")?.["stage"]).toBe(3);
    expect((await verifyRecord(product.store, "changed")).failures).toEqual([]);
  }, 90_000);

  test("is shown on the plan's page without any script, and offered by the command line", async () => {
    const page = await (await fetch(`${product.store}/drops/changed/plan`)).text();
    const text = page.replaceAll(/<[^>]+>/g, " ").replaceAll(/\s+/g, " ");
    expect(text).toMatch(/TEE costs 39,00\s€ instead of 42,00\s€/);
    for (const words of ["There are 6 of TEE instead of 5.", "Stage 2 opens at", "As first published"]) expect(text).toContain(words);

    const config = path.join(product.data, "changed.toml");
    await writeFile(config, storeVars({ ...CHANGED, items: [{ sku: "TEE", priceMinor: 4_400, quantity: 6 }], closesAfter: "4h" }, STOPPED));
    const publish = (...options: string[]) => spawnSync(process.execPath, ["src/cli/publish.ts", "--store", product.store, "--config", config, "--drop", "changed", ...options], { env: { ...process.env, DESK_KEY: product.deskKey }, encoding: "utf8", input: "" });
    const refused = publish("--yes");
    expect([refused.status, refused.stdout]).toEqual([1, expect.stringContaining("Refused: Stage 2 opens at")]);
    const sameStages = (await readRecord(product.store, "changed")).rows.findLast(({ kind }) => kind === "plan") as unknown as { items: { stages: { opensAt: string }[] }[] };
    const [opening = "", ...others] = sameStages.items[0]?.stages.map(({ opensAt }) => opensAt) ?? [];
    const afters = others.map((opensAt) => `${Date.parse(opensAt) - Date.parse(opening)}ms`);
    await writeFile(config, storeVars({ ...CHANGED, items: [{ sku: "TEE", priceMinor: 4_400, quantity: 6 }], closesAfter: "4h", stages: `[ { share = 40, after = "0s" }, { share = 40, after = "${afters[0]}" }, { share = 20, after = "${afters[1]}" } ]` }, STOPPED));
    const asked = publish();
    expect([asked.status, asked.stdout]).toEqual([2, expect.stringContaining("TEE costs 44.00 EUR instead of 39.00 EUR from now on, for new holds.")]);
    const done = publish("--yes");
    expect([done.status, done.stdout]).toEqual([0, expect.stringMatching(/The drop ends at .* instead of .*Published/s)]);
    expect(publish("--yes").stdout).toContain("the running plan is what the config says");
    expect((await verifyRecord(product.store, "changed")).failures).toEqual([]);
    expect(shippedVerdict("changed")).toEqual([0, expect.stringContaining("2 published changes")]);
  }, 60_000);
});

describe("the emergency controls", () => {
  test("pause, resume, extend and cancel hold at once, are rows of the record, and are done once however often they are asked for", async () => {
    const [buyer, sitter, payer] = Array.from({ length: 3 }, () => new Shopper(product.store, "stopped")) as [Shopper, Shopper, Shopper];
    for (const shopper of [buyer, sitter, payer]) {
      expect((await shopper.join(TEE)).status).toBe(201);
      await shopper.admitted();
    }
    const paid = await bought(buyer, await buyer.hold(TEE));
    const unpaid = await payer.order((await payer.hold(TEE)).body.id);
    expect(unpaid.status).toBe(201);

    const pausedAt = Date.now();
    expect((await desk("POST", "stopped/pause")).status).toBe(200);
    expect((await sitter.hold(TEE)).body.code).toBe("drop_paused");
    expect(Date.now() - pausedAt, "effective within a second").toBeLessThan(1_000);
    await until(async () => ((await sitter.live()).body.phase === "paused" ? true : null), 3_000, "the live state says so");
    const before = sitter.pass;
    expect((await sitter.claim()).status, "whoever has sat down gets the same pass again").toBe(201);
    expect(sitter.pass).toBe(before);
    const stranger = new Shopper(product.store, "stopped");
    expect((await stranger.join(TEE)).status).toBe(201);
    // Whoever joins now waits for a seal first, and is then told of the pause.
    await until(async () => ((await stranger.claim()).body.code === "drop_paused" ? true : null), 5_000, "nobody new is admitted");
    expect((await desk("POST", "stopped/pause")).status).toBe(200);
    expect((await desk("POST", "stopped/resume")).status).toBe(200);
    expect((await desk("POST", "stopped/resume")).status).toBe(200);
    expect((await sitter.hold(TEE)).status, "the clock ran on and the sitting is still there").toBe(201);

    const extended = await desk("POST", "stopped/extend", { stage: 2, by: "10m" });
    expect(extended.status).toBe(200);
    expect((await desk("POST", "stopped/extend", { stage: 2, by: "10m" })).body.nextStageAt).toBe(extended.body.nextStageAt);
    expect((await desk("POST", "stopped/extend", { stage: 1, by: "10m" })).body.code).toBe("control_not_possible");

    const cancelledAt = Date.now();
    expect((await desk("POST", "stopped/cancel")).body.phase).toBe("cancelled");
    expect((await sitter.hold(TEE, clientId("hld"))).body.code).toBe("drop_closed");
    expect(Date.now() - cancelledAt).toBeLessThan(1_000);
    expect((await desk("POST", "stopped/cancel")).status).toBe(200);

    const kinds = (await kindsOf("stopped")).filter((kind) => ["pause", "resume", "extend", "cancel"].includes(kind));
    expect(kinds).toEqual(["pause", "resume", "extend", "cancel"]);
    const state = await desk("GET", "stopped");
    expect(state.body.changes.map(({ kind }: { kind: string }) => kind)).toEqual(kinds);

    await orderUntil(buyer, paid.order, paid.receipt, (body) => body.state === "cancelled" && body.payment.state === "refunded");
    await orderUntil(payer, unpaid.body.id, unpaid.body.receipt, (body) => body.state === "cancelled");
    await until(async () => ((await desk("GET", "stopped")).body.returns.orders.length === 0 ? true : null), 10_000, "every unit that was paid back is back");
    const { rows } = await readRecord(product.store, "stopped");
    const units = (kind: string) => rows.filter((row) => row.kind === kind).reduce((sum, row) => sum + Number(row["quantity"]), 0);
    expect([units("sell"), units("return"), units("void")], "one sold and returned, one placed and one held voided").toEqual([1, 1, 2]);
    const verdict = await verifyRecord(product.store, "stopped");
    expect(verdict).toMatchObject({ failures: [], heldUnits: 0, soldUnits: 0 });
    expect(shippedVerdict("stopped")[0]).toBe(0);
  }, 90_000);
});
