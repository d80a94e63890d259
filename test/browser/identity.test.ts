import { chromium, type Browser, type BrowserContext, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectAccessible } from "../support/accessibility.ts";
import { findChromium } from "../support/chromium.ts";
import { desk } from "../support/hostile.ts";
import { startProduct, type Product } from "../support/product.ts";
import { request } from "../support/shopper.ts";
import { storeVars } from "../support/store-config.ts";

/* Who joins, in a real browser: the code by mail, an invitation for one address, and the code on the pop-up's tablet. */

const PHONE = { width: 390, height: 844 };
const EMAIL = "ana@shopper.example";

let product: Product;
let browser: Browser;
const complaints: string[] = [];

beforeAll(async () => {
  browser = await chromium.launch(await findChromium());
  const items = [{ sku: "ONE", priceMinor: 4200, quantity: 9 }];
  product = await startProduct(storeVars(
    { slug: "named", items, gates: "{ email = true }", opensAfter: "24s", admit: "paced", claimWindow: "1m", limitPerPerson: 1 },
    { slug: "friends", items, gates: "{ email = true }", group: 3, opensAfter: "20m", closesAfter: "2h", admit: "paced", limitPerPerson: 2 },
    { slug: "guests", items, lanes: '[ { lane = "member", share = 10, until = "10m", invite = true } ]', opensAfter: "20m", closesAfter: "2h", admit: "paced", limitPerPerson: 1 },
    { slug: "popup", items, lanes: '[ { lane = "local", share = 20, until = "10m", region = "berlin" } ]', opensAfter: "20m", closesAfter: "2h", admit: "paced", limitPerPerson: 1 },
  ));
});
afterAll(async () => {
  await browser?.close();
  await product?.stop();
});

async function open(path: string, context?: BrowserContext): Promise<Page> {
  const own = context ?? (await browser.newContext({ viewport: PHONE, reducedMotion: "reduce" }));
  const page = await own.newPage();
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    if (/Content Security Policy|TrustedType/i.test(message.text())) complaints.push(message.text());
  });
  await page.goto(new URL(path, product.store).href);
  return page;
}

const panel = (page: Page, step: string) => page.locator(`[data-panel="${step}"]`);
const entryOf = async (page: Page, step: string) => (await panel(page, step).locator('[data-fill="entry"]').textContent()) ?? "";
const focused = (page: Page) => page.evaluate(() => `${document.activeElement?.tagName ?? ""} ${document.activeElement?.getAttribute("name") ?? ""}`.trim());

async function codeFor(email: string, mails: number): Promise<string> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const { body } = await request("GET", `${product.sandbox}/sandbox/mail?to=${encodeURIComponent(email)}`);
    if (body.messages.length >= mails) return /\b\d{8}\b/.exec(String(body.messages[0].text))?.[0] ?? "";
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`no mail to ${email}`);
}

async function tabTo(page: Page, name: string): Promise<void> {
  for (let presses = 0; presses < 12; presses++) {
    await page.keyboard.press("Tab");
    if ((await focused(page)).endsWith(name)) return;
  }
  throw new Error(`${name} is not reached with the keyboard; the focus is on ${await focused(page)}`);
}

describe("a drop that gives places to proven addresses", () => {
  let first: Page;
  let entry = "";

  test("asks for the address and its code, by the keyboard alone, and says in words what is wrong", async () => {
    first = await open("/berlin/named");
    await first.locator('[data-do="join"]').focus();
    await first.keyboard.press("Enter");
    await panel(first, "proving").waitFor({ state: "visible" });
    expect(await first.evaluate(() => document.activeElement?.textContent)).toBe("Who are you?");
    await expectAccessible(first);
    await tabTo(first, "email");
    await first.keyboard.type(EMAIL);
    await first.keyboard.press("Enter");
    await first.locator('[data-form="code"]').waitFor({ state: "visible" });
    // The focus is where the code goes, and the browser is told what that is.
    expect(await focused(first)).toBe("INPUT code");
    expect(await first.locator('input[name="code"]').getAttribute("autocomplete")).toBe("one-time-code");
    expect(await first.locator('[data-do="resend"]').getAttribute("aria-disabled")).toBe("true");
    expect(await first.locator('[data-fill="resend"]').textContent()).toMatch(/another code in \d+ s/);
    await expectAccessible(first);
    const code = await codeFor(EMAIL, 1);
    await first.keyboard.type(String((Number(code) + 1) % 100_000_000).padStart(8, "0"));
    await first.keyboard.press("Enter");
    await first.locator('[role="alert"]:not([hidden])').waitFor();
    expect(await first.locator('[role="alert"]').textContent()).toMatch(/code is not right.*newest mail/s);
    // A reload asks for the code again and not for the address.
    await first.reload();
    await first.locator('[data-form="code"]').waitFor({ state: "visible" });
    await first.locator('input[name="code"]').fill(`${code.slice(0, 4)} ${code.slice(4)}`);
    await first.keyboard.press("Enter");
    await panel(first, "waiting").waitFor({ state: "visible" });
    entry = await entryOf(first, "waiting");
    expect(entry).toMatch(/^[0-9a-f]{12}/);
  });

  test("gives the same place to the same address in another browser, and to nobody else", async () => {
    const second = await open("/berlin/named");
    await second.locator('[data-do="join"]').click();
    await second.locator('[data-form="address"] input').fill("Ana+phone@Shopper.example");
    await second.locator('[data-form="address"] button').click();
    await second.locator('input[name="code"]').fill(await codeFor("Ana+phone@shopper.example", 1));
    await second.locator('[data-form="code"] button[type="submit"]').click();
    await panel(second, "waiting").waitFor({ state: "visible" });
    expect(await entryOf(second, "waiting")).toBe(entry);
    await second.context().close();
  });

  test("fills the order with the address that the place belongs to", async () => {
    await panel(first, "held").waitFor({ state: "visible", timeout: 60_000 });
    const email = first.locator('[data-form="checkout"] input[name="email"]');
    expect(await email.inputValue()).toBe(EMAIL);
    expect(await email.isEditable()).toBe(false);
    await first.locator('[data-form="checkout"] button[type="submit"]').click();
    await first.waitForURL(`${product.sandbox}/**`, { timeout: 20_000 });
  });
});

test("friends stand in line together: their codes are typed in by one of them, who then chooses for all, at 320 pixels and by the keyboard", async () => {
  const context = await browser.newContext({ viewport: { width: 320, height: 640 }, reducedMotion: "reduce" });
  const page = await open("/berlin/friends", context);
  expect(await page.locator('[data-panel="choose"]').textContent()).toContain("Up to three people can stand in line together");
  await page.locator('[data-do="join"]').click();
  await page.locator('[data-form="address"] input').fill("kim@shopper.example");
  await page.keyboard.press("Enter");
  await page.locator("[data-together]").waitFor({ state: "visible" });
  await page.locator("[data-together] summary").focus();
  await page.keyboard.press("Enter");
  await tabTo(page, "friend");
  await page.keyboard.type("leo@shopper.example");
  await page.keyboard.press("Enter");
  await page.locator('[data-friend="leo@shopper.example"] input').waitFor({ state: "visible" });
  expect(await focused(page)).toBe("INPUT friend-code");
  expect(await page.locator('[data-fill="friends-left"]').textContent()).toBe("One more can stand with you.");
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(320);
  await expectAccessible(page);
  const lent = await codeFor("leo@shopper.example", 1);
  const own = page.locator('input[name="code"]');
  const theirs = page.locator('input[name="friend-code"]');
  await theirs.fill(String((Number(lent) + 1) % 100_000_000).padStart(8, "0"));
  await own.fill(await codeFor("kim@shopper.example", 1));
  await page.locator('[data-form="code"] button[type="submit"]').click();
  await page.locator('[role="alert"]:not([hidden])').waitFor();
  expect(await page.locator('[role="alert"]').textContent()).toContain("The code of leo@shopper.example is not right");
  expect([await own.getAttribute("aria-invalid"), await theirs.getAttribute("aria-invalid")]).toEqual(["false", "true"]);
  await theirs.fill(lent);
  // Enter in any of the codes joins with all of them.
  await page.keyboard.press("Enter");
  await panel(page, "choose").waitFor({ state: "visible" });
  expect(await page.locator('[data-fill="limit"]').textContent()).toBe("You are 2 in line together: at most 4 in all.");
  for (let press = 0; press < 3; press++) await page.locator('[data-more="ONE"]').click();
  expect([await page.locator('[data-count="ONE"]').textContent(), await page.locator('[data-more="ONE"]').getAttribute("aria-disabled")]).toEqual(["4", "true"]);
  await page.locator('[data-do="join"]').click();
  await panel(page, "waiting").waitFor({ state: "visible" });
  expect(await panel(page, "waiting").locator('[data-fill="wants"]').textContent()).toBe("4 × Item ONE");

  // Whoever stands there has no place of their own, and is told so in words.
  const alone = await open("/berlin/friends");
  await alone.locator('[data-do="join"]').click();
  await alone.locator('[data-form="address"] input').fill("leo@shopper.example");
  await alone.keyboard.press("Enter");
  await alone.locator('input[name="code"]').fill(await codeFor("leo@shopper.example", 2));
  await alone.keyboard.press("Enter");
  await alone.locator('[role="alert"]:not([hidden])').waitFor();
  expect(await alone.locator('[role="alert"]').textContent()).toMatch(/has a place already.*group's stays with whoever joined/s);
  await Promise.all([context.close(), alone.context().close()]);
});

test("an invitation for one address asks for that address, refuses another one, and leads into its lane", async () => {
  const { body } = await desk(product, "POST", "/desk/api/drops/guests/invites", { lane: "member", emails: [EMAIL] });
  const page = await open(body.invites[0].url);
  expect(new URL(page.url()).pathname).toBe("/berlin/guests");
  // The token is in the page's memory by now, and no longer in the address bar.
  expect(new URL(page.url()).hash).toBe("");
  await page.locator('[data-do="join"]').click();
  await page.locator('[data-form="address"] input').fill("friend@shopper.example");
  await page.locator('[data-form="address"] button').click();
  await page.locator('[role="alert"]:not([hidden])').waitFor();
  expect(await page.locator('[role="alert"]').textContent()).toMatch(/invitation or code is not valid here.*join without it/s);

  await page.goto(body.invites[0].url);
  await page.locator('[data-do="join"]').click();
  await page.locator('[data-form="address"] input').fill(EMAIL);
  await page.locator('[data-form="address"] button').click();
  await panel(page, "waiting").waitFor({ state: "visible" });
  expect(await laneOf(page)).toBe("member");
  await page.context().close();
});

/** The lane of the ticket that the browser remembers. */
const laneOf = (page: Page) => page.evaluate(() => {
  const memories = Object.values(localStorage).map((text) => JSON.parse(String(text)) as { ticket?: { lane: string } | null });
  return memories.find(({ ticket }) => ticket != null)?.ticket?.lane;
});

test("the pop-up's screen takes the desk's key once, shows a code, and whoever scans it enters the local lane with the place they had", async () => {
  const tablet = await open("/desk/presence/popup/berlin");
  await expectAccessible(tablet);
  await tablet.locator('[data-field="key"]').fill("not-the-key-of-this-desk");
  await tablet.keyboard.press("Enter");
  await tablet.getByText("This is not the desk's key.").waitFor();
  await tablet.locator('[data-field="key"]').fill(product.deskKey);
  await tablet.keyboard.press("Enter");
  await tablet.locator("[data-code]").waitFor({ state: "visible" });
  expect(await tablet.locator("[data-code]").getAttribute("src")).toMatch(/^data:image\/svg\+xml/);
  expect(await tablet.locator('[data-fill="left"]').textContent()).toMatch(/Good for 30 tickets/);
  await expectAccessible(tablet);
  // The key is in no address, no field and no storage.
  expect(tablet.url()).toBe(`${product.store}/desk/presence/popup/berlin`);
  expect(await tablet.evaluate(() => [document.documentElement.outerHTML, JSON.stringify([...Object.entries(localStorage), ...Object.entries(sessionStorage)]), [...document.querySelectorAll("input")].map(({ value }) => value).join()].join())).not.toContain(product.deskKey);

  const phone = await open("/berlin/popup");
  await phone.locator('[data-do="join"]').click();
  await panel(phone, "waiting").waitFor({ state: "visible" });
  const entry = await entryOf(phone, "waiting");
  expect(await laneOf(phone)).toBe("open");
  const shown = await desk(product, "GET", "/desk/api/drops/popup/presence/berlin");
  await phone.goto(shown.body.url);
  await panel(phone, "waiting").waitFor({ state: "visible" });
  await expect.poll(() => laneOf(phone), { timeout: 10_000 }).toBe("local");
  expect(await entryOf(phone, "waiting")).toBe(entry);
  expect(complaints).toEqual([]);
});
