import { chromium, type Browser, type BrowserContext, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectAccessible } from "../support/accessibility.ts";
import { findChromium } from "../support/chromium.ts";
import { mailedCode } from "../support/mailbox.ts";
import { startProduct, type Product } from "../support/product.ts";
import { storeVars } from "../support/store-config.ts";

/*
 * The whole story on the served product in browsers that run no script, on a
 * small and on a very small telephone, beside one that runs it.
 */

let product: Product;
let browser: Browser;
let judge: Page;
let judged = "";
const contexts: BrowserContext[] = [];

beforeAll(async () => {
  browser = await chromium.launch(await findChromium());
  judge = await browser.newPage();
  await judge.route("**/*", (route) => {
    const kind = route.request().resourceType();
    if (kind === "script") return route.abort();
    return kind === "document" ? route.fulfill({ contentType: "text/html", body: judged }) : route.continue();
  });
  product = await startProduct(
    storeVars({
      slug: "plain",
      items: [{ sku: "PLAIN-1", priceMinor: 4200, quantity: 2 }],
      opensAfter: "22s",
      stages: '[ { share = 50, after = "0s" }, { share = 50, after = "24s" } ]',
      limitPerPerson: 1,
      gates: "{ work = 20000, email = true }",
      admit: "paced",
      claimWindow: "10s",
    }).replace('locale = "de-DE"', 'locale = "de-DE"\nshipsTo = ["DE"]'),
  );
});
afterAll(async () => {
  await browser?.close();
  await product?.stop();
});

async function visit(width = 390): Promise<Page> {
  const context = await browser.newContext({ viewport: { width, height: 844 }, javaScriptEnabled: false });
  contexts.push(context);
  return context.newPage();
}

const textOf = async (page: Page) => (await page.locator("main").textContent()) ?? "";
const heading = (page: Page, name: string | RegExp, timeout = 20_000) => page.getByRole("heading", { level: 1, name }).waitFor({ timeout });

/** Judged with script, which the judge itself needs and the page does not get: the very document that the other browser shows. */
async function expectUsable(page: Page): Promise<void> {
  judged = await page.content();
  await judge.setViewportSize(page.viewportSize() ?? { width: 390, height: 844 });
  await judge.goto(page.url());
  await expectAccessible(judge);
  // Nothing is cut off or has to be scrolled for sideways, and whatever is pressed is large enough for a thumb.
  expect(await judge.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBe(0);
  const small = await judge.evaluate(() => [...document.querySelectorAll<HTMLElement>("main button, main a.main, main a.quiet, main select, main input:not([type=hidden]):not([type=radio]):not([tabindex])")].filter((element) => element.getBoundingClientRect().height < 44).map((element) => element.outerHTML.slice(0, 120)));
  expect(small).toEqual([]);
}

/** From the drop's page to a place, as somebody would click through it. */
async function join(page: Page, email: string): Promise<void> {
  await page.goto(`${product.store}/berlin/plain`);
  await page.getByRole("link", { name: "Continue without JavaScript" }).first().click();
  await heading(page, "Join without JavaScript");
  await expectUsable(page);
  await page.getByLabel("E-mail address").fill(email);
  await page.waitForTimeout(350);
  await page.getByRole("button", { name: "Send me a code" }).click();
  await heading(page, "Is this you?");
  await expectUsable(page);
  await page.getByLabel("Code from the mail").fill(await mailedCode(product, email));
  await page.getByRole("button", { name: "Get my place" }).click();
  await heading(page, "You are in");
}

describe("a drop that asks for work and for an address, without JavaScript", () => {
  const people: { readonly page: Page; readonly email: string }[] = [];
  let winner: Page;
  let loser: Page;

  test("two people join by plain forms and see when it opens, in the region's own time", async () => {
    for (const [width, email] of [[390, "first@shopper.example"], [320, "second@shopper.example"]] as const) {
      const page = await visit(width);
      await join(page, email);
      expect(await textOf(page)).toMatch(/The drop opens \w+, .*\d\d:\d\d (CET|CEST)/);
      expect(await textOf(page)).toContain("1 × Item PLAIN-1");
      await expectUsable(page);
      people.push({ page, email });
    }
  });

  test("the page looks again by itself, and stops when it is told to", async () => {
    const [{ page } = { page: await visit() }] = people;
    await page.getByRole("link", { name: "Stop that" }).click();
    await page.getByRole("link", { name: "Look again", exact: true }).waitFor();
    const quiet = await page.goto(page.url());
    expect(quiet?.headers()["refresh"]).toBeUndefined();
    await page.getByRole("link", { name: "Let the page look again by itself" }).click();
    await page.getByRole("link", { name: "Stop that" }).waitFor();
  });

  test("the draw calls one of them, who holds the unit of the first stage until a time that is named", async () => {
    const turn = (page: Page) => heading(page, "It is your turn", 60_000).then(() => page);
    winner = await Promise.any(people.map(({ page }) => turn(page)));
    loser = people.find(({ page }) => page !== winner)?.page ?? winner;
    await expectUsable(winner);
    await winner.waitForTimeout(350);
    await winner.getByRole("button", { name: "Hold it for me" }).click();
    await heading(winner, "Held for you");
    expect(await textOf(winner)).toMatch(/Held until \d\d:\d\d:\d\d (CET|CEST)/);
    await expectUsable(winner);
  });

  test("the other is told that it is sold out in this stage, when the next one opens, and that the place is kept", async () => {
    await heading(loser, "Sold out in this stage", 30_000);
    expect(await textOf(loser)).toMatch(/Stage 2 opens at .*\d\d:\d\d (CET|CEST).*place is kept/s);
    await expectUsable(loser);
  });

  test("what is wrong with an order is said beside the field, and what was entered stays", async () => {
    await winner.getByLabel("E-mail for the receipt").fill("somebody-else@shopper.example");
    await winner.getByLabel("Send it to me").check();
    await winner.getByLabel("Name").fill("Ana Winner");
    await winner.getByLabel("City").fill("Berlin");
    await winner.waitForTimeout(350);
    await winner.getByRole("button", { name: "Order and pay" }).click();
    await heading(winner, "Held for you");
    expect(await winner.getByLabel("Street and number").getAttribute("aria-invalid")).toBe("true");
    expect(await winner.getByLabel("Name").inputValue()).toBe("Ana Winner");
    expect(await winner.getByLabel("Send it to me").isChecked()).toBe(true);
    await expectUsable(winner);
    // A place is not for selling on: an order of another address is refused, and nothing is lost by it.
    await winner.getByLabel("Pick it up").check();
    await winner.waitForTimeout(350);
    await winner.getByRole("button", { name: "Order and pay" }).click();
    expect(await winner.locator("#email-mistake").textContent()).toContain("Your place belongs to");
  });

  test("the winner orders, pays on the provider's page, and reads the receipt, which no address contains", async () => {
    await winner.getByLabel("E-mail for the receipt").fill(people.find(({ page }) => page === winner)?.email ?? "");
    await winner.waitForTimeout(350);
    await winner.getByRole("button", { name: "Order and pay" }).click();
    await winner.waitForURL(`${product.sandbox}/**`, { timeout: 20_000 });
    await winner.getByRole("button", { name: /^pay/i }).first().click();
    await winner.waitForURL(`${product.store}/orders/**`, { timeout: 20_000 });
    await heading(winner, "It is yours", 30_000);
    const text = await textOf(winner);
    for (const words of ["42,00", "Item PLAIN-1", "paid", "Kiosk K, 17:00–17:30"]) expect(text).toContain(words);
    expect(winner.url()).toMatch(/\/orders\/ord_[0-9A-Z]{26}$/);
    await expectUsable(winner);
    const signed = await winner.request.get(`${winner.url()}/receipt`);
    expect(await signed.json()).toMatchObject({ receipt: { kind: "receipt" }, signature: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/) });
    // Another browser that knows the address reads nothing.
    const stranger = await visit();
    await stranger.goto(winner.url());
    expect(await textOf(stranger)).not.toMatch(/42,00|Kiosk K/);
  });

  test("the next stage goes to the other, who gives it up and keeps the place", async () => {
    await heading(loser, "It is your turn", 60_000);
    await loser.waitForTimeout(350);
    await loser.getByRole("button", { name: "Hold it for me" }).click();
    await heading(loser, "Held for you");
    await loser.waitForTimeout(350);
    await loser.getByRole("button", { name: "Give it up" }).click();
    await heading(loser, /It is your turn|You are in line/);
  });

  test("no cookie can be read by a page or sent over an open line, and each belongs to this host alone", async () => {
    const cookies = (await Promise.all(contexts.map((context) => context.cookies()))).flat().filter(({ name }) => name.startsWith("__Host-"));
    expect(cookies.length).toBeGreaterThan(3);
    for (const cookie of cookies) expect(cookie).toMatchObject({ httpOnly: true, secure: true, sameSite: "Lax", path: "/", domain: new URL(product.store).hostname });
  });

  test("only the keyboard is needed from the form to the code", async () => {
    const page = await visit();
    await page.goto(`${product.store}/berlin/plain/line`);
    await page.getByLabel("E-mail address").focus();
    await page.keyboard.type("keyboard@shopper.example");
    await page.waitForTimeout(350);
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await heading(page, "Is this you?");
  });
});
