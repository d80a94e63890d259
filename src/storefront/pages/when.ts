import { pressedHoldMs } from "../../drop/network-budgets.ts";
import type { Plan } from "../../drop/plan.ts";

/*
 * Instants for readers without script: in the region's own way of writing,
 * named as UTC. The module rewrites them in the viewer's zone.
 */

export function instantText(at: number, locale: string, withSeconds = false): string {
  const seconds = withSeconds ? ({ second: "2-digit" } as const) : {};
  return new Intl.DateTimeFormat(locale, { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", ...seconds, timeZone: "UTC", timeZoneName: "short" }).format(at);
}

/** A length of time in words: "30 minutes", "2 hours", "8 minutes 30 seconds". */
export function spanText(ms: number): string {
  const seconds = Math.round(ms / 1000);
  const units: readonly (readonly [number, string])[] = [[Math.floor(seconds / 3600), "hour"], [Math.floor(seconds / 60) % 60, "minute"], [seconds % 60, "second"]];
  const parts = units.filter(([count]) => count > 0).map(([count, unit]) => `${count} ${unit}${count === 1 ? "" : "s"}`);
  return parts.length === 0 ? "0 seconds" : parts.slice(0, 2).join(" ");
}

/** How long a hold lasts, with what may shorten it: nobody is promised more than they get. */
export function holdText(plan: Pick<Plan, "holdTtlMs">): string {
  const pressedMs = pressedHoldMs(plan);
  return pressedMs === plan.holdTtlMs ? spanText(plan.holdTtlMs) : `${spanText(plan.holdTtlMs)}, or ${spanText(pressedMs)} while many hold from the same network`;
}

/** The windows of a pick-up point such as `17:00-21:00/30m`, as `17:00-17:30` and so on; empty for anything else. */
export function slotsOf(text: string | null): string[] {
  const found = /^(\d\d):(\d\d)-(\d\d):(\d\d)\/(\d+)m$/.exec(text ?? "");
  if (found === null) return [];
  const [, fromHour, fromMinute, toHour, toMinute, step] = found;
  const from = Number(fromHour) * 60 + Number(fromMinute);
  const to = Number(toHour) * 60 + Number(toMinute);
  const stepMinutes = Number(step);
  if (stepMinutes < 1) return [];
  const clock = (minutes: number) => `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
  const slots: string[] = [];
  for (let at = from; at + stepMinutes <= to; at += stepMinutes) slots.push(`${clock(at)}-${clock(at + stepMinutes)}`);
  return slots;
}
