import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { afterAll, beforeAll, expect } from "vitest";
import { inParallel, wait } from "../support/crowd.ts";
import { widgetToken, workFor, type Work } from "../support/gates.ts";
import { expectRefusal, sendDeclared, sendRaw, unchanged } from "../support/hostile.ts";
import { countApart, countHostile, hostile, hostileBeyond } from "../support/hostile-entries.ts";
import { startProduct, type Product } from "../support/product.ts";
import { verifyRecord } from "../support/record-verifier.ts";
import { request, Shopper, type Answer } from "../support/shopper.ts";
import { PROJECT } from "../support/sources.ts";
import { storeVars } from "../support/store-config.ts";

/* Hostile inputs against what stands at the door: proof of work, Turnstile, and what one network may do. */

/** Those that do not open while the tests run: their records stand still by themselves. */
const DROPS = ["worked", "other", "human", "flood"] as const;
const WANTS = [{ sku: "TEE", quantity: 1 }];
const items = [{ sku: "TEE", priceMinor: 4200, quantity: 500 }];
/** As many as fit into a test that runs every day: more than a hundred in a second. */
const FLOOD = 2_000;
const IDENTITIES = 150;

let product: Product;

beforeAll(async () => {
  product = await startProduct(storeVars(
    { slug: "worked", items, gates: "{ work = 2000 }", opensAfter: "1h", closesAfter: "2h" },
    { slug: "other", items, gates: "{ work = 2000 }", opensAfter: "1h", closesAfter: "2h" },
    { slug: "human", items, gates: '{ turnstile = "1x00000000000000000000AA" }', opensAfter: "1h", closesAfter: "2h" },
    { slug: "flood", items, budgets: "{ joins = 25 }", opensAfter: "1h", closesAfter: "2h" },
    { slug: "pressed", items, gates: "{ work = 1000 }", budgets: "{ joins = 5000, holds = 20 }", hold: "10s", claimWindow: "10m" },
  ));
});
afterAll(() => product?.stop());

/** Somebody in a network of their own, or in one that is named. */
function visitor(drop: string, network = `net-${Math.random()}`): Shopper {
  return new Shopper(product.store, drop, { headers: { rehearsal: `${product.rehearsalKey} ${network}` } });
}

function behaviour(body: object): Promise<Answer> {
  return request("PUT", `${product.sandbox}/sandbox/behaviour`, { body });
}

/** What the built storefront answers to `/healthz` as a deployed Worker with these secrets. */
async function statusInProduction(secrets: Readonly<Record<string, string>>): Promise<number> {
  const store = { name: "Test", currency: "EUR", support: "help@store.example", brand: { mark: "T", ink: "#17130f", paper: "#f4efe6", accent: "#c2410c" } };
  const region = { label: "Berlin", country: "DE", near: { lat: 52.52, lon: 13.405 }, locale: "de-DE", pickup: [{ id: "kiosk-k", label: "Kiosk K" }] };
  const folder = path.join(PROJECT, ".build", "storefront");
  const worker = new Miniflare(convertV4MiniflareOptions({
    cf: false,
    workers: [{
      name: "storefront", compatibilityDate: "2026-10-15", compatibilityFlags: ["nodejs_compat"], modulesRoot: folder, modules: [{ type: "ESModule", path: path.join(folder, "index.js") }],
      bindings: { ENVIRONMENT: "production", STORE: store, REGION_BERLIN: region, ...secrets },
    }],
  }));
  try {
    return (await worker.dispatchFetch("http://store.example/healthz")).status;
  } finally {
    await worker.dispose();
  }
}

const withWork = (work: unknown) => ({ solution: { work } });
const retryAfter = (answer: Answer) => Number(answer.headers.get("retry-after"));

hostile(17, "a solved challenge used a second time, by the same ticket for other wants or by 50 others at once, answer 403 challenge_failed; the ticket stays as it was", async () => {
  const shopper = visitor("worked");
  const work = await workFor(shopper);
  const first = await shopper.join(WANTS, withWork(work));
  expect(first.status).toBe(201);
  await unchanged(product, DROPS, async () => {
    expect((await shopper.join(WANTS, withWork(work))).body).toEqual(first.body);
    expectRefusal(await shopper.join([{ sku: "TEE", quantity: 2 }], withWork(work)), 403, "challenge_failed");
    const thieves = Array.from({ length: 50 }, () => visitor("worked"));
    const answers = await inParallel(thieves, 50, (thief) => thief.join(WANTS, withWork(work)));
    for (const answer of answers) expectRefusal(answer, 403, "challenge_failed");
    expect((await request("GET", thieves[0]?.url(`/api/drops/worked/tickets/${thieves[0]?.ticketId}`) ?? "")).status).toBe(404);
  });
  expect((await shopper.proven("PUT", `/api/drops/worked/tickets/${shopper.ticketId}`, shopper.ticket, { jwk: await shopper.publicKey(), wants: [{ sku: "TEE", quantity: 2 }] })).status).toBe(201);
});

hostile(18, "a solution for another drop or another ticket, for a later end, or with easier parameters, answer 403 challenge_failed", async () => {
  const [shopper, elsewhere, somebody] = [visitor("worked"), visitor("other"), visitor("worked")];
  const [work, foreign, borrowed] = [await workFor(shopper), await workFor(elsewhere), await workFor(somebody)];
  const twisted = (parameters: object): Work => ({ ...work, challenge: { ...work.challenge, parameters: { ...work.challenge.parameters, ...parameters } } });
  const { data, expiresAt } = work.challenge.parameters;
  const tries = {
    "another drop's": foreign,
    "another drop's with the name written over": { ...foreign, challenge: { ...foreign.challenge, parameters: { ...foreign.challenge.parameters, data } } },
    "another ticket's": borrowed,
    "another ticket's signature": { ...work, challenge: { ...work.challenge, signature: borrowed.challenge.signature } },
    "a later end": twisted({ expiresAt: Number(expiresAt) + 600 }),
    "an end long ago": twisted({ expiresAt: 1 }),
    "one round": twisted({ cost: 1 }),
    "less work": twisted({ data: { ...data, work: 1 } }),
    "a prefix of one byte": twisted({ keyPrefix: "00" }),
    "another algorithm": twisted({ algorithm: "SHA-256" }),
    "no signature": { ...work, challenge: { ...work.challenge, signature: "" } },
    "a counter beside it": { ...work, solution: { ...work.solution, counter: work.solution.counter + 1 } },
  };
  await unchanged(product, DROPS, async () => {
    for (const [what, shown] of Object.entries(tries)) {
      const answer = await shopper.join(WANTS, withWork(shown));
      expect(answer.body.gate, what).toBe("work");
      expectRefusal(answer, 403, "challenge_failed");
    }
    for (const member of ["memoryCost", "keySignature", "__proto__"]) {
      const text = JSON.stringify({ jwk: await shopper.publicKey(), wants: WANTS, ...withWork(work) }).replace('"parameters":{', `"parameters":{"${member}":1,`);
      expectRefusal(await sendRaw("PUT", shopper.url(`/api/drops/worked/tickets/${shopper.ticketId}`), text), 422, "invalid_request");
    }
  });
  expect((await shopper.join(WANTS, withWork(work))).status).toBe(201);
});

hostile(19, "a proof of work or a Turnstile token that is missing, empty or 10 MB long, answer 403 or 413, and nobody is asked about it", async () => {
  await behaviour({ turnstile: { mode: "error" } });
  await unchanged(product, DROPS, async () => {
    for (const [drop, gate] of [["worked", "work"], ["human", "turnstile"]] as const) {
      const shopper = visitor(drop);
      const url = shopper.url(`/api/drops/${drop}/tickets/${shopper.ticketId}`);
      for (const shown of [{}, { solution: {} }, ...(gate === "turnstile" ? [{ solution: { turnstile: "" } }] : [])]) {
        const answer = await shopper.join(WANTS, shown);
        expectRefusal(answer, 403, "challenge_needed");
        expect(answer.body.gate).toBe(gate);
      }
      expectRefusal(await sendDeclared(url, "PUT", 10_000_000, shopper.headers), 413, "too_large");
      expectRefusal(await shopper.join(WANTS, { solution: { [gate]: "x".repeat(17_000) } }), 413, "too_large");
      expectRefusal(await shopper.join(WANTS, { solution: { [gate]: "x".repeat(2_049) } }), 422, "invalid_request");
      expectRefusal(await shopper.join(WANTS, { solution: { [gate]: null } }), 422, "invalid_request");
    }
    const shopper = visitor("worked");
    for (const body of [{}, undefined]) expectRefusal(await request("POST", shopper.url("/api/drops/worked/challenges"), body === undefined ? {} : { body }), 422, "invalid_request");
    expectRefusal(await sendDeclared(shopper.url("/api/drops/worked/challenges"), "POST", 10_000_000), 413, "too_large");
  });
  await behaviour({});
});

hostile(20, "siteverify that answers 500, a page, nothing, or a yes for another host or action, answer never a ticket", async () => {
  const shopper = visitor("human");
  const shown = () => ({ solution: { turnstile: widgetToken(shopper) } });
  await unchanged(product, DROPS, async () => {
    for (const mode of ["error", "html", "timeout"]) {
      await behaviour({ turnstile: { mode } });
      const answer = await shopper.join(WANTS, shown());
      expectRefusal(answer, 503, "temporarily_unavailable");
      expect(retryAfter(answer)).toBeGreaterThanOrEqual(1);
    }
    for (const mode of ["other-host", "other-action"]) {
      await behaviour({ turnstile: { mode } });
      expectRefusal(await shopper.join(WANTS, shown()), 403, "challenge_failed");
    }
    await behaviour({});
    for (const facts of [{ hostname: "evil.example" }, { action: "login" }, { cdata: visitor("human").ticketId }, { at: Date.now() - 600_000 }]) {
      expectRefusal(await shopper.join(WANTS, { solution: { turnstile: widgetToken(shopper, facts) } }), 403, "challenge_failed");
    }
    expectRefusal(await shopper.join(WANTS, { solution: { turnstile: "XXXX.DUMMY.TOKEN.XXXX" } }), 403, "challenge_failed");
    expect((await request("GET", shopper.url(`/api/drops/human/tickets/${shopper.ticketId}`))).status).toBe(404);
  });
  const genuine = shown();
  expect((await shopper.join(WANTS, genuine)).status).toBe(201);
  expect((await shopper.join(WANTS, genuine)).status).toBe(201);
  expectRefusal(await visitor("human").join(WANTS, genuine), 403, "challenge_failed");
});

hostile(21, "Turnstile's dummy keys in production, answer the config is refused by name, and a Worker with the dummy secret serves nothing", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "tranche-dummy-"));
  try {
    const file = path.join(folder, "store.toml");
    writeFileSync(file, storeVars({ slug: "dummy", items, gates: '{ turnstile = "1x00000000000000000000AA" }' }).replaceAll('"+0s"', '"2026-12-04T18:00:00Z"').replace('"+1s"', '"2026-12-04T19:00:00Z"').replace('"+1h"', '"2026-12-04T20:00:00Z"'));
    const checked = spawnSync(process.execPath, [path.join(PROJECT, "src", "cli", "check.ts"), "--deploy", "--config", file], { encoding: "utf8" });
    expect(checked.status).toBe(1);
    expect(checked.stderr).toContain("DROP_DUMMY.gates.turnstile");
    for (const [secret, status] of [["1x0000000000000000000000000000000AA", 503], ["0x4AAAAAAADnPIDROzLHI0LrI2xWxK2aTR4", 200]] as const) {
      expect(await statusInProduction({ TURNSTILE_SECRET: secret }), secret).toBe(status);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

hostile(14, `${FLOOD} joins at once from one network that may join 25 times a minute, answer 25 tickets and 429 with Retry-After for the rest; others join`, async () => {
  const crowd = Array.from({ length: FLOOD }, () => visitor("flood", "one-address"));
  const neighbours = Array.from({ length: 20 }, () => visitor("flood"));
  const [answers, others] = await Promise.all([
    inParallel(crowd, 100, (shopper) => shopper.join(WANTS)),
    inParallel(neighbours, 2, (shopper) => shopper.join(WANTS)),
  ]);
  const refused = answers.filter(({ status }) => status !== 201);
  expect(answers.length - refused.length).toBe(25);
  for (const answer of refused) {
    expectRefusal(answer, 429, "too_many_requests");
    expect(retryAfter(answer)).toBeGreaterThanOrEqual(1);
    expect(retryAfter(answer)).toBeLessThanOrEqual(60);
  }
  expect(others.map(({ status }) => status)).toEqual(Array(20).fill(201));
  await expect.poll(async () => (await request("GET", `${product.store}/api/drops/flood/live`)).body.waiting, { timeout: 10_000 }).toBe(45);
});

hostile(7, `${IDENTITIES} identities of one network with their work done, answer 20 holds, ten of them for half the time, and 429 for the rest; others hold, and all of it is back within the hold's time`, async () => {
  const crowd = Array.from({ length: IDENTITIES }, () => visitor("pressed", "one-address"));
  const home = visitor("pressed");
  await inParallel([...crowd, home], 16, async (shopper) => expect((await shopper.join(WANTS, withWork(await workFor(shopper)))).status).toBe(201));
  await inParallel([...crowd, home], 16, (shopper) => shopper.admitted());
  const startedAt = Date.now();
  const answers = await inParallel(crowd, 50, (shopper) => shopper.hold(WANTS));
  const tookMs = Date.now() - startedAt;
  expect(tookMs, "the machine was too slow to tell five seconds from ten").toBeLessThan(4_000);
  const refused = answers.filter(({ status }) => status !== 201);
  expect(answers.length - refused.length).toBe(20);
  for (const answer of refused) expectRefusal(answer, 429, "too_many_requests");
  expect(Math.min(...refused.map(retryAfter))).toBeGreaterThanOrEqual(1);
  // Ten seconds each while half of the budget is free, five from then on.
  const lasted = answers.flatMap((answer) => (answer.status === 201 ? [Date.parse(String(answer.body.expiresAt)) - startedAt] : [])).toSorted((a, b) => a - b);
  expect(lasted[9]).toBeLessThan(5_000 + tookMs + 50);
  expect(lasted[10]).toBeGreaterThanOrEqual(10_000 - 50);
  const apart = await home.hold(WANTS);
  expect(apart.status).toBe(201);
  expect(Date.parse(String(apart.body.expiresAt)) - Date.now()).toBeGreaterThan(7_000);
  // Where nothing is paced nobody waits for the seal of who came late; it follows within a second or two.
  await expect.poll(() => verifyRecord(product.store, "pressed"), { timeout: 6_000 }).toMatchObject({ failures: [], heldUnits: 21 });
  await wait(10_500);
  const [later] = crowd.slice(-1);
  expect((await later?.hold(WANTS))?.status).toBe(201);
  expect(await verifyRecord(product.store, "pressed")).toMatchObject({ failures: [], heldUnits: 1 });
});

hostileBeyond("a stolen ticket shown to change its wants without the gates, answer 401 credential_invalid", async () => {
  const [owner, thief] = [visitor("worked"), visitor("worked")];
  expect((await owner.join(WANTS, withWork(await workFor(owner)))).status).toBe(201);
  const body = { jwk: await owner.publicKey(), wants: [{ sku: "TEE", quantity: 2 }] };
  await unchanged(product, DROPS, async () => {
    expectRefusal(await thief.proven("PUT", `/api/drops/worked/tickets/${owner.ticketId}`, owner.ticket, body), 401, "credential_invalid");
    expectRefusal(await owner.proven("PUT", `/api/drops/worked/tickets/${thief.ticketId}`, owner.ticket, body), 401, "credential_invalid");
  });
});

countHostile("Bot protection");
countApart("hostile-gates");
