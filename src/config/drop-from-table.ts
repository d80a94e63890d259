import * as v from "valibot";
import { QUICKNET, SANDBOX_CHAIN } from "../drop/beacon-chains.ts";
import type { Component, LaneShare, Moment, PlanItem, PlanSource } from "../drop/plan.ts";
import { checkOffer, type Offer } from "./offer-check.ts";
import { budgetFields, gateFields } from "./gates.ts";
import { checkGroup, groupField } from "./groups.ts";
import { laneFields, lanesFromList } from "./lanes-from-list.ts";
import { checkLimits, limitFields } from "./resale-limits.ts";
import { duration, instant, list, type Mistakes, moment, nameDuplicates, pattern, percent, readFields, table, text, wholeNumber } from "./fields.ts";
import { checkStages, sourceStage, stageFields } from "./stages.ts";
import type { DropConfig } from "./store-config.ts";

/** What a drop inherits from the store around it. */
export interface DropSurroundings {
  readonly isLocal: boolean;
  readonly currency: string;
  readonly tax: { readonly label: string; readonly percent: number } | null;
  readonly regionSlugs: readonly string[];
  /** Where the regions are, by slug; one whose own table has a mistake is missing. */
  readonly places: ReadonlyMap<string, { readonly lat: number; readonly lon: number }>;
}

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
/** How long before its opening a drop's lobby opens when the config does not say: time enough for people to gather. */
const LOBBY_LEAD_MS = 30 * MINUTE_MS;
const HOMES = ["wnam", "enam", "sam", "weur", "eeur", "apac", "oc", "afr", "me"] as const;

const SKU = pattern(/^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$/, "This must be letters, digits, dots, hyphens and underscores, at most 40.");
const QUANTITY = wholeNumber(1, 100_000, "This must be a whole number from 1 to 100000.");
const PARTY = pattern(/^[a-z][a-z0-9]*(:[a-z0-9]+(-[a-z0-9]+)*)?$/, "This must be a party such as platform, creator:ana or partner:kiosk-k.");
const PRICE = wholeNumber(0, Number.MAX_SAFE_INTEGER, "This must be a whole number of the currency's smallest unit, 0 or more: 4200 means 42.00 EUR.");

/** The fields of a `[vars.DROP_*]` table. */
function dropFields(isLocal: boolean) {
  const holdMinMs = isLocal ? 10 * SECOND_MS : 2 * MINUTE_MS;
  const claimMinMs = isLocal ? SECOND_MS : 5 * SECOND_MS;
  return {
    title: text(80),
    story: v.optional(text(2_000)),
    image: v.optional(pattern(/^[a-z0-9][\w./-]*\.(svg|png|jpe?g|webp|avif)$/i, "This must be a picture's path under static/, such as images/moth.svg.")),
    deliveryNote: v.optional(text(160)),
    home: v.optional(v.picklist(HOMES, `This must be one of ${HOMES.join(", ")}.`)),
    announceAt: v.optional(moment(isLocal)),
    lobbyOpensAt: v.optional(moment(isLocal)),
    opensAt: moment(isLocal),
    closesAt: moment(isLocal),
    stages: stageFields(isLocal),
    lanes: v.optional(laneFields(isLocal), []),
    gates: v.optional(gateFields(isLocal), {}),
    budgets: v.optional(budgetFields, {}),
    limitPerPerson: v.optional(wholeNumber(1, 20, "This must be a whole number from 1 to 20."), 1),
    group: v.optional(groupField, 1),
    limits: v.optional(limitFields, {}),
    hold: v.optional(duration(holdMinMs, 30 * MINUTE_MS, `This must be a duration from ${isLocal ? "10s" : "2m"} to 30m.`), "8m"),
    capture: v.optional(v.picklist(["at-once", "on-fulfilment"], "This must be at-once or on-fulfilment."), "at-once"),
    low: v.optional(wholeNumber(0, 100_000, "This must be a whole number, 0 or more."), 10),
    parts: v.optional(list(table({ sku: SKU, quantity: QUANTITY }), 0, 60), []),
    items: list(table({
      sku: SKU,
      title: text(80),
      priceMinor: PRICE,
      quantity: v.optional(QUANTITY),
      components: v.optional(list(table({ sku: SKU, quantity: wholeNumber(1, 1_000, "This must be a whole number from 1 to 1000.") }), 1, 20)),
    }), 1, 40),
    splits: v.optional(list(splitRule, 1, 20), [{ party: "platform", remainder: true }]),
    campaigns: v.optional(list(table({
      id: pattern(/^[a-z0-9]+(-[a-z0-9]+)*$/, "This must be small letters, digits and single hyphens, such as berlin-night."),
      percentOff: percent(0.01, 100, "This must be a number above 0 and at most 100."),
      region: v.optional(v.string("This must be a region such as berlin.")),
      validFrom: instant,
      validUntil: instant,
      uses: wholeNumber(1, 1_000_000, "This must be a whole number from 1 to 1000000."),
      typed: v.optional(pattern(/^[A-Za-z0-9-]{3,24}$/, "This must be a word of 3 to 24 letters, digits and hyphens.")),
    }), 0, 20), []),
    beacon: v.optional(v.pipe(
      v.picklist(isLocal ? ["quicknet", "sandbox"] : ["quicknet"], isLocal ? "This must be quicknet, or sandbox on a local machine." : "This must be quicknet."),
      v.transform((name) => (name === "quicknet" ? QUICKNET : SANDBOX_CHAIN)),
    )),
    lobby: v.optional(table({
      shards: v.optional(wholeNumber(1, 64, "This must be a whole number from 1 to 64."), 1),
      claimWindow: v.optional(duration(claimMinMs, 10 * MINUTE_MS, `This must be a duration from ${isLocal ? "1s" : "5s"} to 10m.`), "60s"),
      admit: v.optional(v.pipe(
        v.picklist(["paced", "all"], "This must be paced or all."),
        v.check((admit) => isLocal || admit === "paced", "Admitting everyone at once exists only on a local machine."),
      ), "paced"),
    }), {}),
  };
}

const SPLIT_EXPLANATION = "This must be { party, fixedMinor }, { party, percent } or { party, remainder = true }.";
const splitRule = v.union([
  v.strictObject({ party: PARTY, fixedMinor: wholeNumber(0, Number.MAX_SAFE_INTEGER, "This must be a whole number of minor units, 0 or more.") }),
  v.strictObject({ party: PARTY, percent: percent(0, 100, "This must be a percentage from 0 to 100.") }),
  v.strictObject({ party: PARTY, remainder: v.literal(true, SPLIT_EXPLANATION) }),
], SPLIT_EXPLANATION);

type DropFields = Partial<{ [Name in keyof ReturnType<typeof dropFields>]: v.InferOutput<ReturnType<typeof dropFields>[Name]> }>;

/** One `[vars.DROP_*]` table, or null when it has mistakes. */
export function dropFromTable(name: string, slug: string, raw: Readonly<Record<string, unknown>>, surroundings: DropSurroundings, mistakes: Mistakes): DropConfig | null {
  const before = mistakes.list.length;
  const fields: DropFields = readFields(name, raw, dropFields(surroundings.isLocal), mistakes);
  const times = readTimes(name, fields, mistakes);
  const lanes = readLanes(name, fields, surroundings, mistakes);
  const offer = readOffer(name, fields, mistakes);
  if (fields.stages !== undefined) checkStages(name, fields.stages, { ...fields, stock: offer?.stock ?? null, lanes }, mistakes);
  if (offer !== null) checkOffer(name, offer, surroundings, mistakes);
  if (fields.limits !== undefined && fields.limitPerPerson !== undefined) checkLimits(name, fields.limits, fields.limitPerPerson, mistakes);
  const { group } = fields;
  if (group !== undefined && fields.limits !== undefined && fields.limitPerPerson !== undefined && fields.gates !== undefined) checkGroup(name, { group, asksForAddress: fields.gates.email, limitPerPerson: fields.limitPerPerson, limits: fields.limits }, mistakes);

  const { title, stages, gates, budgets, limits, limitPerPerson, holdTtlMs, capture, low, lobby } = { ...fields, holdTtlMs: fields.hold };
  if (mistakes.list.length > before || times === null || lanes === null || offer === null) return null;
  if (title === undefined || stages === undefined || limitPerPerson === undefined || group === undefined || holdTtlMs === undefined) return null;
  if (gates === undefined || budgets === undefined || limits === undefined || capture === undefined || low === undefined || lobby === undefined) return null;
  const source: PlanSource = {
    drop: slug, title, currency: surroundings.currency, ...times,
    stages: stages.map(sourceStage),
    stock: offer.stock, items: offer.items, lanes, gates, budgets, beacon: fields.beacon ?? null, limitPerPerson, ...(group === 1 ? {} : { groupMax: group }), limits, holdTtlMs, capture, low,
    splits: offer.splits, campaigns: offer.campaigns,
    shards: lobby.shards, claimWindowMs: lobby.claimWindow, admit: lobby.admit, tax: surroundings.tax,
  };
  return { slug, title, story: fields.story ?? "", image: fields.image ?? null, home: fields.home ?? null, deliveryNote: fields.deliveryNote ?? null, source };
}

interface DropTimes {
  readonly announceAt: Moment;
  readonly lobbyOpensAt: Moment;
  readonly opensAt: Moment;
  readonly closesAt: Moment;
}

/**
 * The four times in their order. They are all instants or all relative: a mix
 * has no order until somebody looks, and then it is too late to refuse it.
 */
function readTimes(name: string, fields: DropFields, mistakes: Mistakes): DropTimes | null {
  const { announceAt, lobbyOpensAt, opensAt, closesAt } = fields;
  if (opensAt === undefined) return null;
  const isRelative = "afterFirstSeenMs" in opensAt;
  const same = (at: number): Moment => (isRelative ? { afterFirstSeenMs: at } : { at });
  const times = {
    // Without a time the drop is announced as soon as it is deployed.
    announceAt: announceAt ?? same(0),
    lobbyOpensAt: lobbyOpensAt ?? same(Math.max(0, momentMs(opensAt) - LOBBY_LEAD_MS, announceAt === undefined ? 0 : momentMs(announceAt))),
    opensAt,
    closesAt: closesAt ?? null,
  };
  const mixed = Object.entries(times).filter(([, time]) => time !== null && "afterFirstSeenMs" in time !== isRelative);
  for (const [field] of mixed) mistakes.add(name, field, "The times of a drop are all instants or all relative; this one is not like opensAt.");
  if (mixed.length > 0) return null;
  const inOrder = (earlier: keyof typeof times, later: keyof typeof times, mayBeEqual: boolean) => {
    const [one, other] = [times[earlier], times[later]];
    if (one === null || other === null) return;
    const isFine = mayBeEqual ? momentMs(one) <= momentMs(other) : momentMs(one) < momentMs(other);
    if (!isFine) mistakes.add(name, earlier, `This must be ${mayBeEqual ? "no later than" : "before"} ${later}.`);
  };
  inOrder("announceAt", "lobbyOpensAt", true);
  inOrder("lobbyOpensAt", "opensAt", true);
  inOrder("opensAt", "closesAt", false);
  return times.closesAt === null ? null : { ...times, closesAt: times.closesAt };
}

function momentMs(time: Moment): number {
  return "at" in time ? time.at : time.afterFirstSeenMs;
}

/** For whom a part of each stage is kept; null while that cannot be read. */
function readLanes(name: string, { lanes, stages, opensAt, closesAt }: DropFields, { regionSlugs, places }: DropSurroundings, mistakes: Mistakes): LaneShare[] | null {
  if (lanes === undefined || stages === undefined) return null;
  const isComparable = opensAt !== undefined && closesAt !== undefined && "at" in opensAt === "at" in closesAt;
  const lastsMs = isComparable ? momentMs(closesAt) - momentMs(opensAt) : null;
  return lanesFromList(name, lanes, { stages, lastsMs, regionSlugs, places }, mistakes);
}

/** What is sold, counted and shared out; null while a part of it cannot be read. */
function readOffer(name: string, { items, parts, splits, campaigns }: DropFields, mistakes: Mistakes): Offer | null {
  if (items === undefined || parts === undefined || splits === undefined || campaigns === undefined) return null;
  nameDuplicates(mistakes, name, [...parts.map((part, index) => [`parts[${index}].sku`, part.sku] as const), ...items.map((item, index) => [`items[${index}].sku`, item.sku] as const)], "sku");
  const stock = [...parts, ...items.flatMap(({ sku, quantity }) => (quantity === undefined ? [] : [{ sku, quantity }]))];
  const stocked = new Set(stock.map(({ sku }) => sku));
  const planItems = items.map((item, index): PlanItem => {
    const field = `items[${index}]`;
    if ((item.quantity === undefined) === (item.components === undefined)) {
      mistakes.add(name, field, "An item has either a quantity of its own or the components that it takes.");
    }
    const components: readonly Component[] = item.components ?? [{ sku: item.sku, quantity: 1 }];
    for (const [at, component] of (item.components ?? []).entries()) {
      if (!stocked.has(component.sku)) mistakes.add(name, `${field}.components[${at}].sku`, `There is no "${component.sku}" with a quantity among the items and parts.`);
    }
    nameDuplicates(mistakes, name, (item.components ?? []).map((component, at) => [`${field}.components[${at}].sku`, component.sku] as const), "component");
    return { sku: item.sku, title: item.title, priceMinor: item.priceMinor, components };
  });
  return { stock, items: planItems, splits, campaigns: campaigns.map((campaign) => ({ ...campaign, region: campaign.region ?? null, typed: campaign.typed ?? null })) };
}
