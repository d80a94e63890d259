import * as v from "valibot";
import { AmountMinor, Currency, HoldId, Instant, OrderId, Quantity, Sku, Slug } from "./ids.ts";

/** A line of text that a person typed: no control characters, not only spaces. */
function lineOfText(charactersMax: number) {
  return v.pipe(
    v.string(),
    v.trim(),
    v.minLength(1, "This cannot be empty."),
    v.maxLength(charactersMax, `At most ${charactersMax} characters fit here.`),
    v.regex(/^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}]+$/u, "Only one line of ordinary characters fits here."),
  );
}

export const AddressRequest = v.strictObject({
  name: lineOfText(100),
  line1: lineOfText(200),
  line2: v.optional(v.nullable(lineOfText(200))),
  postalCode: lineOfText(16),
  city: lineOfText(100),
  country: v.pipe(v.string(), v.regex(/^[A-Z]{2}$/, "A country is two capital letters (ISO 3166-1).")),
});

export const DeliveryRequest = v.variant("method", [
  v.strictObject({ method: v.literal("pickup"), point: Slug, slot: v.optional(v.nullable(lineOfText(40))) }),
  v.strictObject({ method: v.literal("ship"), address: AddressRequest }),
]);
export type DeliveryRequest = v.InferOutput<typeof DeliveryRequest>;

export const OrderRequest = v.strictObject({
  drop: Slug,
  hold: HoldId,
  email: lineOfText(254),
  delivery: DeliveryRequest,
  /** A signed voucher, or the public word of a campaign. */
  coupon: v.optional(v.nullable(lineOfText(4_096))),
  /** Which of the store's regions the shopper came through. */
  source: v.optional(v.strictObject({ region: v.optional(v.nullable(Slug)) })),
});
export type OrderRequest = v.InferOutput<typeof OrderRequest>;

const OrderStateWire = v.picklist(["placed", "confirming", "confirmed", "cancelled", "expired"]);
const PaymentStateWire = v.picklist(["none", "pending", "authorised", "captured", "part-refunded", "refunded", "voided", "failed", "disputed"]);

const orderMembers = {
  id: OrderId,
  state: OrderStateWire,
  lines: v.array(
    v.strictObject({
      sku: Sku,
      title: v.string(),
      quantity: Quantity,
      unitPriceMinor: AmountMinor,
      discountMinor: AmountMinor,
      totalMinor: AmountMinor,
    }),
  ),
  discountMinor: AmountMinor,
  totalMinor: AmountMinor,
  currency: Currency,
  payBy: Instant,
  payment: v.strictObject({ state: PaymentStateWire, url: v.nullable(v.string()) }),
  /** The bearer that reads this order from any device. */
  receipt: v.string(),
};

/** The answer to placing an order. */
export const OrderAnswer = v.strictObject(orderMembers);
export type OrderAnswer = v.InferOutput<typeof OrderAnswer>;

/** The same, as it stands now, with its story. */
export const OrderStatusAnswer = v.strictObject({
  ...orderMembers,
  drop: Slug,
  placedAt: Instant,
  fulfilment: v.picklist(["none", "part", "done"]),
  capturedMinor: AmountMinor,
  refundedMinor: AmountMinor,
  timeline: v.array(v.strictObject({ at: Instant, kind: v.string(), text: v.string() })),
});
export type OrderStatusAnswer = v.InferOutput<typeof OrderStatusAnswer>;

/** The receipt as a document, our compact JWS (EdDSA) over its canonical form, and the same in schema.org's words. */
export const ReceiptAnswer = v.strictObject({
  receipt: v.looseObject({ kind: v.literal("receipt"), order: OrderId }),
  signature: v.string(),
  schemaOrg: v.looseObject({ "@context": v.string(), "@type": v.string() }),
});
