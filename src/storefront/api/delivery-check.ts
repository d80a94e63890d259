import type { DeliveryRequest } from "../../../schema/wire/order.ts";
import type { Delivery } from "../../checkout/placed-order.ts";
import type { PickupPoint, Region } from "../../config/store-config.ts";
import { durationFromText } from "../../kernel/time.ts";
import type { FieldError } from "../../kernel/problem.ts";
import { accepted, rejected, type Result } from "../../kernel/result.ts";

export interface CheckedDelivery {
  readonly delivery: Delivery;
  /** The region that serves it: the one that was come through, else the first that can. */
  readonly region: Region;
}

/**
 * A delivery that this store can make: a pickup point that exists, with one of
 * its slots where it has any, or an address in a country that is shipped to.
 * `through` is the region that the shopper came through; null means any.
 */
export function checkedDelivery(request: DeliveryRequest, regions: readonly Region[], through: Region | null): Result<CheckedDelivery, FieldError> {
  const ordered = through === null ? regions : [through, ...regions.filter((region) => region !== through)];
  if (request.method === "ship") {
    const { address } = request;
    const region = ordered.find((candidate) => candidate.shipsTo.includes(address.country));
    if (region === undefined) return rejected({ pointer: "/delivery/address/country", detail: "The store does not ship to this country." });
    return accepted({ region, delivery: { method: "ship", address: { ...address, line2: address.line2 ?? null } } });
  }
  const region = ordered.find((candidate) => candidate.pickup.some((point) => point.id === request.point));
  const point = region?.pickup.find((candidate) => candidate.id === request.point);
  if (region === undefined || point === undefined) return rejected({ pointer: "/delivery/point", detail: "The store has no such pickup point." });
  const slot = request.slot ?? null;
  if (slot !== null && !pickupSlots(point).includes(slot)) return rejected({ pointer: "/delivery/slot", detail: "The pickup point has no such slot." });
  return accepted({ region, delivery: { method: "pickup", point: point.id, slot } });
}

/** A point's slots, in its own local time: `17:00-18:00/30m` has `17:00-17:30` and `17:30-18:00`. */
export function pickupSlots({ slots }: PickupPoint): string[] {
  const [, fromHour, fromMinute, toHour, toMinute, step = ""] = /^(\d\d):(\d\d)-(\d\d):(\d\d)\/(\S+)$/.exec(slots ?? "") ?? [];
  const stepMinutes = (durationFromText(step) ?? 0) / 60_000;
  if (stepMinutes < 1) return [];
  const [from, to] = [minutesOf(fromHour, fromMinute), minutesOf(toHour, toMinute)];
  const found: string[] = [];
  for (let at = from; at + stepMinutes <= to; at += stepMinutes) found.push(`${clockText(at)}-${clockText(at + stepMinutes)}`);
  return found;
}

function minutesOf(hour: string | undefined, minute: string | undefined): number {
  return Number(hour) * 60 + Number(minute);
}

function clockText(minutes: number): string {
  return `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(Math.floor(minutes % 60)).padStart(2, "0")}`;
}
