import { currencyExponent } from "../kernel/money.ts";
import { instantToWire } from "../kernel/time.ts";
import type { OrderState, OrderView, PaymentState } from "../settlement/port.ts";
import type { Delivery, OrderLine } from "./placed-order.ts";

/** Who sold it: the store's own words at the moment of asking. */
export interface ReceiptStore {
  readonly name: string;
  readonly support: string;
  /** The store's origin, without a slash at the end. */
  readonly url: string;
}

/** The receipt as it is signed and served: amounts in minor units, instants in RFC 3339. */
export interface ReceiptDocument {
  readonly kind: "receipt";
  readonly order: string;
  readonly url: string;
  readonly seller: { readonly name: string; readonly support: string };
  readonly drop: { readonly slug: string; readonly title: string };
  /** The rules under which it was sold: the hash of the drop's plan in the public record. */
  readonly policyVersion: string;
  /** The buyer's entry in the public record. */
  readonly entry: string;
  readonly state: OrderState;
  readonly payment: { readonly state: PaymentState; readonly capturedMinor: number; readonly refundedMinor: number };
  readonly fulfilment: OrderView["fulfilment"];
  readonly currency: string;
  readonly lines: readonly OrderLine[];
  readonly subtotalMinor: number;
  readonly discountMinor: number;
  readonly coupon: { readonly campaign: string } | null;
  readonly totalMinor: number;
  readonly tax: { readonly label: string; readonly percent: number; readonly includedMinor: number } | null;
  readonly delivery: Delivery;
  readonly placedAt: string;
  readonly payBy: string;
  readonly timeline: readonly { readonly at: string; readonly kind: string; readonly text: string }[];
}

/**
 * The receipt of an order, with the allocations as they were stored at sale.
 *
 * The e-mail address and the voucher's number stay out of it: a receipt is
 * shown around, and neither is needed to prove what was bought. How the money
 * is split among the sellers is their business and not in it either.
 */
export function receiptDocument(view: OrderView, store: ReceiptStore): ReceiptDocument {
  const { order } = view;
  return {
    kind: "receipt",
    order: order.id,
    url: orderUrl(store, order.id),
    seller: { name: store.name, support: store.support },
    drop: { slug: order.drop, title: order.dropTitle },
    policyVersion: order.planHash,
    entry: order.entry,
    state: view.state,
    payment: { state: view.payment.state, capturedMinor: view.capturedMinor, refundedMinor: view.refundedMinor },
    fulfilment: view.fulfilment,
    currency: order.currency,
    lines: order.lines.map(receiptLine),
    subtotalMinor: order.totalMinor + order.discountMinor,
    discountMinor: order.discountMinor,
    coupon: order.coupon === null ? null : { campaign: order.coupon.campaign },
    totalMinor: order.totalMinor,
    tax: order.tax,
    delivery: order.delivery,
    placedAt: instantToWire(order.placedAt),
    payBy: instantToWire(view.payBy),
    timeline: view.timeline.map((entry) => ({ at: instantToWire(entry.at), kind: entry.kind, text: entry.text })),
  };
}

function receiptLine(line: OrderLine): OrderLine {
  const { sku, title, quantity, unitPriceMinor, discountMinor, totalMinor, taxMinor } = line;
  return { sku, title, quantity, unitPriceMinor, discountMinor, totalMinor, taxMinor };
}

/**
 * The same receipt for machines that read schema.org: an Order with its Invoice.
 * The caller escapes `<` when it puts this into a page.
 */
export function receiptSchemaOrg(view: OrderView, store: ReceiptStore): Record<string, unknown> {
  const { order } = view;
  const url = orderUrl(store, order.id);
  const seller = { "@type": "Organization", name: store.name, url: store.url, email: store.support };
  return {
    "@context": "https://schema.org",
    "@type": "Order",
    "@id": `${url}#order`,
    orderNumber: order.id,
    url,
    orderDate: instantToWire(order.placedAt),
    orderStatus: `https://schema.org/${schemaOrderStatus(view)}`,
    seller,
    priceCurrency: order.currency,
    price: decimalAmount(order.totalMinor, order.currency),
    ...(order.discountMinor === 0 ? {} : { discount: decimalAmount(order.discountMinor, order.currency), discountCurrency: order.currency }),
    ...(order.coupon === null ? {} : { discountCode: order.coupon.campaign }),
    orderedItem: order.lines.map((line) => schemaItem(line)),
    orderDelivery: schemaDelivery(order.delivery),
    acceptedOffer: order.lines.map((line) => ({
      "@type": "Offer",
      sku: line.sku,
      itemOffered: { "@type": "Product", name: line.title, sku: line.sku },
      priceCurrency: order.currency,
      price: decimalAmount(line.unitPriceMinor, order.currency),
      eligibleQuantity: { "@type": "QuantitativeValue", value: line.quantity },
    })),
    partOfInvoice: schemaInvoice(view, seller, url),
  };
}

function schemaInvoice(view: OrderView, provider: Record<string, unknown>, url: string): Record<string, unknown> {
  const { order } = view;
  return {
    "@type": "Invoice",
    "@id": `${url}#invoice`,
    identifier: order.id,
    provider,
    paymentStatus: `https://schema.org/${schemaPaymentStatus(view)}`,
    paymentDueDate: instantToWire(view.payBy),
    totalPaymentDue: {
      "@type": "PriceSpecification",
      price: decimalAmount(order.totalMinor, order.currency),
      priceCurrency: order.currency,
      valueAddedTaxIncluded: order.tax !== null,
    },
    ...(order.tax === null ? {} : { description: `${order.tax.label} ${order.tax.percent} %: ${decimalAmount(order.tax.includedMinor, order.currency)} ${order.currency}` }),
  };
}

function schemaItem(line: OrderLine): Record<string, unknown> {
  return { "@type": "OrderItem", orderQuantity: line.quantity, orderedItem: { "@type": "Product", name: line.title, sku: line.sku } };
}

function schemaDelivery(delivery: Delivery): Record<string, unknown> {
  if (delivery.method === "pickup") {
    return { "@type": "ParcelDelivery", hasDeliveryMethod: "http://purl.org/goodrelations/v1#DeliveryModePickUp", originAddress: { "@type": "PostalAddress", name: delivery.point } };
  }
  const { name, line1, line2, postalCode, city, country } = delivery.address;
  const streetAddress = line2 === null ? line1 : `${line1}, ${line2}`;
  return { "@type": "ParcelDelivery", deliveryAddress: { "@type": "PostalAddress", name, streetAddress, postalCode, addressLocality: city, addressCountry: country } };
}

/** schema.org's word for where the order stands; what was handed over outranks what was paid. */
function schemaOrderStatus(view: OrderView): string {
  switch (view.state) {
    case "placed":
    case "confirming":
      return "OrderPaymentDue";
    case "cancelled":
    case "expired":
      return "OrderCancelled";
    case "confirmed":
      if (view.payment.state === "refunded") return "OrderReturned";
      if (view.payment.state === "disputed") return "OrderProblem";
      return view.fulfilment === "done" ? "OrderDelivered" : "OrderProcessing";
  }
}

/** schema.org has no word for money that came back; the receipt itself says how much did. */
function schemaPaymentStatus(view: OrderView): string {
  switch (view.payment.state) {
    case "none":
    case "pending":
      return "PaymentDue";
    case "authorised":
      return "PaymentAutomaticallyApplied";
    case "captured":
    case "part-refunded":
    case "refunded":
    case "disputed":
      return "PaymentComplete";
    case "voided":
    case "failed":
      return "PaymentDeclined";
  }
}

/** A decimal with the currency's own places, made from digits: dividing would make 0.1 + 0.2 of somebody's money. */
export function decimalAmount(amountMinor: number, currency: string): string {
  const exponent = currencyExponent(currency);
  if (exponent === 0) return String(amountMinor);
  const digits = String(amountMinor).padStart(exponent + 1, "0");
  return `${digits.slice(0, -exponent)}.${digits.slice(-exponent)}`;
}

function orderUrl(store: ReceiptStore, order: string): string {
  return `${store.url}/orders/${order}`;
}
