import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { chromium, type Browser, type BrowserContext, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectAccessible } from "../support/accessibility.ts";
import { findChromium } from "../support/chromium.ts";
import { inParallel, paidOrder } from "../support/crowd.ts";
import { startProduct, type Product } from "../support/product.ts";
import { Shopper } from "../support/shopper.ts";
import { storeVars } from "../support/store-config.ts";

/*
 * The record of a real drop, checked by strangers: in a terminal, and in a
 * browser at a phone's width.
 */

const PROJECT = path.resolve(import.meta.dirname, "../..");
const PHONE = { width: 390, height: 844 };
const PEOPLE = 24;

let product: Product;
let browser: Browser;
let folder: string;
let someone: Shopper;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "tranche-verify-"));
  browser = await chromium.launch(await findChromium());
  product = await startProduct(storeVars({ slug: "proof", items: [{ sku: "PROOF-1", priceMinor: 4200, quantity: 8 }], opensAfter: "5s", limitPerPerson: 1, admit: "paced", shards: 3, claimWindow: "5s", beacon: "sandbox" }));
  const crowd = Array.from({ length: PEOPLE }, () => new Shopper(product.store, "proof"));
  await inParallel(crowd, 16, (shopper) => shopper.join([{ sku: "PROOF-1", quantity: 1 }]));
  [someone] = crowd as [Shopper];
  const until = Date.now() + 90_000;
  let sold = 0;
  await inParallel(crowd, PEOPLE, async (shopper) => {
    while (Date.now() < until && sold < 8) {
      if ((await shopper.claim()).status === 201) {
        const held = await shopper.hold([{ sku: "PROOF-1", quantity: 1 }]);
        if (held.status === 201) {
          await paidOrder(shopper, held.body.id);
          sold++;
          return;
        }
      }
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  });
});
afterAll(async () => {
  await browser?.close();
  await product?.stop();
  await rm(folder, { recursive: true, force: true });
});

function verify(...words: readonly string[]): Promise<{ readonly code: number | null; readonly output: string }> {
  const child = spawn(process.execPath, [path.join(PROJECT, "src/cli/verify.ts"), ...words], { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => { output += chunk.toString(); });
  child.stderr.on("data", (chunk: Buffer) => { output += chunk.toString(); });
  return new Promise((resolve) => child.once("exit", (code) => resolve({ code, output })));
}

describe("npm run verify", () => {
  test.each(["/drops/proof/record", "/api/drops/proof/record", "/berlin/proof"])("says yes to a real drop from the address %s", async (address) => {
    const { code, output } = await verify(`${product.store}${address}`);
    expect(output).toMatch(/^Yes\. All \d+ rows were recomputed/);
    expect(output).toContain(`${PEOPLE} entries`);
    expect(output).toContain("of round ");
    expect(code).toBe(0);
  });

  test("tells a ticket's owner that it is in the draw, by its proof", async () => {
    const { code, output } = await verify(`${product.store}/drops/proof/record`, "--ticket", someone.ticketId);
    expect([code, output]).toEqual([0, expect.stringContaining(`Your ticket is in it: its entry ${someone.entry.slice(0, 12)}`)]);
  });

  test("saves a bundle that says the same without the store, and says where a changed one is wrong", async () => {
    const file = path.join(folder, "bundle.json");
    expect((await verify(`${product.store}/drops/proof/record`, "--save", file)).code).toBe(0);
    expect((await verify(file)).code).toBe(0);
    const text = await readFile(file, "utf8");
    const changed = text.replace(/\\"kind\\":\\"admit\\"/, '\\"kind\\":\\"cancel\\"');
    expect(changed).not.toBe(text);
    await writeFile(file, changed);
    const { code, output } = await verify(file);
    expect([code, output]).toEqual([1, expect.stringMatching(/^No\. .*The first: Row \d+ \(cancel\) was changed after it was written/)]);
  });

  test("does not say yes to what it could not check: rows alone, no file, no drop, no store", async () => {
    const rows = path.join(folder, "rows.ndjson");
    await writeFile(rows, await (await fetch(`${product.store}/api/drops/proof/record`)).text());
    expect(await verify(rows, "--drop", "proof")).toEqual({ code: 2, output: expect.stringContaining("Nothing is wrong as far as this could be checked, and not everything could be.") });
    for (const words of [[], [path.join(folder, "nothing.json")], [`${product.store}/drops/nothing/record`], ["http://127.0.0.1:9/drops/proof/record"], ["http://127.0.0.1:9/"]]) expect((await verify(...words)).code).toBe(2);
  });
});

describe("the record's page on a phone", () => {
  const complaints: string[] = [];
  let context: BrowserContext;

  async function open(address = "/drops/proof/record"): Promise<Page> {
    const page = await context.newPage();
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("console", (message) => {
      if (/Content Security Policy|TrustedType|Trusted Type/i.test(message.text())) complaints.push(message.text());
    });
    await page.goto(`${product.store}${address}`);
    return page;
  }

  beforeAll(async () => {
    context = await browser.newContext({ viewport: PHONE, isMobile: true, hasTouch: true, reducedMotion: "reduce" });
  });

  test("checks the whole record by itself, by keyboard, and the answer has the focus", async () => {
    const page = await open();
    await expectAccessible(page);
    await page.locator('[data-do="check"]').focus();
    await page.keyboard.press("Enter");
    await page.locator('[data-panel="report"]').waitFor({ state: "visible", timeout: 30_000 });
    expect(await page.locator('[data-fill="verdict"]').textContent()).toBe("Right");
    expect(await page.locator('[data-fill="verdict-sentence"]').textContent()).toMatch(/^Yes\. All \d+ rows/);
    expect(await page.evaluate(() => document.activeElement?.getAttribute("data-fill"))).toBe("verdict");
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
    await expectAccessible(page);
    await page.locator('[data-fill="witness"]', { hasText: "From now on this browser remembers" }).waitFor();
    expect(complaints).toEqual([]);
    await page.close();
  });

  test("without script says how to check it in a terminal, and offers no button that does nothing", async () => {
    const plain = await browser.newContext({ viewport: PHONE, javaScriptEnabled: false });
    const page = await plain.newPage();
    await page.goto(`${product.store}/drops/proof/record`);
    expect(await page.locator('[data-do="check"]').isVisible()).toBe(false);
    expect(await page.locator("#check").textContent()).toContain(`npm run verify -- ${product.store}/drops/proof/record`);
    await plain.close();
  });

  test("complains loudly, and finds the place, when the record is not the one that this browser was shown", async () => {
    const page = await open();
    await page.locator('[data-fill="witness"]', { hasText: "still contains them" }).waitFor();
    const seq = await page.evaluate(() => {
      const seen = JSON.parse(localStorage.getItem("tranche:heads:proof") ?? "null");
      seen.first = { ...seen.first, hash: "0".repeat(64), seq: 5 };
      localStorage.setItem("tranche:heads:proof", JSON.stringify(seen));
      return seen.first.seq as number;
    });
    await page.reload();
    const alarm = page.locator("[data-alarm]");
    await alarm.waitFor();
    expect(await alarm.textContent()).toMatch(/^Do not trust this page\. The public record of this drop was rewritten\. At .* row 5 /);
    expect(await alarm.getAttribute("role")).toBe("alert");
    await expectAccessible(page);
    await page.locator('[data-do="check"]').tap();
    await page.locator('[data-panel="report"]').waitFor({ state: "visible", timeout: 30_000 });
    expect(await page.locator('[data-fill="verdict"]').textContent()).toBe("Wrong");
    expect(await page.locator('[data-part="wrong"]').textContent()).toContain(`Row ${seq}, which was seen before, is another one now`);
    expect(complaints).toEqual([]);
    await page.close();
  });

  test("is preceded by the drop's own page, which complains of a head that goes back", async () => {
    const page = await open("/berlin/proof");
    await page.waitForFunction(() => localStorage.getItem("tranche:heads:proof") !== null);
    await page.evaluate(() => {
      const seen = JSON.parse(localStorage.getItem("tranche:heads:proof") ?? "null");
      const later = { ...seen.latest.at(-1), seq: 9_999 };
      localStorage.setItem("tranche:heads:proof", JSON.stringify({ ...seen, latest: [later] }));
    });
    await page.reload();
    await page.locator("[data-alarm]").waitFor();
    expect(await page.locator("[data-alarm]").textContent()).toMatch(/the record ends at row \d+ now/);
    await page.close();
    await context.close();
  });
});
