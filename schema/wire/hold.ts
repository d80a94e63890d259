import * as v from "valibot";
import { AmountMinor, Currency, HoldId, Instant, LinesRequest, Quantity, Sku } from "./ids.ts";

export const HoldRequest = v.strictObject({ lines: LinesRequest, replaces: v.optional(HoldId) });
export type HoldRequest = v.InferOutput<typeof HoldRequest>;

export const HoldAnswer = v.strictObject({
  id: HoldId,
  state: v.picklist(["held", "placed", "sold", "expired", "abandoned", "voided"]),
  lines: v.array(v.strictObject({ sku: Sku, quantity: Quantity, unitPriceMinor: AmountMinor, totalMinor: AmountMinor })),
  totalMinor: AmountMinor,
  currency: Currency,
  expiresAt: Instant,
});
export type HoldAnswer = v.InferOutput<typeof HoldAnswer>;
