import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { NO_GATES } from "../../../../src/drop/plan.ts";
import type { StoreConfig } from "../../../../src/config/store-config.ts";
import { couponKeyFromJson, mintVoucher } from "../../../../src/coupon/voucher.ts";
import type { FieldChange, PublicChange } from "../../../../src/drop/port.ts";
import { idFromRandom } from "../../../../src/kernel/ids.ts";
import { liveAt, MINUTE_MS, OPENS_AT, pageText, PLAN, shopPages, STORE } from "./shop.ts";

const BEFORE = OPENS_AT - 10 * MINUTE_MS;
const AFTER = OPENS_AT + 5 * MINUTE_MS;
const page = (phase: Parameters<typeof liveAt>[0], now: number, change: Parameters<typeof liveAt>[2] = {}) => pageText({ live: liveAt(phase, now, change) }, "/berlin/moth-tee");
const plain = (html: string) => html.replaceAll(/<[^>]+>/g, " ").replaceAll(/\s+/g, " ");

describe("the microstore page", () => {
  it("say plainly that people may stand in line together, on the page and its plan, where they may", async () => {
    const [together, plain] = [{ gates: { ...NO_GATES, email: true }, groupMax: 4 }, { gates: { ...NO_GATES, email: true } }].map((changes) => shopPages({ live: { ...liveAt("lobby", OPENS_AT - MINUTE_MS), plan: { ...PLAN, ...changes } } }));
    const words = "Up to four people can stand in line together: one place and one chance in the draw for all of them, and 2 for each.";
    for (const path of ["/berlin/moth-tee", "/drops/moth-tee/plan"]) {
      expect(await (await together?.request(path))?.text()).toContain(words);
      expect(await (await plain?.request(path))?.text()).not.toContain("together:");
    }
  });

  it("says title, story, price in the region's way, stages, pick-up, terms and the other regions", async () => {
    const html = await page("lobby", BEFORE);
    for (const words of ["Moth tee", "printed on the night shift", "42,00", "41 units", "40 units", "20 units", "Kiosk K", "17:00–18:00", "Ready from Friday 17:00.", "At most 2 for each person", 'href="/lisbon/moth-tee"', PLAN.commitment]) {
      expect(plain(html) + html).toContain(words);
    }
    expect(html).toContain('<html lang="en-DE">');
    expect(html).toContain('<time datetime="2026-12-04T18:00:00.000Z">');
  });

  it("tells each phase apart in words", async () => {
    expect(plain(await page("announced", OPENS_AT - 60 * MINUTE_MS))).toContain("The lobby opens Fri");
    expect(plain(await page("lobby", BEFORE))).toContain("The drop opens Fri");
    expect(plain(await page("open", AFTER))).toContain("12 left in this stage");
    expect(plain(await page("paused", AFTER))).toContain("Every place is kept");
    expect(plain(await page("sold-out", AFTER))).toContain("Stage 2 opens Fri");
    expect(plain(await page("closed", OPENS_AT + 300 * MINUTE_MS))).toContain("This drop has ended");
    expect(plain(await page("cancelled", AFTER))).toContain("cancelled");
  });

  it("signals low stock only when the drop says so", async () => {
    expect(await page("open", AFTER, { low: false })).not.toContain("Few left");
    expect(await page("open", AFTER, { low: true })).toMatch(/data-fill="low">Few left</);
  });

  it("never says that few are left once the drop is over, not even hidden", async () => {
    for (const phase of ["closed", "cancelled"] as const) {
      for (const path of ["/", "/berlin/moth-tee"]) expect(await pageText({ live: liveAt(phase, OPENS_AT + 300 * MINUTE_MS, { low: true }) }, path)).not.toContain("Few left");
    }
  });

  it("says that everything is held while something may come back, and that it is sold when nothing can", async () => {
    const last = { stage: 3, nextStageAt: null, available: 0 };
    const held = plain(await page("sold-out", AFTER, { ...last, items: [{ sku: "MOTH-S", available: 0, soldOut: "stage" }] }));
    expect(held).toContain("All held The drop ends Fri");
    expect(held).toContain("What is not paid for in time comes back");
    const gone = plain(await page("sold-out", AFTER, { ...last, items: [{ sku: "MOTH-S", available: 0, soldOut: "final" }] }));
    expect(gone).toContain("Every unit of this drop is sold.");
    expect(gone).not.toContain("for in time comes back");
  });

  describe("of a drop that drips", () => {
    const stages = (each: readonly number[]) => each.map((units, index) => ({ opensAt: OPENS_AT + (index === 0 ? 0 : index === each.length - 1 ? 120 : 29 + index) * MINUTE_MS, units }));
    /** Forty of the caps drip, five a minute from the half hour on, and a few pins with the first two steps. */
    const DRIPPING = {
      ...PLAN, drips: [{ stage: 2, steps: 8 }],
      stock: [{ sku: "CAP", quantity: 100, stages: stages([40, 5, 5, 5, 5, 5, 5, 5, 5, 20]) }, { sku: "PIN", quantity: 20, stages: stages([8, 5, 3, 0, 0, 0, 0, 0, 0, 4]) }],
      items: ["CAP", "PIN"].map((sku) => ({ sku, title: sku, priceMinor: 100, components: [{ sku, quantity: 1 }] })),
    };
    const items = (available: number) => ["CAP", "PIN"].map((sku) => ({ sku, available, soldOut: available > 0 ? null : ("stage" as const) }));
    const at = (stage: number, available = 5) => liveAt("open", OPENS_AT + 31 * MINUTE_MS, { stage, available, nextStageAt: OPENS_AT + 32 * MINUTE_MS, items: items(available) }, DRIPPING);

    it("shows the drip as one line among the stages, with how many at a time, from when until when, and how many in all", async () => {
      const html = await pageText({ live: at(3) }, "/berlin/moth-tee");
      expect(plain(html)).toContain("Released in 3 stages");
      expect(plain(html)).toMatch(/40 % 48 units 5 of each every minute from Fri, 4 Dec,? 18:30 UTC until Fri, 4 Dec,? 18:38 UTC now/);
      expect(html.match(/<li class="is-[a-z]+" data-stage="(\d+)" data-steps="(\d+)"/g)).toEqual(['<li class="is-past" data-stage="1" data-steps="1"', '<li class="is-now" data-stage="2" data-steps="8"', '<li class="is-next" data-stage="10" data-steps="1"']);
      const plan = plain(await pageText({ live: at(10) }, "/drops/moth-tee/plan"));
      expect(plan).toContain("Stock Stage 1 Stage 2 Stage 3 In all CAP 40 40 20 100 PIN 8 8 4 20");
    });

    it("says what each step keeps for whom and for how long", async () => {
      const lanes = [{ lane: "member", sharePercent: 40, untilMs: 30_000, weight: 1, evidence: { kind: "invite" as const } }];
      // Two of five caps and two of five pins.
      expect(plain(await pageText({ live: { ...at(3), plan: { ...DRIPPING, lanes } } }, "/berlin/moth-tee"))).toMatch(/each time up to 4 of them kept for [^,]+, for 30 seconds now/);
    });

    it("says that more comes between its steps, and names the stage after it by its place in that list", async () => {
      expect(plain(await pageText({ live: at(3) }, "/berlin/moth-tee"))).toContain("More comes Fri");
      const none = plain(await pageText({ live: at(3, 0) }, "/berlin/moth-tee"));
      expect(none).toContain("All that has come out so far is held or sold. More comes bit by bit");
      expect(none).toContain("Taken for the moment");
      expect(plain(await pageText({ live: at(9) }, "/berlin/moth-tee"))).toContain("Stage 3 opens Fri");
    });

    it("names both spans of a drip whose rest was put off, and seconds where it is fast", async () => {
      const put = { ...DRIPPING, stock: DRIPPING.stock.map((unit) => ({ ...unit, stages: unit.stages.map((stage, index) => (index < 4 || index > 8 ? stage : { ...stage, opensAt: stage.opensAt + 10 * MINUTE_MS })) })) };
      expect(plain(await pageText({ live: { ...at(3), plan: put } }, "/berlin/moth-tee"))).toMatch(/every minute from Fri, 4 Dec,? 18:30 UTC until Fri, 4 Dec,? 18:33 UTC and from Fri, 4 Dec,? 18:43 UTC until Fri, 4 Dec,? 18:48 UTC/);
      const fast = { ...DRIPPING, stock: DRIPPING.stock.map((unit) => ({ ...unit, stages: unit.stages.map((stage, index) => (index === 0 || index > 8 ? stage : { ...stage, opensAt: OPENS_AT + 30 * MINUTE_MS + (index - 1) * 15_000 })) })) };
      expect(plain(await pageText({ live: { ...at(3), plan: fast } }, "/berlin/moth-tee"))).toMatch(/5 of each every 15 seconds from Fri, 4 Dec,? 18:30:00 UTC until Fri, 4 Dec,? 18:32:00 UTC/);
    });

    it("tells in words what a published change did to it, and what was planned first in as many columns as there are stages", async () => {
      const changed = [{ field: "stages.2.every", from: "1m", to: "2m" }, { field: "stages.2.units", from: 5, to: 8 }, { field: "stages.3.every", from: null, to: "30s" }, { field: "stages.2.goesOnAt", from: "2026-12-04T18:33:00.000Z", to: "2026-12-04T18:43:00.000Z" }];
      const first = { seq: 1, at: "2026-11-27T18:00:00.000Z", kind: "plan", prevHash: "", hash: "", closesAt: "2026-12-04T22:00:00.000Z", drips: DRIPPING.drips, items: DRIPPING.stock.map((unit) => ({ sku: unit.sku, stages: unit.stages.map(({ opensAt, units }) => ({ opensAt: new Date(opensAt).toISOString(), units })) })) };
      const text = plain(await pageText({ live: { ...at(3), changes: [{ seq: 9, at: OPENS_AT, kind: "plan", changed }] }, rows: [first] }, "/drops/moth-tee/plan"));
      for (const words of ["Stage 2 brings more every 2m instead of every 1m.", "Stage 2 brings 8 of everything at a time instead of 5.", "Stage 3 comes out bit by bit, every 30s.", "Stage 2 goes on at"]) expect(text).toContain(words);
      expect(text.slice(text.indexOf("As first published"))).toMatch(/Stage 1 Fri.*Stage 2 Fri.*Stage 3 Fri.*CAP 40 40 20 100/);
    });
  });

  it("says how short a hold may become, where it may", async () => {
    expect(plain(await page("lobby", BEFORE))).toContain("held for you by itself for 8 minutes, or 4 minutes while many hold from the same network.");
    expect(plain(await pageText({ live: liveAt("lobby", BEFORE, {}, { ...PLAN, holdTtlMs: 2 * MINUTE_MS }) }, "/drops/moth-tee/plan"))).toContain("A hold lasts 2 minutes Time");
  });

  it("times stages to the second only where they follow closely and do not open on whole minutes", async () => {
    const shifted = (byMs: number, gapMs: number) => ({ ...PLAN, stock: PLAN.stock.map((unit) => ({ ...unit, stages: unit.stages.map((stage, index) => ({ ...stage, opensAt: OPENS_AT + byMs + index * gapMs })) })) });
    const stages = async (plan: typeof PLAN) => pageText({ live: liveAt("lobby", BEFORE, {}, plan) }, "/berlin/moth-tee");
    expect(await stages(shifted(17_000, MINUTE_MS))).toContain("18:01:17");
    expect(await stages(shifted(17_000, 90 * MINUTE_MS))).not.toContain("data-seconds");
    expect(await stages(PLAN)).not.toContain("data-seconds");
  });

  it("says why joining waits, where everybody finds it", async () => {
    const html = await page("lobby", BEFORE);
    expect(html).toMatch(/<p class="hint" id="join-hint"[^>]*>Choose how many first/);
    expect(html).toMatch(/data-do="join" aria-describedby="join-hint"/);
  });

  it("keeps the seller's note apart from how the goods are got", async () => {
    expect(await page("open", AFTER)).toContain("<span class=\"fine\">The seller&#39;s note</span><span>Ready from Friday 17:00.</span>");
  });

  it("names --fresh only on this machine and only when the drop is over", async () => {
    const over = liveAt("closed", OPENS_AT + 300 * MINUTE_MS);
    expect(await pageText({ live: over, isLocal: true }, "/berlin/moth-tee")).toContain("--fresh");
    expect(await pageText({ live: over, isLocal: false }, "/berlin/moth-tee")).not.toContain("--fresh");
    expect(await pageText({ live: liveAt("open", AFTER), isLocal: true }, "/berlin/moth-tee")).not.toContain("--fresh");
  });

  it("reads without script and says how to buy", async () => {
    const html = await page("lobby", BEFORE);
    expect(html).toContain("<noscript>");
    expect(html).toContain('<a class="quiet" href="/berlin/moth-tee/line">Continue without JavaScript</a>');
  });

  it("carries no inline style and no inline script, which its content policy would refuse", async () => {
    for (const path of ["/", "/berlin/moth-tee", "/drops/moth-tee/plan", "/drops/moth-tee/record", "/orders/ord_00000000000000000000000000"]) {
      const response = await shopPages({ live: liveAt("open", AFTER) }).request(path);
      const html = await response.text();
      expect(response.headers.get("content-security-policy")).toContain("require-trusted-types-for 'script'");
      expect(html).not.toMatch(/\sstyle=/);
      expect(html).not.toMatch(/\son[a-z]+=/);
      for (const [tag] of html.matchAll(/<script[^>]*>/g)) expect(tag).toMatch(/type="(application\/(ld\+)?json|module)"/);
    }
  });

  it("is not there before its announcement, nor under a name or region that nobody gave", async () => {
    const early = { live: liveAt("announced", PLAN.announceAt - 1) };
    for (const path of ["/berlin/moth-tee", "/moth-tee", "/drops/moth-tee/plan", "/drops/moth-tee/record"]) expect((await shopPages(early).request(path)).status).toBe(404);
    expect(await pageText(early, "/")).not.toContain("Moth tee");
    const open = { live: liveAt("open", AFTER) };
    for (const path of ["/berlin/other", "/paris/moth-tee", "/other", "/orders/ord_1"]) expect((await shopPages(open).request(path)).status).toBe(404);
    expect((await shopPages({ live: liveAt("announced", PLAN.announceAt) }).request("/berlin/moth-tee")).status).toBe(200);
  });

  it("turns markup in a title, a story and a place into text", async () => {
    const evil = `"><img src=x onerror=alert(1)></script><script>alert(2)</script>`;
    const plan = { ...PLAN, title: evil, items: PLAN.items.map((item) => ({ ...item, title: evil })) };
    const store: StoreConfig = {
      ...STORE, name: evil,
      regions: STORE.regions.map((region) => ({ ...region, label: evil, pickup: region.pickup.map((point) => ({ ...point, label: evil })) })),
      drops: STORE.drops.map((drop) => ({ ...drop, story: evil, deliveryNote: evil })),
    };
    for (const path of ["/", "/berlin/moth-tee", "/drops/moth-tee/plan", "/drops/moth-tee/record", "/nowhere"]) {
      const html = await pageText({ live: liveAt("open", AFTER, {}, plan), store }, path);
      expect(html).not.toContain("<img src=x");
      expect(html).not.toContain("<script>alert");
    }
  });
});

describe("how long a page may be kept", () => {
  const cached = async (live: ReturnType<typeof liveAt>, now: number, path = "/berlin/moth-tee") => (await shopPages({ live, now }).request(path)).headers.get("cache-control");

  it("is at most two seconds after its state was true", async () => {
    expect(await cached(liveAt("open", AFTER), AFTER)).toBe("public, max-age=1, s-maxage=2");
    expect(await cached(liveAt("open", AFTER), AFTER + 700)).toBe("public, max-age=1, s-maxage=1");
    expect(await cached(liveAt("open", AFTER), AFTER + 1_001)).toBe("no-cache");
  });

  it("never passes the next boundary", async () => {
    for (const boundary of [OPENS_AT, OPENS_AT + 30 * MINUTE_MS, OPENS_AT + 120 * MINUTE_MS, PLAN.closesAt]) {
      expect(await cached(liveAt("open", boundary - 1_500), boundary - 1_500)).toBe("public, max-age=1, s-maxage=1");
      for (const path of ["/", "/berlin/moth-tee", "/drops/moth-tee/plan"]) expect(await cached(liveAt("open", boundary - 999), boundary - 999, path)).toBe("no-cache");
    }
  });
});

describe("the way to a region", () => {
  const target = async (visitor: object) => (await shopPages({ live: liveAt("open", AFTER), visitor }).request("/moth-tee", { headers: { "cf-ipcountry": "DE", "x-forwarded-for": "1.2.3.4" } })).headers.get("location");

  it("goes by the platform's location, then by country, then to the first, and is not cached", async () => {
    expect(await target({ near: { lat: 41.15, lon: -8.61 } })).toBe("/lisbon/moth-tee");
    expect(await target({ near: { lat: 48.2, lon: 16.37 } })).toBe("/berlin/moth-tee");
    expect(await target({ country: "PT" })).toBe("/lisbon/moth-tee");
    expect(await target({})).toBe("/berlin/moth-tee");
    const response = await shopPages({ live: liveAt("open", AFTER) }).request("/moth-tee");
    expect(response.status).toBe(302);
    expect(response.headers.get("cache-control")).toBe("private, no-store");
  });

  it("leads a valid voucher to its own region with the code in the fragment, and an invalid one to plain words", async () => {
    const pair = generateKeyPairSync("ed25519");
    const key = couponKeyFromJson(JSON.stringify({ ...pair.privateKey.export({ format: "jwk" }), kid: "coupon-1" }));
    if (key === null) throw new Error("the test's key is a coupon key");
    const { d: _secret, ...publicKey } = key;
    const shop = { live: liveAt("open", AFTER), visitor: { country: "DE" }, publicKeys: { keys: [publicKey] } };
    const voucher = (region: string | null, drop = "moth-tee") =>
      mintVoucher({ voucher: idFromRandom("cpn", new Uint8Array(26)), campaign: "night-shift", drop, region, notBefore: AFTER - MINUTE_MS, expiresAt: AFTER + MINUTE_MS, uses: 1 }, key, AFTER);
    const leadsTo = async (token: string) => (await shopPages(shop).request(`/q/${token}`)).headers.get("location");
    for (const [region, place] of [["lisbon", "lisbon"], [null, "berlin"]] as const) {
      const token = await voucher(region);
      expect(await leadsTo(token)).toBe(`/${place}/moth-tee#coupon=${token}`);
    }
    for (const elsewhere of [await voucher("atlantis"), await voucher(null, "no-such-drop")]) expect(await leadsTo(elsewhere)).toBeNull();
    const invalid = await shopPages(shop).request("/q/nonsense");
    expect(invalid.status).toBe(404);
    expect(await invalid.text()).toContain("This code is not valid now");
    expect((await shopPages(shop).request(`/q/${"x".repeat(2_001)}`)).status).toBe(404);
  });
});

describe("the other pages", () => {
  it("sort drops into now, coming and past, and say when there is none", async () => {
    expect(await pageText({ live: liveAt("open", AFTER) }, "/")).toContain("On now");
    expect(await pageText({ live: liveAt("lobby", BEFORE) }, "/")).toContain("Coming");
    expect(await pageText({ live: liveAt("closed", OPENS_AT + 300 * MINUTE_MS) }, "/")).toContain("Past drops");
    expect(await pageText({ live: null, store: { ...STORE, drops: [] } }, "/")).toContain("Nothing on the shelf yet");
  });

  it("say nothing about an order but its number, and are kept by nobody", async () => {
    const response = await shopPages({ live: null }).request("/orders/ord_00000000000000000000000000");
    expect(response.status).toBe(200);
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(await response.text()).toContain('name="robots" content="noindex"');
  });

  it("publish the plan with units and commitment, and that nothing was changed where nothing was", async () => {
    const rows = [{ seq: 1, kind: "plan", at: "2026-11-20T09:00:00.000Z", items: [], closesAt: "2026-12-04T22:00:00.000Z", prevHash: "00", hash: "01" }];
    const html = plain(await pageText({ live: liveAt("open", AFTER), rows }, "/drops/moth-tee/plan"));
    for (const words of ["41", "101", PLAN.commitment, "ab".repeat(32), "None: the plan stands as it was first published, at"]) expect(html).toContain(words);
    expect(html).not.toContain("As first published");
  });

  it("say what one address may be sent and one card may pay for, where there is such a limit", async () => {
    const live = liveAt("open", AFTER);
    const limited = { ...live, plan: { ...live.plan, limits: { address: 4, card: 6 } } };
    for (const path of ["/berlin/moth-tee", "/drops/moth-tee/plan"]) {
      const html = plain(await pageText({ live: limited }, path));
      expect(html).toContain("At most 4 are sent to one postal address, whoever orders.");
      expect(html).toContain("One card pays for at most 6, whoever orders.");
      expect(plain(await pageText({ live }, path))).not.toContain("whoever orders");
    }
  });

  it("tell every change of the plan with its time, in words, and the plan as it was first", async () => {
    const rows = [{ seq: 1, kind: "plan", at: "2026-11-20T09:00:00.000Z", items: [{ sku: "MOTH-S", stages: [{ opensAt: "2026-12-04T18:00:00.000Z", units: 39 }, { opensAt: "2026-12-04T18:30:00.000Z", units: 58 }] }], closesAt: "2026-12-04T21:00:00.000Z", prevHash: "00", hash: "01" }];
    const at = OPENS_AT + MINUTE_MS;
    const changed: FieldChange[] = [
      { field: "items.MOTH-S.priceMinor", from: 4_200, to: 3_900 }, { field: "items.MOTH-S.quantity", from: 97, to: 101 },
      { field: "stages.3.opensAt", from: "2026-12-04T21:00:00.000Z", to: "2026-12-04T20:00:00.000Z" }, { field: "stages.4.opensAt", from: "2026-12-04T21:30:00.000Z", to: null },
      { field: "campaigns.late", from: null, to: "10 % off, 5 uses" }, { field: "limits.card", from: null, to: 4 }, { field: "limits.address", from: 4, to: null }, { field: "title", from: "<b>Moth</b>", to: "Moth tee" },
    ];
    const changes: PublicChange[] = [
      { seq: 4, at, kind: "plan", changed }, { seq: 5, at, kind: "pause", changed: [] }, { seq: 6, at, kind: "resume", changed: [] },
      { seq: 7, at, kind: "extend", changed: [{ field: "stages.2.opensAt", from: "2026-12-04T18:30:00.000Z", to: "2026-12-04T18:40:00.000Z" }] }, { seq: 8, at, kind: "cancel", changed: [] },
    ];
    const live = { ...liveAt("open", AFTER), changes };
    const text = await pageText({ live, rows }, "/drops/moth-tee/plan");
    const html = plain(text);
    for (const words of [
      "MOTH-S costs 39,00 € instead of 42,00 €, for holds made from then on.", "There are 101 of MOTH-S instead of 97.", "Stage 3 opens at", "There is no stage 4 any more.",
      "There is a coupon campaign late: 10 % off, 5 uses.", "One card may pay for at most 4 items instead of as many as come.", "One address may be sent as many items as come instead of 4.", "The sale was paused", "The sale went on.", "A stage was put off.", "Stage 2 opens at", "The drop was cancelled", "row 8 of the record",
      "As first published", "39", "58", "97",
    ]) expect(html, words).toContain(words);
    expect(text).toContain('datetime="2026-12-04T20:00:00.000Z"');
    expect(text).not.toContain("<b>Moth</b>");
    expect(plain(await pageText({ live }, "/berlin/moth-tee"))).toContain("Changed 5 times since it was published");
  });

  it("show the record's latest rows with links to all of it", async () => {
    const rows = Array.from({ length: 80 }, (_, index) => ({ seq: index + 1, kind: "hold", at: "2026-12-04T18:10:00.000Z", sku: "MOTH-S", quantity: 1, prevHash: "00", hash: `hash${index + 1}` }));
    const html = await pageText({ live: liveAt("open", AFTER), rows }, "/drops/moth-tee/record");
    expect(html).toContain("/api/drops/moth-tee/record?from=1");
    expect(html).toContain("hash80");
    expect(html).not.toContain("hash20…");
  });
});
