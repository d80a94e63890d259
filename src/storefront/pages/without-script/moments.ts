import type { Region } from "../../../config/store-config.ts";
import { pageLanguage } from "../../browser/language.ts";

/** Instants in words, for readers whose own clock cannot be asked: in the region's zone, which is named each time. */
export interface Moments {
  /** To the second: "18:12:30 CET". */
  hour(at: number): string;
  /** With its day: "Fri, 4 Dec, 19:00 CET". */
  day(at: number): string;
}

/** A store has a handful of regions, and making a format costs as much as the rest of a page. */
const known = new Map<string, Moments>();

export function momentsOf(region: Pick<Region, "locale" | "zone">): Moments {
  const name = `${region.locale} ${region.zone}`;
  const moments = known.get(name) ?? formatsOf(region);
  known.set(name, moments);
  return moments;
}

function formatsOf({ locale, zone }: Pick<Region, "locale" | "zone">): Moments {
  const named = { hour: "2-digit", minute: "2-digit", timeZone: zone, timeZoneName: "short" } as const;
  const hours = new Intl.DateTimeFormat(pageLanguage(locale), { ...named, second: "2-digit" });
  const days = new Intl.DateTimeFormat(pageLanguage(locale), { ...named, weekday: "short", day: "numeric", month: "short" });
  return { hour: (at) => hours.format(at), day: (at) => days.format(at) };
}
