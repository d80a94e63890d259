import { chromium, type Browser, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findChromium } from "../support/chromium.ts";
import { startProduct, type Product } from "../support/product.ts";
import { storeVars } from "../support/store-config.ts";

/*
 * What a drop asks at its door, as a phone does it: the most work that a drop
 * may ask for, and a widget, in a browser that compiles no script too.
 */

const PHONE = { width: 390, height: 844 };
/** What a phone is slower than the machine that tests. */
const SLOWDOWN = 6;
const items = [{ sku: "ONE", priceMinor: 4200, quantity: 5 }];

let product: Product;
let browser: Browser;
let slow: Browser;

beforeAll(async () => {
  const launch = await findChromium();
  [browser, slow] = await Promise.all([chromium.launch(launch), chromium.launch({ ...launch, args: [...launch.args, "--js-flags=--jitless"] })]);
  product = await startProduct(storeVars(
    { slug: "gated", items, gates: '{ work = 500000, turnstile = "1x00000000000000000000AA" }', opensAfter: "1h", closesAfter: "2h", limitPerPerson: 1 },
    { slug: "worked", items, gates: "{ work = 500000 }", opensAfter: "1h", closesAfter: "2h", limitPerPerson: 1 },
    { slug: "plain", items, opensAfter: "1h", closesAfter: "2h", limitPerPerson: 1 },
  ));
});
afterAll(async () => {
  await Promise.all([browser?.close(), slow?.close()]);
  await product?.stop();
});

interface Visit {
  readonly page: Page;
  readonly loaded: string[];
  readonly complaints: string[];
}

async function visit(drop: string, from: Browser, prepare: (page: Page) => Promise<unknown> = async () => null): Promise<Visit> {
  const context = await from.newContext({ viewport: PHONE, isMobile: true, hasTouch: true, reducedMotion: "reduce" });
  const page = await context.newPage();
  const visited: Visit = { page, loaded: [], complaints: [] };
  page.on("pageerror", (error) => visited.complaints.push(error.message));
  page.on("console", (message) => {
    if (/Content Security Policy|TrustedType/i.test(message.text())) visited.complaints.push(message.text());
  });
  context.on("request", (request) => visited.loaded.push(new URL(request.url()).pathname));
  await prepare(page);
  await page.goto(`${product.store}/berlin/${drop}`);
  return visited;
}

const panel = (page: Page, step: string) => page.locator(`[data-panel="${step}"]`);

/** Presses join and answers how long it took to be in. */
async function join(page: Page, limitMs = 20_000): Promise<number> {
  const button = page.locator('[data-do="join"]:enabled');
  await button.waitFor({ timeout: limitMs });
  const startedAt = performance.now();
  await button.tap();
  await panel(page, "waiting").waitFor({ state: "visible", timeout: limitMs });
  return performance.now() - startedAt;
}

describe("the gates of a drop", () => {
  test("are passed before anybody presses join, so that joining is instant, and no policy of the page is broken", async () => {
    const { page, loaded, complaints } = await visit("gated", browser);
    await expect.poll(() => loaded.filter((path) => path.endsWith("/challenges")).length, { timeout: 10_000 }).toBe(1);
    await expect.poll(() => page.workers().length, { timeout: 10_000 }).toBe(0);
    const tookMs = await join(page);
    expect(tookMs).toBeLessThan(2_000);
    expect(loaded.filter((path) => path.endsWith("/challenges"))).toHaveLength(1);
    expect(complaints).toEqual([]);
    console.log(`gates: joined ${Math.round(tookMs)} ms after the press, the work done before`);
  });

  test("are passed again by nobody who only changes what they want", async () => {
    const { page, loaded, complaints } = await visit("worked", browser);
    await join(page);
    const before = loaded.filter((path) => path.endsWith("/challenges")).length;
    await page.locator('[data-panel="waiting"] [data-do="change"]').tap();
    await page.locator('[data-do="join"]:enabled').tap();
    await panel(page, "waiting").waitFor({ state: "visible" });
    expect(loaded.filter((path) => path.endsWith("/challenges"))).toHaveLength(before);
    expect(await page.locator('[data-fill="refusal"]').isVisible()).toBe(false);
    expect(complaints).toEqual([]);
  });

  test("say what is going on when they take long, and go on by themselves", async () => {
    const { page } = await visit("worked", browser, (fresh) => fresh.context().route("**/challenges", async (route) => {
      await new Promise((resolve) => setTimeout(resolve, 4_000));
      await route.continue();
    }));
    await page.locator('[data-do="join"]:enabled').tap();
    await page.getByText("Getting your place ready…").waitFor({ state: "visible", timeout: 6_000 });
    await panel(page, "waiting").waitFor({ state: "visible", timeout: 20_000 });
    expect(await page.getByText("Getting your place ready…").isVisible()).toBe(false);
  });

  test(`take less than five seconds, all of it, on a browser without a compiler whose processor is ${SLOWDOWN} times slower`, async () => {
    const { page, complaints } = await visit("worked", slow, async (fresh) => {
      const devtools = await fresh.context().newCDPSession(fresh);
      await devtools.send("Emulation.setCPUThrottlingRate", { rate: SLOWDOWN });
    });
    const tookMs = await join(page);
    console.log(`gates: joined ${Math.round(tookMs)} ms after the press without a compiler, ${SLOWDOWN} times slower, the work begun with the page`);
    expect(tookMs).toBeLessThan(5_000);
    expect(complaints).toEqual([]);
  });

  test("cost a drop without any nothing: no module, no worker, no script of another house", async () => {
    const { page, loaded, complaints } = await visit("plain", browser);
    await join(page);
    expect(loaded.filter((path) => /door|work|turnstile|challenges/.test(path))).toEqual([]);
    expect(page.workers()).toEqual([]);
    expect(complaints).toEqual([]);
  });
});
