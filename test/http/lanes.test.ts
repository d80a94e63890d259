import { afterAll, beforeAll, expect, test } from "vitest";
import { startProduct, type Product } from "../support/product.ts";
import { readRecord, verifyRecord } from "../support/record-verifier.ts";
import { inParallel } from "../support/crowd.ts";
import { desk, expectRefusal } from "../support/hostile.ts";
import { hostileBeyond } from "../support/hostile-entries.ts";
import { mailedCode } from "../support/mailbox.ts";
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
  const pairs = { items: [{ sku: "TEE", priceMinor: 4200, quantity: 100 }], lanes: '[ { lane = "local", share = 20, until = "10m", region = "berlin" } ]', opensAfter: "20m", closesAfter: "2h", admit: "paced" } as const;
  product = await startProduct(storeVars({
    slug: "kept", items: [{ sku: "TEE", priceMinor: 4200, quantity: 10 }], opensAfter: "4s", admit: "paced", claimWindow: "4s", limitPerPerson: 1, shards: 2,
    lanes: `[ { lane = "local", share = 40, until = "${LAPSE_MS}ms", region = "berlin", within = "25km" } ]`,
  },
    { ...pairs, slug: "proven", gates: "{ email = true }", shards: 4 },
    { ...pairs, slug: "crowded", budgets: "{ joins = 10 }" },
  ));
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

/** The code that a tablet at the pop-up shows, for so many tickets. */
async function shownCode(drop: string, tickets: number): Promise<{ readonly evidence: { readonly presence: string } }> {
  const { status, body } = await desk(product, "GET", `/desk/api/drops/${drop}/presence/berlin?tickets=${tickets}`);
  expect(status).toBe(200);
  return { evidence: { presence: body.token } };
}

hostileBeyond("a pop-up's code shown by tickets without an address that was proven, answer 403 identity_required, and not one of its uses is gone", async () => {
  const shown = await shownCode("proven", 2);
  const visitors = Array.from({ length: 30 }, () => new Shopper(product.store, "proven"));
  for (const answer of await inParallel(visitors, 15, (visitor) => visitor.join(WANTS, shown))) expectRefusal(answer, 403, "identity_required");
  const lanes: unknown[] = [];
  for (const name of ["ana", "ben", "cleo"]) {
    const visitor = new Shopper(product.store, "proven");
    const email = `${name}@popup.example`;
    expect((await request("POST", visitor.url("/api/drops/proven/codes"), { body: { ticket: visitor.ticketId, email } })).status).toBe(202);
    const answer = await visitor.join(WANTS, { ...shown, identity: { email, code: await mailedCode(product, email) } });
    lanes.push(answer.body.lane ?? answer.body.code);
  }
  expect(lanes).toEqual(["local", "local", "evidence_used"]);
});

hostileBeyond("a pop-up's code shown by a network beyond its joins a minute, and for tickets of others, answer 429 and 409: it is used by those who got a place and by nobody else", async () => {
  const shown = await shownCode("crowded", 14);
  const at = (network: string) => new Shopper(product.store, "crowded", { headers: { Rehearsal: `${product.rehearsalKey} ${network}` } });
  const crowd = Array.from({ length: 60 }, () => at("one-cafe"));
  const answers = await inParallel(crowd, 60, (visitor) => visitor.join(WANTS, shown));
  expect(answers.filter(({ status }) => status === 201).map(({ body }) => body.lane)).toEqual(Array(10).fill("local"));
  for (const answer of answers.filter(({ status }) => status !== 201)) expectRefusal(answer, 429, "too_many_requests");
  const owner = at("owner");
  expect((await owner.join(WANTS)).body.lane).toBe("open");
  for (let thief = 0; thief < 3; thief++) {
    const taken = { jwk: await at("thief").publicKey(), wants: WANTS, ...shown };
    expectRefusal(await request("PUT", owner.url(`/api/drops/crowded/tickets/${owner.ticketId}`), { body: taken, headers: { Rehearsal: `${product.rehearsalKey} thief` } }), 409, "id_reused");
  }
  for (let visitor = 0; visitor < 4; visitor++) expect((await at(`visitor-${visitor}`).join(WANTS, shown)).body.lane).toBe("local");
  expectRefusal(await at("late").join(WANTS, shown), 409, "evidence_used");
});
