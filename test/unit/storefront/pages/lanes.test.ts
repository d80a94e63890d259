import { describe, expect, it } from "vitest";
import type { LaneShare, Plan } from "../../../../src/drop/plan.ts";
import { laneWords } from "../../../../src/storefront/browser/words.ts";
import { liveAt, MINUTE_MS, OPENS_AT, pageText, PLAN } from "./shop.ts";

const near = { lat: 52.52, lon: 13.405 };
const local: LaneShare = { lane: "local", sharePercent: 20, untilMs: 10 * MINUTE_MS, weight: 1, evidence: { kind: "presence", region: "berlin", near, withinKm: 25 } };
const kiosk: LaneShare = { ...local, lane: "kiosk", sharePercent: 1, evidence: { ...local.evidence, kind: "presence", region: "berlin", near, withinKm: null } };
const member: LaneShare = { lane: "member", sharePercent: 10, untilMs: 5 * MINUTE_MS, weight: 3, evidence: { kind: "invite" } };

const plain = (html: string) => html.replaceAll(/<[^>]+>/g, " ").replaceAll("&#39;", "'").replaceAll(/\s+/g, " ");
const pageOf = (path: string, lanes: readonly LaneShare[], change: Partial<Plan> = {}) => pageText({ live: liveAt("lobby", OPENS_AT - 10 * MINUTE_MS, {}, { ...PLAN, ...change, lanes }) }, path);

describe("what is kept for whom", () => {
  it("stands beside every stage of the drop page and of the plan, in units and with the time of its end", async () => {
    for (const path of ["/berlin/moth-tee", "/drops/moth-tee/plan"]) {
      const text = plain(await pageOf(path, [local, member]));
      expect(text).toMatch(/41 units .{10,60} 8 of 41 kept for people in Berlin until \S+ 4\S* \S+ 18:10 UTC 4 of 41 kept for people with an invitation \(member\) until \S+ 4\S* \S+ 18:05 UTC/);
      expect(text).toMatch(/8 of 40 kept for people in Berlin until \S+ 4\S* \S+ 18:40 UTC/);
      expect(text).toMatch(/4 of 20 kept for people in Berlin until \S+ 4\S* \S+ 20:10 UTC/);
      expect(text).toContain("is everyone's");
    }
  });

  it("is said with instants that the module can write in the viewer's own zone", async () => {
    expect(await pageOf("/berlin/moth-tee", [local])).toContain('<time datetime="2026-12-04T18:10:00.000Z">');
  });

  it("is not said of a stage of which the lane gets nothing, nor of a drop without lanes", async () => {
    expect(plain(await pageOf("/berlin/moth-tee", [kiosk]))).not.toContain("kept for people at the pop-up");
    const without = plain(await pageOf("/berlin/moth-tee", []));
    expect(without).not.toMatch(/\d of \d+ kept for/);
    expect(without).not.toContain("You stand");
    expect(plain(await pageOf("/drops/moth-tee/plan", []))).toContain("everyone stands in one line");
  });

  it("is explained in the plan: how one gets in, and what it is worth", async () => {
    const text = plain(await pageOf("/drops/moth-tee/plan", [local, kiosk, member]));
    expect(text).toContain("20 % of each stage for people in Berlin, for 10 minutes");
    expect(text).toContain("Whoever joins from within 25 km counts without showing anything; elsewhere scan the code at the pop-up in Berlin before the drop opens.");
    expect(text).toContain("For people at the pop-up in Berlin. To be counted, scan the code at the pop-up in Berlin before the drop opens.");
    expect(text).toContain("For people with an invitation (member). Open the invitation before you join; it is for one person, once. Such a ticket has 3 chances in the draw.");
  });
});

it("a ticket says in which line it stands, where there are several", async () => {
  const html = await pageOf("/berlin/moth-tee", [local]);
  expect(html).toContain('<span class="fine">You stand</span><strong data-fill="lane"></strong>');
  const lanes = [{ lane: "local", audience: "people in Berlin" }];
  expect(html).toContain(JSON.stringify(lanes));
  expect([laneWords(lanes, "local"), laneWords(lanes, "open"), laneWords(lanes, undefined)]).toEqual(["In the line for people in Berlin", "In everyone's line", ""]);
});
