import { chromium, type Browser, type BrowserContext, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectAccessible } from "../support/accessibility.ts";
import { findChromium } from "../support/chromium.ts";
import { startProduct, type Product } from "../support/product.ts";
import { storeVars } from "../support/store-config.ts";

/*
 * The whole story on the served product, in a real browser at a phone's width.
 */

const PHONE = { width: 390, height: 844 };

let product: Product;
let browser: Browser;

beforeAll(async () => {
  browser = await chromium.launch(await findChromium());
  product = await startProduct(
    storeVars({
      slug: "last",
      items: [{ sku: "LAST-1", priceMinor: 4200, quantity: 2 }],
      opensAfter: "18s",
      stages: '[ { share = 50, after = "0s" }, { share = 50, after = "24s" } ]',
      limitPerPerson: 1,
      admit: "paced",
      claimWindow: "10s",
    }),
  );
});
afterAll(async () => {
  await browser?.close();
  await product?.stop();
});

interface Visitor {
  readonly context: BrowserContext;
  page: Page;
  readonly complaints: string[];
}

async function openPage(visitor: Visitor): Promise<void> {
  visitor.page = await visitor.context.newPage();
  visitor.page.on("pageerror", (error) => visitor.complaints.push(error.message));
  visitor.page.on("console", (message) => {
    if (/Content Security Policy|TrustedType/i.test(message.text())) visitor.complaints.push(message.text());
  });
  await visitor.page.goto(`${product.store}/berlin/last`);
}

async function visit(): Promise<Visitor> {
  const context = await browser.newContext({ viewport: PHONE, isMobile: true, hasTouch: true, reducedMotion: "reduce" });
  const visitor: Visitor = { context, page: await context.newPage(), complaints: [] };
  await visitor.page.close();
  await openPage(visitor);
  return visitor;
}

const panel = (page: Page, step: string) => page.locator(`[data-panel="${step}"]`);

async function join(visitor: Visitor): Promise<void> {
  // The drop has one item only, so that one of it is chosen already.
  expect(await visitor.page.locator('[data-count="LAST-1"]').textContent()).toBe("1");
  await visitor.page.locator('[data-do="join"]').tap();
  await panel(visitor.page, "waiting").waitFor({ state: "visible" });
}

/** Waits until one of the visitors holds, and answers who does and who does not. */
async function winnerOf(visitors: readonly Visitor[]): Promise<{ winner: Visitor; losers: readonly Visitor[] }> {
  const winner = await Promise.any(visitors.map(async (visitor) => {
    await panel(visitor.page, "held").waitFor({ state: "visible", timeout: 45_000 });
    return visitor;
  }));
  return { winner, losers: visitors.filter((visitor) => visitor !== winner) };
}

async function placeOrder(page: Page, email: string): Promise<void> {
  await page.locator('[data-form="checkout"] input[name="email"]').fill(email);
  await page.locator('[data-form="checkout"] button[type="submit"]').tap();
  await page.waitForURL(`${product.sandbox}/**`, { timeout: 20_000 });
}

describe("a drop, as three people see it on their phones", () => {
  let people: readonly Visitor[] = [];
  let winner: Visitor;
  let losers: readonly Visitor[];

  test("they join the lobby before the drop opens, and each sees the countdown", async () => {
    people = await Promise.all([visit(), visit(), visit()]);
    await expectAccessible(people[0]?.page as Page);
    for (const visitor of people) await join(visitor);
    expect(await people[0]?.page.locator('[data-fill="clock"]').textContent()).toMatch(/\d/);
  });

  test("the draw gives the one unit of the first stage to one of them, with a countdown that a reload does not move", async () => {
    ({ winner, losers } = await winnerOf(people));
    const seconds = async () => {
      const text = (await winner.page.locator('[data-fill="hold-clock"]').textContent()) ?? "";
      return text.split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
    };
    const before = await seconds();
    await winner.page.reload();
    await panel(winner.page, "held").waitFor({ state: "visible" });
    expect(await seconds()).toBeLessThanOrEqual(before);
    await expectAccessible(winner.page);
  });

  test("the others are told honestly that it is gone for now, and when the next stage opens", async () => {
    for (const { page } of losers) {
      await panel(page, "stage-out").waitFor({ state: "visible", timeout: 20_000 });
      const text = (await panel(page, "stage-out").textContent()) ?? "";
      expect(text).toMatch(/Sold out in this stage/);
      expect(text).toMatch(/Stage 2 opens at .*\d/);
      expect(text).toMatch(/place is kept/);
    }
    await expectAccessible(losers[0]?.page as Page);
  });

  test("one who closes the tab and comes back still has the place", async () => {
    const [, third] = losers;
    if (third === undefined) throw new Error("two people lost");
    const entry = await third.page.locator('[data-panel="stage-out"] [data-fill="entry"]').textContent();
    expect(entry).toMatch(/^[0-9a-f]{12}/);
    await third.page.close();
    await openPage(third);
    await panel(third.page, "stage-out").waitFor({ state: "visible", timeout: 20_000 });
    expect(await third.page.locator('[data-panel="stage-out"] [data-fill="entry"]').textContent()).toBe(entry);
  });

  test("the winner pays on the provider's page, comes back, and reads a confirmed order and its receipt", async () => {
    const { page } = winner;
    await placeOrder(page, "winner@shopper.example");
    await expectAccessible(page);
    await page.getByRole("button", { name: /^pay/i }).first().tap();
    await page.waitForURL(`${product.store}/orders/**`, { timeout: 20_000 });
    await page.getByRole("heading", { name: "It is yours" }).waitFor({ timeout: 30_000 });
    const text = (await page.locator("main").textContent()) ?? "";
    expect(text).toMatch(/42,00/);
    expect(text).toMatch(/LAST-1/);
    expect(page.url()).not.toMatch(/receipt|token|eyJ/);
    await expectAccessible(page);
    await page.reload();
    await page.getByRole("heading", { name: "It is yours" }).waitFor({ timeout: 10_000 });
  });

  test("the next stage goes to the next in line without joining again", async () => {
    const { winner: second } = await winnerOf(losers);
    await panel(second.page, "held").waitFor({ state: "visible" });
    await second.page.locator('[data-do="give-up"]').first().tap();
    const other = losers.find((visitor) => visitor !== second);
    if (other === undefined) throw new Error("two people lost");
    await panel(other.page, "held").waitFor({ state: "visible", timeout: 30_000 });
  });

  test("no page broke its content security policy or threw", () => {
    expect(people.flatMap((visitor) => visitor.complaints)).toEqual([]);
  });
});
