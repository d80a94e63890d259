import type { Region } from "../../config/store-config.ts";
import type { Visitor } from "../ports.ts";

/** Great-circle distance on a unit sphere: only compared, never shown. */
function distance(one: Region["near"], other: Region["near"]): number {
  const radians = (degrees: number) => (degrees * Math.PI) / 180;
  const half = (difference: number) => Math.sin(radians(difference) / 2) ** 2;
  const angle = half(other.lat - one.lat) + Math.cos(radians(one.lat)) * Math.cos(radians(other.lat)) * half(other.lon - one.lon);
  return 2 * Math.asin(Math.min(1, Math.sqrt(angle)));
}

/**
 * The regions by nearness to a visitor, from the platform's own location of the
 * request and nothing that a client can say. Without a location a region of the
 * visitor's country comes first, else the order of the config.
 */
export function regionsByNearness(regions: readonly Region[], visitor: Visitor): Region[] {
  const { near, country } = visitor;
  if (near !== null) return regions.toSorted((a, b) => distance(a.near, near) - distance(b.near, near));
  return regions.toSorted((a, b) => Number(b.country === country) - Number(a.country === country));
}
