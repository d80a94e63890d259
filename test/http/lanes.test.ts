import { afterAll, beforeAll, expect, test } from "vitest";
import { startProduct, type Product } from "../support/product.ts";
import { readRecord, verifyRecord } from "../support/record-verifier.ts";
import { request, Shopper } from "../support/shopper.ts";
import { storeVars } from "../support/store-config.ts";

/*
 * A drop that keeps four of its ten units for people in Berlin, for a while,
 * seen from outside: by people there, people elsewhere, people who lie, and by
 * a stranger who reads the record.
 */

const LAPSE_MS = 16_000;
const WANTS = [{ sku: "TEE", quantity: 1 }];
const LIES = { "CF-IPLatitude": "52.52", "CF-IPLongitude": "13.405", "CF-IPCountry": "DE", "X-Forwarded-For": "85.214.132.117", Rehearsal: "not-the-key elsewhere DE 52.52 13.405" };

let product: Product;
beforeAll(async () => {
  product = await startProduct(storeVars({
    slug: "kept", items: [{ sku: "TEE", priceMinor: 4200, quantity: 10 }], opensAfter: "4s", admit: "paced", claimWindow: "4s", limitPerPerson: 1, shards: 2,
    lanes: `[ { lane = "local", share = 40, until = "${LAPSE_MS}ms", region = "berlin", within = "25km" } ]`,
  }));
}, 180_000);
afterAll(() => product?.stop());

const person = (headers: Record<string, string>) => new Shopper(product.store, "kept", { headers });
const from = (network: string, place: string) => person({ Rehearsal: `${product.rehearsalKey} ${network} ${place}` });

async function until<Value>(read: () => Promise<Value | null>, limitMs: number): Promise<Value> {
  const end = Date.now() + limitMs;
  for (;;) {
    const value = await read();
    if (value !== null) return value;
    if (Date.now() > end) throw new Error(`this did not come within ${limitMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** How long after the opening the last hold was made, by the drop's own time. */
async function lastHoldAfterMs(): Promise<number> {
  const { body } = await request("GET", `${product.store}/api/drops/kept`);
  const { rows } = await readRecord(product.store, "kept");
  const at = rows.findLast((row) => row.kind === "hold")?.at ?? "";
  return Date.parse(at) - Date.parse(body.stages[0].opensAt);
}

async function held(shopper: Shopper, limitMs: number): Promise<void> {
  await shopper.admitted(limitMs);
  expect((await shopper.hold(WANTS)).status).toBe(201);
}

test("what is kept for a lane is taken by nobody else before its time is over, and by everyone after it", async () => {
  const locals = Array.from({ length: 3 }, (_, index) => from(`berlin-${index}`, "DE 52.48 13.43"));
  const others = [...Array.from({ length: 11 }, (_, index) => from(`hamburg-${index}`, "DE 53.55 9.99")), person(LIES)];
  for (const shopper of locals) expect((await shopper.join(WANTS)).body).toMatchObject({ lane: "local" });
  for (const shopper of others) expect((await shopper.join(WANTS)).body).toMatchObject({ lane: "open" });

  // Six of those from elsewhere are called and hold; the others wait, although four units are there.
  const waiting = new Set(others);
  await until(async () => {
    for (const shopper of waiting) {
      const answer = await shopper.claim();
      if (answer.status !== 201) continue;
      const hold = await shopper.hold(WANTS);
      if (hold.status === 409) expect(hold.body).toMatchObject({ code: "sold_out", available: 0 });
      else {
        expect(hold.status).toBe(201);
        waiting.delete(shopper);
      }
    }
    return waiting.size <= 6 ? true : null;
  }, 20_000);
  expect(waiting.size).toBe(6);
  // The live state is up to two seconds old.
  const live = await until(async () => {
    const { body } = await person({}).live();
    return body.available === 4 ? body : null;
  }, 3_000);
  expect(live).toMatchObject({ phase: "open", available: 4, items: [{ sku: "TEE", available: 4, soldOut: null, byLane: [{ lane: "open", available: 0 }, { lane: "local", available: 4 }] }] });

  // The three from Berlin are served at their leisure, whatever they drew.
  for (const shopper of locals) await held(shopper, 10_000);
  expect(await lastHoldAfterMs()).toBeLessThan(LAPSE_MS);

  // The fourth unit is everyone's once the time is over.
  const last = await until(async () => {
    for (const shopper of waiting) if ((await shopper.claim()).status === 201 && (await shopper.hold(WANTS)).status === 201) return shopper;
    return null;
  }, 30_000);
  waiting.delete(last);
  await until(async () => ((await last.live()).body.available === 0 ? true : null), 3_000);

  const verdict = await verifyRecord(product.store, "kept");
  expect(verdict).toMatchObject({ failures: [], heldUnits: 10 });
  expect(await lastHoldAfterMs()).toBeGreaterThanOrEqual(LAPSE_MS);
}, 90_000);
