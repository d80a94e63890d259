import type { Region } from "../../../config/store-config.ts";
import { pageLanguage } from "../../browser/language.ts";

/** Instants in words, for readers whose own clock cannot be asked: in the region's zone, which is named each time. */
export interface Moments {
  /** To the second: "18:12:30 CET". */
  hour(at: number): string;
  /** With its day: "Fri, 4 Dec, 19:00 CET". */
  day(at: number): string;
}

export function momentsOf({ locale, zone }: Pick<Region, "locale" | "zone">): Moments {
  const named = { hour: "2-digit", minute: "2-digit", timeZone: zone, timeZoneName: "short" } as const;
  const hours = new Intl.DateTimeFormat(pageLanguage(locale), { ...named, second: "2-digit" });
  const days = new Intl.DateTimeFormat(pageLanguage(locale), { ...named, weekday: "short", day: "numeric", month: "short" });
  return { hour: (at) => hours.format(at), day: (at) => days.format(at) };
}
