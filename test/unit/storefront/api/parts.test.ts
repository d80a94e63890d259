import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nodeHashing } from "../../../../src/kernel/node-hashing.ts";
import { attemptBudget } from "../../../../src/kernel/attempt-budget.ts";
import { checkedDelivery, pickupSlots } from "../../../../src/storefront/api/delivery-check.ts";
import { emailAddress } from "../../../../src/gate/email-address.ts";
import { strictJson } from "../../../../src/kernel/strict-json.ts";
import { waitEstimate } from "../../../../src/storefront/api/wait-estimate.ts";
import { slotsOf } from "../../../../src/storefront/pages/when.ts";
import { DropSweep } from "../../../../src/storefront/sweep.ts";
import { platformVisitor, rehearsedVisitor, siteOf } from "../../../../src/storefront/visitor.ts";
import { liveAt, OPENS_AT, plan, store, world } from "../../../support/storefront-doubles.ts";

describe("where a request comes from", () => {
  it("is the platform's word in production; an IPv6 household is one network", () => {
    expect(platformVisitor({ address: "203.0.113.9", country: "DE", latitude: "52.52", longitude: "13.40500" })).toEqual({ network: "203.0.113.9", country: "DE", near: { lat: 52.52, lon: 13.405 } });
    const networks = ["2001:db8:1:2::1", "2001:0db8:0001:0002:ffff::9", "2001:DB8:1:2:0:0:0:7"].map((address) => platformVisitor({ address }).network);
    expect(new Set(networks)).toEqual(new Set(["2001:db8:1:2::/64"]));
    expect(platformVisitor({ address: "::1" }).network).toBe("0:0:0:0::/64");
  });

  it("is of the site that an IPv6 address is rented with, where that is what counts", () => {
    const sites = ["2001:db8:1:2::1", "2001:db8:1:ffff::1", "2001:db8:1::"].map((address) => siteOf(platformVisitor({ address }).network));
    expect(new Set(sites)).toEqual(new Set(["2001:db8:1::/48"]));
    expect(siteOf(platformVisitor({ address: "2001:db8:2:2::1" }).network)).toBe("2001:db8:2::/48");
    for (const network of ["203.0.113.9", "unknown", "local"]) expect(siteOf(network)).toBe(network);
  });

  it("is nowhere when the platform says nothing usable", () => {
    for (const facts of [{ address: null }, { address: null, country: "de", latitude: "north", longitude: "13" }, { address: null, country: 7, latitude: "91", longitude: "13" }]) {
      expect(platformVisitor(facts)).toEqual({ network: "unknown", country: null, near: null });
    }
  });

  it("on a laptop is what the rehearsal says with the right key, and the neighbourhood otherwise", () => {
    const neighbour = { network: "local", country: null, near: null };
    expect(rehearsedVisitor("key net-1 PT 38.72 -9.14", "key", nodeHashing)).toEqual({ network: "net-1", country: "PT", near: { lat: 38.72, lon: -9.14 } });
    expect(rehearsedVisitor("key net-1", "key", nodeHashing)).toEqual({ ...neighbour, network: "net-1" });
    for (const [header, key] of [[null, "key"], ["", "key"], ["kez net-1", "key"], ["key", "key"], [" net-1", ""], ["undefined net-1", null], ["null net-1", null]] as const) {
      expect(rehearsedVisitor(header, key, nodeHashing)).toEqual(neighbour);
    }
  });
});

describe("an e-mail address", () => {
  it("keeps its local part and has its domain in lower case and ASCII", () => {
    expect(emailAddress(" Ana.B+x@EXAMPLE.org ")).toBe("Ana.B+x@example.org");
    expect(emailAddress("ana@bücher.example")).toBe("ana@xn--bcher-kva.example");
    expect(emailAddress("jörg@example.org")).toBe("jörg@example.org");
  });

  it.each(["", "@", "ana", "ana@", "@example.org", "ana@example", "ana@1.2.3.4", "ana@[::1]", "a b@example.org", "a@b@example.org\u0000", "ana@exa mple.org", "ana@example.org/path", "ana@example.org:25", "ana@-example.org", "ana..b@example.org", ".ana@example.org", "<ana@example.org>", "ana@example.org, b@example.org", `${"a".repeat(65)}@example.org`, `a@${"b".repeat(250)}.org`, "ana@example..org", "a\u202e@example.org"])("%j is none", (text) => {
    expect(emailAddress(text)).toBeNull();
  });
});

describe("delivery", () => {
  it("offers exactly the slots that the page shows", () => {
    for (const slots of ["17:00-21:00/30m", "09:00-09:45/20m", "10:00-10:00/30m", "nonsense", null]) {
      expect(pickupSlots({ id: "p", label: "P", slots, perSlot: null })).toEqual(slotsOf(slots));
    }
  });

  it("is served by the region that was come through where that one can, else by one that can", () => {
    const [berlin, lisbon] = store.regions;
    const ship = { method: "ship" as const, address: { name: "A", line1: "B", postalCode: "1", city: "C", country: "AT" } };
    const served = checkedDelivery(ship, store.regions, lisbon ?? null);
    expect(served).toMatchObject({ ok: true, value: { region: berlin, delivery: { address: { line2: null } } } });
    expect(checkedDelivery({ method: "pickup", point: "kiosk-k" }, store.regions, null)).toMatchObject({ ok: true, value: { region: berlin, delivery: { slot: null } } });
  });
});

describe("a budget of attempts", () => {
  it("ends after its attempts, begins again with its window, and forgets the oldest first", () => {
    const budget = attemptBudget({ attempts: 2, windowMs: 1_000, peopleMax: 2 });
    budget.spend("a", 0);
    expect(budget.retryAt("a", 1)).toBeNull();
    budget.spend("a", 1);
    expect([budget.retryAt("a", 999), budget.retryAt("a", 1_000), budget.retryAt("b", 2)]).toEqual([1_000, null, null]);
    budget.spend("b", 2);
    budget.spend("c", 3);
    expect(budget.retryAt("a", 4)).toBeNull();
  });
});

describe("how long the wait is", () => {
  it("ends at the latest with the first stage that is enough for everybody ahead", () => {
    const now = OPENS_AT + 60_000;
    const { live } = liveAt(now);
    // The second stage has 3 of the scarcer item: enough for one person who takes two, not for two of them.
    expect(waitEstimate(1, plan, live, now)).toEqual({ from: now, to: OPENS_AT + 1_800_000 + plan.claimWindowMs });
    expect(waitEstimate(2, plan, live, now)).toBeNull();
    expect(waitEstimate(1, plan, live, OPENS_AT + 1_800_000)).toBeNull();
    expect(waitEstimate(1, plan, { ...live, phase: "paused" }, now)).toBeNull();
    expect(waitEstimate(1, { ...plan, lanes: [{ lane: "local", sharePercent: 20, untilMs: 1, weight: 1, evidence: { kind: "invite" } }] }, live, now)).toBeNull();
  });
});

describe("strict JSON", () => {
  it("agrees with JSON.parse on everything that JSON.stringify makes", () => {
    fc.assert(fc.property(fc.json(), (text) => {
      expect(strictJson(text)).toEqual({ value: JSON.parse(text) });
    }), { numRuns: 500 });
  });
});

const NO_BEACONS = { runWhenDue: async () => undefined };

describe("the sweep", () => {
  it("makes the plan, wakes the drop and every shard, and goes on when one drop fails", async () => {
    const swept: string[] = [];
    const { waiting: _waiting, quantiles: _quantiles, ...snapshot } = liveAt(OPENS_AT);
    const base = world({ drop: { plan: async () => (swept.push("plan"), snapshot), sweep: async () => void swept.push("drop") }, lobby: { sweep: async () => void swept.push("shard") } });
    await new DropSweep(base.ports, NO_BEACONS).run();
    expect(swept.toSorted()).toEqual(["drop", "plan", ...Array<string>(plan.shards).fill("shard")]);

    const [first] = store.drops;
    const broken = { ...base.ports, store: { ...store, drops: first === undefined ? [] : [{ ...first, slug: "broken" }, first] }, drop: (slug: string) => (slug === "broken" ? world({ drop: { plan: () => Promise.reject(new Error("down")) } }).ports.drop(slug) : base.ports.drop(slug)) };
    swept.length = 0;
    await new DropSweep(broken, NO_BEACONS).run();
    expect(swept).toContain("drop");
    expect(base.logged).toMatchObject([{ code: "sweep_failed", drop: "broken" }]);
  });

  it("asks nothing of a drop from an hour after its end on, for a day and minute by minute, whoever's clock the config counts by", async () => {
    const { waiting: _waiting, quantiles: _quantiles, ...snapshot } = liveAt(OPENS_AT);
    const [config] = store.drops;
    if (config === undefined) throw new Error("the store has a drop");
    const relative = { ...config, source: { ...config.source, closesAt: { afterFirstSeenMs: 60_000 } } };
    for (const [drop, firstAsked] of [[config, 0], [relative, 1]] as const) {
      let asked = 0;
      const over = world({ drop: { plan: async () => (asked++, snapshot), sweep: async () => void asked++ }, lobby: { sweep: async () => void asked++ }, ports: { store: { ...store, drops: [drop] } } });
      const known = new DropSweep(over.ports, NO_BEACONS);
      over.now = plan.closesAt + 3_600_000;
      await known.run();
      expect(asked, "until then a lost alarm is made up for").toBe(2 + plan.shards);
      asked = 0;
      const fresh = new DropSweep(over.ports, NO_BEACONS);
      for (let minute = 1; minute <= 24 * 60; minute++) {
        over.now = plan.closesAt + 3_600_000 + minute * 60_000;
        await known.run();
        await fresh.run();
      }
      expect(asked, "an isolate that knows only relative times asks once").toBe(firstAsked);
      expect(over.logged).toEqual([]);
    }
  });

  it("goes on with a drop whose plan ends later than the config that was deployed since", async () => {
    const { waiting: _waiting, quantiles: _quantiles, ...snapshot } = liveAt(OPENS_AT);
    const [config] = store.drops;
    if (config === undefined) throw new Error("the store has a drop");
    let swept = 0;
    const early = { ...config, source: { ...config.source, closesAt: { at: OPENS_AT + 60_000 } } };
    const known = world({ drop: { plan: async () => snapshot, sweep: async () => void swept++ }, lobby: { sweep: async () => undefined }, ports: { store: { ...store, drops: [early] } } });
    const sweep = new DropSweep(known.ports, NO_BEACONS);
    await sweep.run();
    known.now = plan.closesAt - 60_000;
    await sweep.run();
    expect(swept).toBe(2);
  });
});
