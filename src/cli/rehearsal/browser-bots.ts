import { existsSync } from "node:fs";
import type { Browser, Page, Response } from "playwright-core";
import * as v from "valibot";
import type { Bot } from "../../rehearsal/crowd.ts";
import { weightOfTicket } from "../../rehearsal/ticket.ts";
import type { GateNames } from "./gates.ts";
import { type Evening, newEvening } from "./notebook.ts";
import type { Night } from "./shopping.ts";
import { wait } from "./visitor.ts";

const JOINED = v.looseObject({ id: v.string(), entry: v.string(), ticket: v.string(), lane: v.string(), joinedAt: v.string() });
const HELD = v.looseObject({ id: v.pipe(v.string(), v.startsWith("hld_")), lines: v.array(v.looseObject({ quantity: v.number() })) });

const STEP_MS = 60_000;
/** What the page may show to somebody who has a ticket. */
const IN_LINE = ["waiting", "drawing", "line", "called", "stage-out", "short", "held"];

/**
 * Bots that are real headless browsers and use the page as a person would.
 * Answers a sentence for each about how far it came, or why there was none.
 */
export async function browserEvenings(bots: readonly Bot[], night: Night, gates: GateNames, sandbox: string, tell: (line: string) => void): Promise<readonly string[]> {
  if (bots.length === 0) return [];
  const executablePath = [process.env["CHROMIUM"] ?? "", "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((file) => file !== "" && existsSync(file));
  if (executablePath === undefined) {
    tell("skipped: there is no Chromium on this machine; name one with CHROMIUM=/path/to/chromium");
    return ["No real browser took part: there is none on this machine (CHROMIUM=/path/to/chromium names one)."];
  }
  const { chromium } = await import("playwright-core");
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
  try {
    return await Promise.all(bots.map((bot) => browserEvening(browser, bot, night, gates, sandbox)));
  } finally {
    await browser.close();
  }
}

async function browserEvening(browser: Browser, bot: Bot, night: Night, gates: GateNames, sandbox: string): Promise<string> {
  const evening = newEvening(bot);
  night.notebook.evenings.push(evening);
  const context = await browser.newContext({ viewport: { width: 390, height: 844 } });
  const page = await context.newPage();
  page.on("response", (response) => void noteAnswer(response, evening, night));
  const { email } = bot.identity;
  const said = (how: string) => {
    evening.end ||= how;
    return `A real headless browser (${bot.name}) ${how}.`;
  };
  try {
    await page.goto(`${night.surroundings.store}/${bot.region}/${night.surroundings.drop}`);
    await joinByPage(page, email, gates, sandbox, night);
    night.notebook.note("real browsers that joined by the page");
    const isCalled = await isHeldBefore(page, night.closesAt);
    if (!isCalled) return said("joined by the page and was never called");
    await buyByPage(page, email);
    night.notebook.note("real browsers that bought by the page");
    evening.end = "bought";
    return said("joined by the page, was called, and bought");
  } catch (error) {
    return said(`came no further: ${error instanceof Error ? error.message.split("\n")[0] ?? "" : String(error)}`);
  } finally {
    await context.close();
  }
}

/** What the store answers to the page is taken down as any other bot's: otherwise its units would be counted, and its identity not. */
async function noteAnswer(response: Response, evening: Evening, night: Night): Promise<void> {
  const path = new URL(response.url()).pathname;
  if (response.status() !== 201 || !path.startsWith(`/api/drops/${night.surroundings.drop}/`)) return;
  const answer: unknown = await response.json().catch(() => null);
  const joined = v.safeParse(JOINED, answer);
  if (joined.success) {
    const { id, entry, lane, ticket, joinedAt } = joined.output;
    Object.assign(evening, { ticket: id, entry, lane, weight: weightOfTicket(ticket), joinedAt: Date.parse(joinedAt) });
  }
  if (path.endsWith("/passes")) evening.admittedAt ??= Date.now();
  const held = v.safeParse(HELD, answer);
  if (held.success && !evening.holds.some(({ id }) => id === held.output.id)) evening.holds.push({ id: held.output.id, units: held.output.lines.reduce((sum, { quantity }) => sum + quantity, 0) });
}

async function joinByPage(page: Page, email: string, gates: GateNames, sandbox: string, night: Night): Promise<void> {
  const join = page.locator('[data-do="join"]');
  await join.waitFor({ state: "visible", timeout: STEP_MS });
  // With several items nothing is chosen yet.
  if (await join.isDisabled()) await page.locator("[data-more]").first().click({ timeout: STEP_MS });
  await join.click({ timeout: STEP_MS });
  if (gates.email) {
    const address = page.locator('[data-form="address"]');
    await address.locator('input[name="email"]').fill(email, { timeout: STEP_MS });
    await address.locator('button[type="submit"]').click();
    const code = page.locator('[data-form="code"]');
    await code.locator('input[name="code"]').fill(await codeFor(email, sandbox, night), { timeout: STEP_MS });
    await code.locator('button[type="submit"]').click();
  }
  await page.locator(IN_LINE.map((panel) => `[data-panel="${panel}"]`).join(", ")).locator("visible=true").first().waitFor({ timeout: STEP_MS });
}

async function codeFor(email: string, sandbox: string, night: Night): Promise<string> {
  for (let attempt = 0; attempt < 60; attempt++) {
    const reply = await night.surroundings.http.ask({ route: "GET mail", method: "GET", url: `${sandbox}/sandbox/mail?to=${encodeURIComponent(email)}` });
    const code = /(?<!\d)\d{8}(?!\d)/.exec(reply.text)?.[0];
    if (code !== undefined) return code;
    await wait(500);
  }
  throw new Error("no code arrived");
}

async function isHeldBefore(page: Page, closesAt: number): Promise<boolean> {
  try {
    await page.locator('[data-panel="held"]').waitFor({ state: "visible", timeout: Math.max(1_000, closesAt - Date.now()) });
    return true;
  } catch {
    return false;
  }
}

async function buyByPage(page: Page, email: string): Promise<void> {
  const form = page.locator('[data-form="checkout"]');
  const address = form.locator('input[name="email"]');
  // An address that was proven at the door stands there already and cannot be changed.
  if (await address.isEditable()) await address.fill(email, { timeout: STEP_MS });
  await form.locator('button[type="submit"]').click();
  await page.waitForURL(/\/(sandbox\/pay|orders)\//, { timeout: STEP_MS });
  // A payment page that is slow to open is offered on the order's own page, when it is there.
  if (page.url().includes("/orders/")) await page.locator('[data-link="pay"]').click({ timeout: STEP_MS });
  await page.waitForURL(/\/sandbox\/pay\//, { timeout: STEP_MS });
  await page.getByRole("button", { name: /^pay/i }).first().click();
  await page.waitForURL(/\/orders\//, { timeout: STEP_MS });
  await page.getByRole("heading", { name: "It is yours" }).waitFor({ timeout: STEP_MS });
}
