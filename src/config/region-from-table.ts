import * as v from "valibot";
import { list, type Mistakes, pattern, readFields, table, text, wholeNumber } from "./fields.ts";
import type { PickupPoint, Region } from "./store-config.ts";

const COUNTRY = pattern(/^[A-Z]{2}$/, "This must be a country of ISO 3166, such as DE.");

const SLOTS_EXPLANATION = "This must be opening hours and the length of a slot, such as 17:00-21:00/30m.";

function degrees(most: number) {
  const explanation = `This must be a number of degrees from ${-most} to ${most}.`;
  return v.pipe(v.number(explanation), v.minValue(-most, explanation), v.maxValue(most, explanation));
}

const REGION_FIELDS = {
  label: text(60),
  country: COUNTRY,
  near: table({ lat: degrees(90), lon: degrees(180) }),
  locale: v.pipe(v.string("This must be a locale such as de-DE."), v.check(isLocale, "This must be a locale such as de-DE.")),
  zone: v.optional(v.pipe(v.string("This must be a time zone such as Europe/Berlin."), v.check(isZone, "This must be a time zone such as Europe/Berlin."))),
  pickup: v.optional(list(table({
    id: pattern(/^[a-z0-9]+(-[a-z0-9]+)*$/, "This must be small letters, digits and single hyphens, such as kiosk-k."),
    label: text(120),
    slots: v.optional(v.pipe(v.string(SLOTS_EXPLANATION), v.check(areSlots, SLOTS_EXPLANATION))),
    perSlot: v.optional(wholeNumber(1, 10_000, "This must be a whole number from 1 to 10000.")),
  }), 0, 40), []),
  shipsTo: v.optional(list(COUNTRY, 0, 60), []),
};

/** One `[vars.REGION_*]` table, or null when it has mistakes. */
export function regionFromTable(name: string, slug: string, raw: Readonly<Record<string, unknown>>, mistakes: Mistakes): Region | null {
  const { label, country, near, locale, zone, pickup, shipsTo } = readFields(name, raw, REGION_FIELDS, mistakes);
  for (const [index, point] of (pickup ?? []).entries()) {
    if (point.perSlot !== undefined && point.slots === undefined) mistakes.add(name, `pickup[${index}].perSlot`, "A number per slot needs slots.");
  }
  if (shipsTo !== undefined && new Set(shipsTo).size < shipsTo.length) mistakes.add(name, "shipsTo", "A country is there twice.");
  if (pickup?.length === 0 && shipsTo?.length === 0) mistakes.add(name, "pickup", "A region needs a pick-up point or a country that it ships to; nobody could receive an order.");
  if (label === undefined || country === undefined || near === undefined || locale === undefined || pickup === undefined || shipsTo === undefined) return null;
  return { slug, label, country, near, locale, zone: zone ?? zoneOf(country), shipsTo, pickup: pickup.map((point): PickupPoint => ({ id: point.id, label: point.label, slots: point.slots ?? null, perSlot: point.perSlot ?? null })) };
}

function isLocale(text: string): boolean {
  try {
    return /^[a-z]{2,3}(-|$)/.test(text) && Intl.getCanonicalLocales(text)[0] === text;
  } catch {
    return false;
  }
}

function isZone(text: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: text }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}

/** The zone of a country whose clocks all show the same, in winter as in summer; where they do not, UTC is at least no mistake. */
function zoneOf(country: string): string {
  const zones = new Intl.Locale(`und-${country}`).getTimeZones() ?? [];
  const clocks = new Set(zones.map((zone) => ["2026-01-15T12:00Z", "2026-07-15T12:00Z"].map((at) => new Intl.DateTimeFormat("en", { timeZone: zone, dateStyle: "short", timeStyle: "short" }).format(new Date(at))).join()));
  return clocks.size === 1 ? (zones[0] ?? "UTC") : "UTC";
}

function areSlots(text: string): boolean {
  const match = /^([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)\/(\d{1,3})m$/.exec(text);
  if (match === null) return false;
  const [fromHour = 0, fromMinute = 0, toHour = 0, toMinute = 0, slotMinutes = 0] = match.slice(1).map(Number);
  const openMinutes = toHour * 60 + toMinute - fromHour * 60 - fromMinute;
  return slotMinutes > 0 && openMinutes >= slotMinutes && openMinutes % slotMinutes === 0;
}
