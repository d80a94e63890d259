import { describe, expect, it } from "vitest";
import { liveAt, OPENS_AT, PLAN, STORE } from "./shop.ts";
import { brandSheet } from "../../../../src/storefront/pages/brand.ts";
import { availabilityOf, dropGraph, embeddedJson } from "../../../../src/storefront/pages/structured-data.ts";
import { slotsOf, spanText } from "../../../../src/storefront/pages/when.ts";

const NOW = OPENS_AT + 60_000;
const available = (phase: Parameters<typeof liveAt>[0], change: Parameters<typeof liveAt>[2] = {}) => availabilityOf(liveAt(phase, NOW, change), "MOTH-S").replace("https://schema.org/", "");

describe("what machines are told", () => {
  it("names the availability of each phase from the live state", () => {
    expect(available("announced")).toBe("PreOrder");
    expect(available("lobby")).toBe("PreOrder");
    expect(available("drawing")).toBe("PreOrder");
    expect(available("open")).toBe("InStock");
    expect(available("open", { low: true })).toBe("LimitedAvailability");
    expect(available("open", { items: [{ sku: "MOTH-S", available: 0, soldOut: null }] })).toBe("OutOfStock");
    expect(available("sold-out")).toBe("OutOfStock");
    expect(available("sold-out", { items: [{ sku: "MOTH-S", available: 0, soldOut: "final" }] })).toBe("SoldOut");
    expect(available("paused")).toBe("OutOfStock");
    expect(available("closed", { items: [{ sku: "MOTH-S", available: 3, soldOut: null }] })).toBe("Discontinued");
    expect(available("cancelled")).toBe("Discontinued");
  });

  it("gives product, offer and event with price, currency, area and times", () => {
    const [config] = STORE.drops;
    const [region] = STORE.regions;
    if (config === undefined || region === undefined) throw new Error("the store of the test has a drop and a region");
    const graph = JSON.parse(embeddedJson(dropGraph(STORE, config, liveAt("open", NOW), region, "https://shop.example")));
    const [product, event] = graph["@graph"];
    expect(product).toMatchObject({ "@type": "Product", sku: "MOTH-S", offers: { "@type": "Offer", price: "42.00", priceCurrency: "EUR", availability: "https://schema.org/InStock", areaServed: { name: "Berlin" } } });
    expect(event).toMatchObject({ "@type": "Event", startDate: "2026-12-04T18:00:00.000Z", eventStatus: "https://schema.org/EventScheduled" });
  });

  it("describes seller, area and pick-up points once, and every other mention leads there", () => {
    const [config] = STORE.drops;
    const [region] = STORE.regions;
    if (config === undefined || region === undefined) throw new Error("the store of the test has a drop and a region");
    const [item] = PLAN.items;
    if (item === undefined) throw new Error("the plan of the test has an item");
    // Items that are called what the graph's own nodes are called must not become those.
    const items = ["MOTH-S", "area", "/area", "points/kiosk-k", "/points/kiosk-k", "seller"].map((sku) => ({ ...item, sku }));
    const graph = dropGraph(STORE, config, liveAt("open", NOW, {}, { ...PLAN, items }), region, "https://shop.example");
    const [whole, mentioned] = [new Map<string, number>(), new Set<string>()];
    const walk = (node: unknown): void => {
      if (typeof node !== "object" || node === null) return;
      const id: unknown = Reflect.get(node, "@id");
      if (typeof id === "string" && Object.keys(node).length === 1) mentioned.add(id);
      else if (typeof id === "string") whole.set(id, (whole.get(id) ?? 0) + 1);
      Object.values(node).forEach(walk);
    };
    walk(graph);
    for (const [id, times] of whole) expect(times, id).toBe(1);
    expect([...mentioned].filter((id) => !whole.has(id))).toEqual([]);
    expect(JSON.stringify(graph).match(/"Nightjar Supply"/g)).toHaveLength(1);
    expect(JSON.stringify(graph).match(/"GeoCoordinates"/g)).toHaveLength(1);
  });

  it("writes yen without and dinar with three decimals", () => {
    const [config] = STORE.drops;
    const [region] = STORE.regions;
    if (config === undefined || region === undefined) throw new Error("the store of the test has a drop and a region");
    const priceIn = (currency: string) => JSON.stringify(dropGraph(STORE, config, liveAt("open", NOW, {}, { ...PLAN, currency }), region, "https://shop.example"));
    expect(priceIn("JPY")).toContain('"price":"4200"');
    expect(priceIn("KWD")).toContain('"price":"4.200"');
  });

  it("cannot be left by a title, and still says the same", () => {
    const evil = { title: "</script><script>alert(1)</script><!--\u2028" };
    const text = embeddedJson(evil);
    expect(text).not.toContain("<");
    expect(text).not.toContain("\u2028");
    expect(JSON.parse(text)).toEqual(evil);
  });
});

describe("small things on a page", () => {
  it("cuts opening hours into slots and leaves anything else alone", () => {
    expect(slotsOf("17:00-18:00/30m")).toEqual(["17:00-17:30", "17:30-18:00"]);
    expect(slotsOf(null)).toEqual([]);
    expect(slotsOf("whenever")).toEqual([]);
    expect(slotsOf("17:00-18:00/0m")).toEqual([]);
  });

  it("says a length of time in words", () => {
    expect(spanText(8 * 60_000)).toBe("8 minutes");
    expect(spanText(90_000)).toBe("1 minute 30 seconds");
  });

  it("lets nothing but colours into the brand's sheet, and keeps words on the accent readable", () => {
    expect(brandSheet({ mark: "N", ink: "red;}body{display:none", paper: "#fff", accent: "#ffff00" })).toBe(":root{--ink:#17130f;--paper:#fff;--accent:#ffff00;--accent-text:#17130f;--on-accent:#17130f}\n");
  });
});
