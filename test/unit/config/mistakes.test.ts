import { describe, expect, test } from "vitest";
import { storeFromVars } from "../../../src/config/store-from-vars.ts";
import { rightVars, type WritableVars } from "./store.ts";

type Break = (vars: ReturnType<typeof rightVars>) => void;

function mistakesOf(breakIt: Break, isLocal = false): string[] {
  const vars = rightVars();
  breakIt(vars);
  const store = storeFromVars(vars, { isLocal });
  return store.ok ? [] : store.rejection.map(({ table, field, detail }) => `${table}.${field}: ${detail}`);
}

const drop = (fields: Record<string, unknown>): Break => (vars) => Object.assign(vars.DROP_MOTH_TEE, fields);
const without = (table: keyof ReturnType<typeof rightVars>, field: string): Break => (vars) => { delete vars[table]?.[field]; };
const store = (fields: Record<string, unknown>): Break => (vars) => Object.assign(vars.STORE, fields);
const brand = (fields: Record<string, unknown>): Break => (vars) => Object.assign(vars.STORE["brand"] as object, fields);
const region = (fields: Record<string, unknown>): Break => (vars) => Object.assign(vars.REGION_BERLIN, fields);
const extra = (name: string, table: unknown): Break => (vars) => { (vars as WritableVars)[name] = table as Record<string, unknown>; };
const item = { sku: "MOTH-S", title: "Moth tee, S", priceMinor: 4200, quantity: 80 };
const campaign = { id: "night", percentOff: 10, validFrom: "2026-12-04T18:00:00Z", validUntil: "2026-12-04T22:00:00Z", uses: 50 };
const local = { lane: "local", share: 20, until: "10m", region: "berlin", within: "25km" };
const member = { lane: "member", share: 10, until: "10m", invite: true };
/** 40 % of 80 and 120 at the opening, 40 % that drip from the half hour on, 20 % at the end. */
const drips = (drip: object, changes: readonly object[] = []) => [{ share: 40, after: "0s", ...changes[0] }, { share: 40, after: "30m", ...drip }, { share: 20, after: "2h", ...changes[2] }];
const counted = (count: number, quantity: number) => Array.from({ length: count }, (_, index) => ({ ...item, sku: `MOTH-${index}`, quantity }));
const platform = { party: "platform", remainder: true };

/** Each row: what is wrong, how to make it so, and the one mistake that must come of it, by table, field and words. */
const ONE_MISTAKE: readonly (readonly [string, Break, RegExp])[] = [
  ["shares that do not sum to 100", drop({ stages: [{ share: 40, after: "0s" }, { share: 40, after: "30m" }] }), /^DROP_MOTH_TEE\.stages: .*sum to 80/],
  ["a share of nothing", drop({ stages: [{ share: 100, after: "0s" }, { share: 0, after: "1m" }] }), /^DROP_MOTH_TEE\.stages\[1\]\.share: /],
  ["half a percent", drop({ stages: [{ share: 99.5, after: "0s" }] }), /^DROP_MOTH_TEE\.stages\[0\]\.share: /],
  ["a price with a third decimal, which no card pays", (vars) => { vars.STORE["currency"] = "KWD"; drop({ items: [{ ...item, priceMinor: 4_205 }] })(vars); }, /^DROP_MOTH_TEE\.items\[0\]\.priceMinor: .*last decimal of KWD.*multiple of 10/],
  ["splits that leave nothing after a discount that is rounded to what a card pays", (vars) => { vars.STORE["currency"] = "KWD"; drop({ items: [{ ...item, priceMinor: 1_010 }], splits: [{ party: "a", fixedMinor: 909 }, platform] })(vars); }, /^DROP_MOTH_TEE\.splits: MOTH-S brings 900 .* take 909/],
  ["no stage at all", drop({ stages: [] }), /^DROP_MOTH_TEE\.stages: At least 1/],
  ["stages out of order", drop({ stages: [{ share: 40, after: "0s" }, { share: 40, after: "2h" }, { share: 20, after: "30m" }] }), /^DROP_MOTH_TEE\.stages\[2\]\.after: .*later/],
  ["two stages at once", drop({ stages: [{ share: 40, after: "0s" }, { share: 30, after: "1m" }, { share: 30, after: "1m" }] }), /^DROP_MOTH_TEE\.stages\[2\]\.after: /],
  ["a first stage that opens later than the drop", drop({ stages: [{ share: 100, after: "1m" }] }), /^DROP_MOTH_TEE\.stages\[0\]\.after: /],
  ["a stage that opens after the close", drop({ stages: [{ share: 50, after: "0s" }, { share: 50, after: "4h" }] }), /^DROP_MOTH_TEE\.stages\[1\]\.after: .*over/],
  ["a duration that is none", drop({ stages: [{ share: 100, after: "soon" }] }), /^DROP_MOTH_TEE\.stages\[0\]\.after: .*duration/],
  ["a drip that does not say how often", drop({ stages: drips({ units: 5 }) }), /^DROP_MOTH_TEE\.stages\[1\]\.every: .*both: how many/],
  ["a drip that does not say how many", drop({ stages: drips({ every: "1m" }) }), /^DROP_MOTH_TEE\.stages\[1\]\.units: .*both: how many/],
  ["a drip of nothing at a time", drop({ stages: drips({ every: "1m", units: 0 }) }), /^DROP_MOTH_TEE\.stages\[1\]\.units: .*whole number from 1/],
  ["a drip that is too fast where it is deployed", drop({ stages: drips({ every: "9s", units: 5 }) }), /^DROP_MOTH_TEE\.stages\[1\]\.every: .*10s to 1h/],
  ["a drip that is too slow", drop({ stages: drips({ every: "61m", units: 48 }) }), /^DROP_MOTH_TEE\.stages\[1\]\.every: .*10s to 1h/],
  // 48 of MOTH-M, five at a time.
  ["a drip that runs into the next stage", drop({ stages: drips({ every: "10m", units: 5 }) }), /^DROP_MOTH_TEE\.stages\[1\]\.every: This drip takes 10 steps and lasts until 2h10m after the opening; stage 3 opens at 2h\./],
  ["a drip that is not out when the drop closes", drop({ stages: drips({}, [{}, {}, { every: "1h", units: 8 }]) }), /^DROP_MOTH_TEE\.stages\[2\]\.every: This drip takes 3 steps and lasts until 5h after the opening; the drop closes at 4h\./],
  ["a drip of more steps than a plan has room for", drop({ stages: drips({ every: "10s", units: 1 }), items: [{ ...item, quantity: 500 }] }), /^DROP_MOTH_TEE\.stages\[1\]\.units: This drip takes 200 steps; .*the drop has 202, and it may have 200/],
  ["a drip that counts too much with every step", drop({ stages: drips({ every: "10s", units: 1 }), items: counted(11, 470) }), /^DROP_MOTH_TEE\.stages\[1\]\.units: This drip takes 188 steps; .*the drop has 190 for 11 items and parts each, 2090 together, and they may be 2000\. Let it bring more/],
  ["a drip of whose steps a lane would be kept nothing", drop({ stages: drips({ every: "61s", units: 4 }), items: counted(1, 500), lanes: [{ ...member, until: "1m" }] }), /^DROP_MOTH_TEE\.stages\[1\]\.units: This drip .*would keep 0 of 200 MOTH-0 for the lane member, whose share of them is 20\. Let it bring 10 at a time/],
  ["a drip of whose steps a lane would be kept twice its share", drop({ stages: drips({ every: "61s", units: 5 }), items: counted(1, 500), lanes: [{ ...member, until: "1m" }] }), /^DROP_MOTH_TEE\.stages\[1\]\.units: .*would keep 40 of 200 MOTH-0 for the lane member, whose share of them is 20\./],
  ["a drip that is uneven for the second of its items and the second of its lanes", drop({ stages: drips({ every: "2m", units: 9 }), items: [{ ...item, quantity: 20 }, { ...item, sku: "MOTH-M", quantity: 200 }], lanes: [{ ...local, share: 33, until: "1m" }, { ...member, share: 5, until: "1m" }] }), /^DROP_MOTH_TEE\.stages\[1\]\.units: .*would keep 0 of 80 MOTH-M for the lane member, whose share of them is 4\. Let it bring 100 at a time/],
  ["a reserve that is kept for longer than a step of a drip lasts", drop({ stages: drips({ every: "2m", units: 5 }), lanes: [{ ...member, until: "2m" }] }), /^DROP_MOTH_TEE\.lanes\[0\]\.until: Stage 2 brings more every 2m; this must be shorter/],
  ["a price that is not an integer", drop({ items: [{ ...item, priceMinor: 4200.5 }] }), /^DROP_MOTH_TEE\.items\[0\]\.priceMinor: .*whole number/],
  ["a negative price", drop({ items: [{ ...item, priceMinor: -1 }] }), /^DROP_MOTH_TEE\.items\[0\]\.priceMinor: /],
  ["a price past the safe integers", drop({ items: [{ ...item, priceMinor: 2 ** 53 }] }), /^DROP_MOTH_TEE\.items\[0\]\.priceMinor: /],
  ["a price in quotes", drop({ items: [{ ...item, priceMinor: "4200" }] }), /^DROP_MOTH_TEE\.items\[0\]\.priceMinor: /],
  ["a quantity of none", drop({ items: [{ ...item, quantity: 0 }] }), /^DROP_MOTH_TEE\.items\[0\]\.quantity: /],
  ["no item", drop({ items: [] }), /^DROP_MOTH_TEE\.items: At least 1/],
  ["one sku twice", drop({ items: [item, { ...item, title: "Again" }] }), /^DROP_MOTH_TEE\.items\[1\]\.sku: .*MOTH-S.*twice/],
  ["a sku with a space", drop({ items: [{ ...item, sku: "MOTH S" }] }), /^DROP_MOTH_TEE\.items\[0\]\.sku: /],
  ["an item without quantity or components", drop({ items: [{ sku: "A", title: "A", priceMinor: 4200 }] }), /^DROP_MOTH_TEE\.items\[0\]: .*either/],
  ["an item with both quantity and components", drop({ items: [item, { sku: "TWO", title: "Two", priceMinor: 8000, quantity: 2, components: [{ sku: "MOTH-S", quantity: 2 }] }] }), /^DROP_MOTH_TEE\.items\[1\]: .*either/],
  ["a component that does not exist", drop({ items: [item, { sku: "TWO", title: "Two", priceMinor: 8000, components: [{ sku: "MOTH-X", quantity: 2 }] }] }), /^DROP_MOTH_TEE\.items\[1\]\.components\[0\]\.sku: .*MOTH-X/],
  ["a component that is itself a bundle", drop({ items: [item, { sku: "TWO", title: "Two", priceMinor: 8000, components: [{ sku: "TWO", quantity: 1 }] }] }), /^DROP_MOTH_TEE\.items\[1\]\.components\[0\]\.sku: /],
  ["a part with the sku of an item", drop({ parts: [{ sku: "MOTH-S", quantity: 3 }] }), /^DROP_MOTH_TEE\.items\[0\]\.sku: .*twice/],
  ["a field that does not exist", drop({ limitPerPersn: 3 }), /^DROP_MOTH_TEE\.limitPerPersn: .*no such field/],
  ["a field of an item that does not exist", drop({ items: [{ ...item, colour: "black" }] }), /^DROP_MOTH_TEE\.items\[0\]\.colour: /],
  ["a lobby that opens after the drop", drop({ lobbyOpensAt: "2026-12-04T18:00:01Z" }), /^DROP_MOTH_TEE\.lobbyOpensAt: .*no later than opensAt/],
  ["an announcement after the lobby opens", drop({ announceAt: "2026-12-04T17:30:01Z" }), /^DROP_MOTH_TEE\.announceAt: .*no later than lobbyOpensAt/],
  ["a close before the opening", drop({ closesAt: "2026-12-04T18:00:00Z", stages: [{ share: 100, after: "0s" }] }), /^DROP_MOTH_TEE\.opensAt: .*before closesAt/],
  ["an instant without a zone", drop({ opensAt: "2026-12-04T18:00:00" }), /^DROP_MOTH_TEE\.opensAt: .*zone/],
  ["an instant without quotes", drop({ opensAt: new Date(0) }), /^DROP_MOTH_TEE\.opensAt: .*quotes/],
  ["no opening", without("DROP_MOTH_TEE", "opensAt"), /^DROP_MOTH_TEE\.opensAt: .*missing/],
  ["no close", without("DROP_MOTH_TEE", "closesAt"), /^DROP_MOTH_TEE\.closesAt: .*missing/],
  ["a beacon that nobody knows", drop({ beacon: "lottery" }), /^DROP_MOTH_TEE\.beacon: This must be quicknet\./],
  ["the sandbox's beacon on a store to be deployed", drop({ beacon: "sandbox" }), /^DROP_MOTH_TEE\.beacon: This must be quicknet\./],
  ["two lanes of one name", drop({ lanes: [local, { ...member, lane: "local" }] }), /^DROP_MOTH_TEE\.lanes\[1\]\.lane: .*local.*twice/],
  ["a lane with the name of everyone's", drop({ lanes: [{ ...member, lane: "open" }] }), /^DROP_MOTH_TEE\.lanes\[0\]\.lane: .*everyone's/],
  ["a lane with a slash in its name", drop({ lanes: [{ ...member, lane: "a/b" }] }), /^DROP_MOTH_TEE\.lanes\[0\]\.lane: .*small letters/],
  ["lanes that leave nothing for everyone", drop({ lanes: [{ ...local, share: 60 }, { ...member, share: 40 }] }), /^DROP_MOTH_TEE\.lanes: .*everyone.*sum to 100/],
  ["a lane with a share of nothing", drop({ lanes: [{ ...member, share: 0 }] }), /^DROP_MOTH_TEE\.lanes\[0\]\.share: .*1 to 99/],
  ["a reserve that lasts until the next stage opens", drop({ lanes: [{ ...member, until: "30m" }] }), /^DROP_MOTH_TEE\.lanes\[0\]\.until: Stage 1 lasts 30m until stage 2 opens/],
  ["a reserve that outlives a later, shorter stage", drop({ stages: [{ share: 50, after: "0s" }, { share: 30, after: "1h" }, { share: 20, after: "80m" }], lanes: [{ ...member, until: "25m" }] }), /^DROP_MOTH_TEE\.lanes\[0\]\.until: Stage 2 lasts 20m until stage 3 opens/],
  ["a reserve that lasts until the close", drop({ stages: [{ share: 100, after: "0s" }], lanes: [{ ...member, until: "4h" }] }), /^DROP_MOTH_TEE\.lanes\[0\]\.until: Stage 1 lasts 4h until the drop closes/],
  ["a reserve of a moment where it is deployed", drop({ lanes: [{ ...member, until: "59s" }] }), /^DROP_MOTH_TEE\.lanes\[0\]\.until: .*1m to 24h/],
  ["a lane in a region that does not exist", drop({ lanes: [{ ...local, region: "hamburg" }] }), /^DROP_MOTH_TEE\.lanes\[0\]\.region: .*hamburg.*berlin/],
  ["a lane that nothing puts anyone into", drop({ lanes: [{ lane: "local", share: 20, until: "10m" }] }), /^DROP_MOTH_TEE\.lanes\[0\]: .*region, or invite/],
  ["a lane with two kinds of evidence", drop({ lanes: [{ ...local, invite: true }] }), /^DROP_MOTH_TEE\.lanes\[0\]: .*either/],
  ["a lane that is not by invitation, said twice", drop({ lanes: [{ ...member, invite: false }] }), /^DROP_MOTH_TEE\.lanes\[0\]\.invite: .*true/],
  ["a distance from nowhere", drop({ lanes: [{ ...member, within: "25km" }] }), /^DROP_MOTH_TEE\.lanes\[0\]\.within: .*region/],
  ["a distance without its unit", drop({ lanes: [{ ...local, within: 25 }] }), /^DROP_MOTH_TEE\.lanes\[0\]\.within: .*25km/],
  ["a distance around the globe", drop({ lanes: [{ ...local, within: "20001km" }] }), /^DROP_MOTH_TEE\.lanes\[0\]\.within: /],
  ["a lane that weighs nothing", drop({ lanes: [{ ...member, weight: 0 }] }), /^DROP_MOTH_TEE\.lanes\[0\]\.weight: .*1 to 10/],
  ["six lanes", drop({ lanes: ["a", "b", "c", "d", "e", "f"].map((lane) => ({ ...member, lane })) }), /^DROP_MOTH_TEE\.lanes: At most 5/],
  ["everyone admitted at once where it is deployed", drop({ lobby: { admit: "all" } }), /^DROP_MOTH_TEE\.lobby\.admit: .*local/],
  ["no shard", drop({ lobby: { shards: 0 } }), /^DROP_MOTH_TEE\.lobby\.shards: .*1 to 64/],
  ["too many shards", drop({ lobby: { shards: 65 } }), /^DROP_MOTH_TEE\.lobby\.shards: /],
  ["a hold that is too short where it is deployed", drop({ hold: "119s" }), /^DROP_MOTH_TEE\.hold: .*2m to 30m/],
  ["a hold that is too long", drop({ hold: "31m" }), /^DROP_MOTH_TEE\.hold: /],
  ["a limit of nobody", drop({ limitPerPerson: 0 }), /^DROP_MOTH_TEE\.limitPerPerson: .*1 to 20/],
  ["a limit past the bound", drop({ limitPerPerson: 21 }), /^DROP_MOTH_TEE\.limitPerPerson: /],
  ["a group of nobody", drop({ group: 0 }), /^DROP_MOTH_TEE\.group: .*1 to 10/],
  ["a group of a crowd", drop({ group: 11, gates: { email: true } }), /^DROP_MOTH_TEE\.group: .*1 to 10/],
  ["a group of people who prove nothing", drop({ group: 2, gates: { work: 5_000 } }), /^DROP_MOTH_TEE\.group: .*email = true/],
  ["a group that one address cannot be sent its goods", drop({ group: 4, limitPerPerson: 2, gates: { email: true }, limits: { address: 7 } }), /^DROP_MOTH_TEE\.limits\.address: .*at least 8.*group of 4/],
  ["an address that is sent less than one person may have", drop({ limitPerPerson: 4, limits: { address: 3 } }), /^DROP_MOTH_TEE\.limits\.address: .*at least limitPerPerson, which is 4/],
  ["a card that pays for less than one person may have", drop({ limitPerPerson: 4, limits: { address: 4, card: 1 } }), /^DROP_MOTH_TEE\.limits\.card: .*at least limitPerPerson, which is 4/],
  ["a card that pays for too much", drop({ limits: { card: 101 } }), /^DROP_MOTH_TEE\.limits\.card: .*1 to 100/],
  ["half a parcel for an address", drop({ limits: { address: 2.5 } }), /^DROP_MOTH_TEE\.limits\.address: .*1 to 100/],
  ["a limit of something else", drop({ limits: { household: 4 } }), /^DROP_MOTH_TEE\.limits/],
  ["a capture that does not exist", drop({ capture: "later" }), /^DROP_MOTH_TEE\.capture: .*at-once or on-fulfilment/],
  ["a home that does not exist", drop({ home: "mars" }), /^DROP_MOTH_TEE\.home: .*weur/],
  ["a picture outside of static/", drop({ image: "../secret.png" }), /^DROP_MOTH_TEE\.image: /],
  ["nobody who takes the remainder", drop({ splits: [{ party: "creator:ana", percent: 70 }] }), /^DROP_MOTH_TEE\.splits: .*Exactly one.*0 do/],
  ["two who take the remainder", drop({ splits: [platform, { party: "creator:ana", remainder: true }] }), /^DROP_MOTH_TEE\.splits: .*2 do/],
  ["percentages past 100", drop({ splits: [{ party: "creator:ana", percent: 60 }, { party: "creator:bo", percent: 40.01 }, platform] }), /^DROP_MOTH_TEE\.splits: .*100\.01/],
  ["a negative percentage", drop({ splits: [{ party: "creator:ana", percent: -1 }, platform] }), /^DROP_MOTH_TEE\.splits\[0\]\.percent: .*from 0 to 100/],
  ["a percentage past the whole", drop({ splits: [{ party: "creator:ana", percent: 120 }, platform] }), /^DROP_MOTH_TEE\.splits\[0\]\.percent: .*from 0 to 100/],
  ["a fixed part of half a cent", drop({ splits: [{ party: "creator:ana", fixedMinor: 0.5 }, platform] }), /^DROP_MOTH_TEE\.splits\[0\]\.fixedMinor: .*whole number of minor units/],
  ["one party twice", drop({ splits: [{ party: "platform", percent: 10 }, platform] }), /^DROP_MOTH_TEE\.splits\[1\]\.party: .*twice/],
  ["a split of no kind", drop({ splits: [{ party: "creator:ana" }, platform] }), /^DROP_MOTH_TEE\.splits\[0\]/],
  ["fixed parts above the price", drop({ items: [item], splits: [{ party: "partner:k", fixedMinor: 4201 }, platform], campaigns: [] }), /^DROP_MOTH_TEE\.splits: MOTH-S brings 4200 .*4201/],
  ["a remainder that the largest discount makes negative", drop({ items: [{ ...item, priceMinor: 1000 }], splits: [{ party: "partner:k", fixedMinor: 100 }, { party: "creator:ana", percent: 70 }, platform], campaigns: [{ ...campaign, percentOff: 70 }] }), /^DROP_MOTH_TEE\.splits: MOTH-S brings 300 after the largest discount of 70 % and the splits take 310/],
  ["a campaign that ends before it begins", drop({ campaigns: [{ ...campaign, validUntil: "2026-12-04T17:00:00Z" }] }), /^DROP_MOTH_TEE\.campaigns\[0\]\.validFrom: .*before validUntil/],
  ["a campaign that nobody can use", drop({ campaigns: [{ ...campaign, uses: 0 }] }), /^DROP_MOTH_TEE\.campaigns\[0\]\.uses: /],
  ["a discount of nothing", drop({ campaigns: [{ ...campaign, percentOff: 0 }] }), /^DROP_MOTH_TEE\.campaigns\[0\]\.percentOff: /],
  ["a discount past the price", drop({ campaigns: [{ ...campaign, percentOff: 100.01 }] }), /^DROP_MOTH_TEE\.campaigns\[0\]\.percentOff: /],
  ["a campaign in a region that does not exist", drop({ campaigns: [{ ...campaign, region: "hamburg" }] }), /^DROP_MOTH_TEE\.campaigns\[0\]\.region: .*hamburg.*berlin/],
  ["two campaigns of one id", drop({ campaigns: [campaign, campaign] }), /^DROP_MOTH_TEE\.campaigns\[1\]\.id: .*twice/],
  ["two campaigns with one word, in other case", drop({ campaigns: [{ ...campaign, typed: "Night" }, { ...campaign, id: "other", typed: "NIGHT" }] }), /^DROP_MOTH_TEE\.campaigns\[1\]\.typed: .*twice/],
  ["no name", without("STORE", "name"), /^STORE\.name: .*missing/],
  ["a currency that is none", store({ currency: "euro" }), /^STORE\.currency: .*ISO 4217/],
  ["no way to get help", store({ support: "nobody" }), /^STORE\.support: /],
  ["a colour that is none", brand({ accent: "orange" }), /^STORE\.brand\.accent: .*colour/],
  ["ink that cannot be read on the paper", brand({ ink: "#9a9a9a" }), /^STORE\.brand\.ink: .*contrast of 2\.\d to 1/],
  ["an accent that cannot be seen on the paper", brand({ accent: "#ffffff" }), /^STORE\.brand\.accent: .*contrast/],
  ["a mark of three characters", brand({ mark: "NJS" }), /^STORE\.brand\.mark: .*one or two/],
  ["a tax past 100 percent", store({ tax: { label: "VAT", percent: 101 } }), /^STORE\.tax\.percent: /],
  ["a locale that is none", region({ locale: "german" }), /^REGION_BERLIN\.locale: /],
  ["a time zone that is none", region({ zone: "Europe/Bärlin" }), /^REGION_BERLIN\.zone: /],
  ["a country that is none", region({ country: "Germany" }), /^REGION_BERLIN\.country: .*ISO 3166/],
  ["a place that is not on the globe", region({ near: { lat: 152, lon: 13 } }), /^REGION_BERLIN\.near\.lat: .*-90 to 90/],
  ["slots that do not fit the opening hours", region({ pickup: [{ id: "kiosk-k", label: "K", slots: "17:00-21:10/30m" }] }), /^REGION_BERLIN\.pickup\[0\]\.slots: /],
  ["a number per slot without slots", region({ pickup: [{ id: "kiosk-k", label: "K", perSlot: 8 }] }), /^REGION_BERLIN\.pickup\[0\]\.perSlot: /],
  ["two pick-up points of one id", region({ pickup: [{ id: "kiosk-k", label: "K" }, { id: "kiosk-k", label: "L" }] }), /^REGION_BERLIN\.pickup\[1\]\.id: .*twice/],
  ["a region from which nothing can be received", region({ pickup: [] }), /^REGION_BERLIN\.pickup: /],
  ["two regions of one label", extra("REGION_BERLIN_TWO", { ...rightVars().REGION_BERLIN, pickup: [], shipsTo: ["DE"] }), /^REGION_BERLIN_TWO\.label: .*twice/],
  ["a pick-up point in two regions", extra("REGION_POTSDAM", { ...rightVars().REGION_BERLIN, label: "Potsdam" }), /^REGION_POTSDAM\.pickup\[0\]\.id: .*another region/],
  ["a drop at the address of a region", extra("DROP_BERLIN", { ...rightVars().DROP_MOTH_TEE }), /^DROP_BERLIN\.: .*REGION_BERLIN already/],
  ["a drop at an address of the store itself", extra("DROP_API", { ...rightVars().DROP_MOTH_TEE }), /^DROP_API\.: .*\/api/],
  ["a table that does not exist", extra("DROPS", { title: "Moth tee" }), /^DROPS\.: .*no such table/],
  ["a table with a small letter in its name", extra("DROP_moth", { ...rightVars().DROP_MOTH_TEE }), /^DROP_moth\.: .*capitals/],
  ["a drop that is no table", extra("DROP_MOTH", "moth"), /^DROP_MOTH\.: .*table/],
];

describe("a config that cannot be right is refused with its table, its field and a sentence", () => {
  test.each(ONE_MISTAKE)("%s", (_title, breakIt, mistake) => {
    const mistakes = mistakesOf(breakIt);
    expect(mistakes).toHaveLength(1);
    expect(mistakes[0]).toMatch(mistake);
  });

  test("a drip is fine up to the very moment at which the next stage opens, with as many steps as a plan has room for, and every second on a local machine", () => {
    expect(mistakesOf(drop({ stages: drips({ every: "9m", units: 5 }) }))).toEqual([]);
    expect(mistakesOf(drop({ stages: drips({ every: "10s", units: 1 }), items: [{ ...item, quantity: 495 }] }))).toEqual([]);
    expect(mistakesOf(drop({ stages: drips({ every: "2m", units: 10 }), lanes: [{ ...member, until: "119s" }] }))).toEqual([]);
    expect(mistakesOf(drop({ stages: drips({ every: "1s", units: 5 }), lobby: { shards: 1, claimWindow: "1s" } }), true)).toEqual([]);
  });

  test("a drip is fine with as many steps and items as a plan has room for together, and with lanes whose shares come out to a unit", () => {
    expect(mistakesOf(drop({ stages: drips({ every: "10s", units: 1 }), items: counted(10, 495) }))).toEqual([]);
    expect(mistakesOf(drop({ stages: drips({ every: "61s", units: 10 }), items: counted(1, 500), lanes: [{ ...member, until: "1m" }] }))).toEqual([]);
    // Steps of 5, 5 and 2 keep 1, 1 and nothing; 12 keep 1 for a tenth.
    expect(mistakesOf(drop({ stages: drips({ every: "61s", units: 5 }), items: counted(1, 30), lanes: [{ ...member, until: "1m" }] }))).toEqual([]);
  });

  test("a table over 5 KB is refused even when each of its fields is fine", () => {
    const items = Array.from({ length: 40 }, (_, index) => ({ sku: `MOTH-${index}`, title: "T".repeat(80), priceMinor: 4200, quantity: 10 }));
    expect(mistakesOf(drop({ items }))).toEqual([expect.stringMatching(/^DROP_MOTH_TEE\.: This table has \d+ bytes; .* at most 5120/)]);
  });

  test("percentages that give everything away are fine at every price: they round together", () => {
    const splits = [{ party: "creator:ana", percent: 70 }, { party: "creator:bo", percent: 30 }, platform];
    expect(mistakesOf(drop({ splits, items: [{ ...item, priceMinor: 4201 }, { ...item, sku: "B", priceMinor: 1 }] }))).toEqual([]);
  });

  test("a store without its own table, or without a region, is refused", () => {
    expect(mistakesOf((vars) => { delete (vars as WritableVars)["STORE"]; })).toEqual([expect.stringMatching(/^STORE\.: .*missing/)]);
    const regionless = mistakesOf((vars) => { delete (vars as WritableVars)["REGION_BERLIN"]; });
    expect(regionless[0]).toMatch(/^REGION_…\.: At least one region/);
  });

  test("relative times are refused one by one where the store is deployed", () => {
    const relative = { announceAt: "+0s", lobbyOpensAt: "+0s", opensAt: "+20s", closesAt: "+4h" };
    expect(mistakesOf(drop(relative)).map((mistake) => mistake.split(":")[0])).toEqual(
      ["DROP_MOTH_TEE.announceAt", "DROP_MOTH_TEE.lobbyOpensAt", "DROP_MOTH_TEE.opensAt", "DROP_MOTH_TEE.closesAt"],
    );
    expect(mistakesOf(drop(relative), true)).toEqual([]);
  });

  test("a mix of instants and relative times is refused, because it has no order", () => {
    expect(mistakesOf(drop({ lobbyOpensAt: "+0s" }), true)).toEqual([expect.stringMatching(/^DROP_MOTH_TEE\.lobbyOpensAt: .*not like opensAt/)]);
  });

  test("all mistakes come at once, also when several are in one table", () => {
    const mistakes = mistakesOf((vars) => {
      Object.assign(vars.STORE, { currency: "€" });
      Object.assign(vars.REGION_BERLIN, { locale: "??" });
      Object.assign(vars.DROP_MOTH_TEE, { hold: "1s", limitPerPerson: 99, stages: [{ share: 10, after: "0s" }], closesAt: "2026-12-04T17:00:00Z", splits: [] });
    });
    expect(mistakes.map((mistake) => mistake.split(":")[0])).toEqual([
      "STORE.currency", "REGION_BERLIN.locale", "DROP_MOTH_TEE.limitPerPerson", "DROP_MOTH_TEE.hold", "DROP_MOTH_TEE.splits", "DROP_MOTH_TEE.opensAt", "DROP_MOTH_TEE.stages",
    ]);
  });
});
