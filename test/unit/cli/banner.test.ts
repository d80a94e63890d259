import { createServer, type Server } from "node:http";
import { afterEach, expect, test } from "vitest";
import { bannerText, newsText } from "../../../src/cli/banner.ts";
import { storeFromVars } from "../../../src/config/store-from-vars.ts";
import { rightVars } from "../config/store.ts";

let server: Server | null = null;
afterEach(() => server?.close());

/** What the terminal says about the drop when the store answers with this live state; null for a drop that is not announced. */
async function saidOf(live: Record<string, unknown> | null, isRelative = true): Promise<string> {
  const vars = rightVars();
  if (isRelative) Object.assign(vars.DROP_MOTH_TEE, { announceAt: "+0s", lobbyOpensAt: "+0s", opensAt: "+20s", closesAt: "+5h" });
  const store = storeFromVars(vars, { isLocal: true });
  if (!store.ok) throw new Error("the config has mistakes");
  const listening = createServer((request, response) => {
    if (live === null) response.statusCode = 404;
    const body = request.url?.endsWith("/live") ? { now: "2026-12-04T18:00:00.000Z", stage: null, nextStageAt: null, items: [], ...live } : { stages: [{ opensAt: "2026-12-04T18:00:20.000Z" }] };
    response.end(JSON.stringify(body));
  });
  server = listening;
  await new Promise<void>((resolve) => listening.listen(0, "127.0.0.1", resolve));
  const address = listening.address();
  const origin = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
  const text = await bannerText(store.value, { store: origin, desk: origin, deskKey: "desk_key", sandbox: origin, rehearsalKey: "r" });
  expect(text).toContain(`Nightjar Supply is open at ${origin}`);
  expect(text).toContain(`curl -H 'Authorization: Bearer desk_key' '${origin}/desk/api/orders?drop=moth-tee'`);
  return text.split("\n").find((line) => line.includes("/berlin/moth-tee")) ?? "";
}

test.each([
  [{ phase: "lobby" }, "(opens in 20 s)"],
  [{ phase: "open", stage: 1, nextStageAt: "2026-12-04T18:01:00.000Z" }, "(open, stage 1; the next in 60 s)"],
  [{ phase: "open", stage: 2, nextStageAt: "2026-12-04T20:00:00.000Z" }, "(open, stage 2; the next at 2026-12-04T20:00:00.000Z)"],
  [{ phase: "open", stage: 3 }, "(open, the last stage)"],
  [{ phase: "sold-out", stage: 3, items: [{ soldOut: "final" }] }, "(sold out)"],
  [{ phase: "sold-out", stage: 3, items: [{ soldOut: "final" }, { soldOut: "stage" }] }, "(everything is held; what is not paid for in time comes back)"],
  [{ phase: "closed", stage: 3 }, "(over; npm start -- --fresh begins it again)"],
  [null, "(not announced yet)"],
])("the terminal says of a drop that is %j: %s", async (live, words) => {
  expect(await saidOf(live)).toContain(words);
});

test("a drop with instants is over for good: --fresh would not bring it back", async () => {
  expect(await saidOf({ phase: "closed", stage: 3 }, false)).toMatch(/\(over\)$/);
});

test("the terminal tells each turn of a drop once: the opening, every stage, sold out and over, and nothing in between", () => {
  const vars = rightVars();
  Object.assign(vars.DROP_MOTH_TEE, { announceAt: "+0s", lobbyOpensAt: "+0s", opensAt: "+20s", closesAt: "+5h" });
  const store = storeFromVars(vars, { isLocal: true });
  const [drop] = store.ok ? store.value.drops : [];
  if (drop === undefined) throw new Error("the config has mistakes");
  const at = (phase: string, stage: number | null, nextStageAt: string | null, soldOut: string | null = null) => ({ now: "", phase, stage, nextStageAt, items: [{ soldOut }] });
  const readings = [
    null, at("lobby", null, "soon"), at("lobby", null, "soon"), at("drawing", 1, "soon"), at("open", 1, "soon"), at("paused", 1, "soon", "stage"), at("open", 1, "soon", "stage"),
    at("open", 2, "soon"), at("open", 3, null), at("sold-out", 3, null, "stage"), at("open", 3, null), at("sold-out", 3, null, "final"), at("sold-out", 3, null, "final"), at("closed", 3, null, "final"), at("closed", 3, null, "final"),
  ];
  const told = readings.flatMap((reading, index) => (index === 0 ? [] : [newsText(drop, readings[index - 1] ?? null, reading)])).filter((line) => line !== null);
  expect(told).toEqual([
    "Moth tee is open.",
    "Moth tee is at stage 2.",
    "Moth tee is at stage 3, its last.",
    "Moth tee is sold out.",
    "Moth tee is over: npm start -- --fresh begins it again.",
  ]);
});
