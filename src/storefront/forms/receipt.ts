import type { Context } from "hono";
import type { Region } from "../../config/store-config.ts";
import { assert } from "../../kernel/result.ts";
import type { OrderView } from "../../settlement/port.ts";
import { orderFor, refreshedOrder, signedReceipt } from "../api/orders.ts";
import { isOpenOrder, payableAt, receiptPage, toPaymentPage } from "../pages/without-script/receipt-page.tsx";
import { cookieOf, receiptCookie } from "./cookies.ts";
import { seeOther, type FormShop, shownPage } from "./visit.ts";

const REFRESH_SECONDS = 10;

/** The order of the path, where this browser has its receipt in a cookie. */
export async function receiptOf({ ports }: FormShop, context: Context): Promise<OrderView | null> {
  const id = context.req.param("order") ?? "";
  const token = cookieOf(context.req.raw, receiptCookie(id));
  const claims = token === null ? null : await ports.credentials.receiptOrder(token, ports.now());
  return claims?.ok === true ? orderFor(ports, id, { by: "receipt", ...claims.value }) : null;
}

/** The order and its receipt as a page that needs no script. */
export async function shownReceipt(shop: FormShop, context: Context, found: OrderView): Promise<Response> {
  const { ports, refreshes } = shop;
  const view = await refreshedOrder(ports, refreshes, found);
  const region = regionOf(shop, view);
  const mayRefresh = isOpenOrder(view, region.locale);
  const refreshSeconds = mayRefresh && context.req.query("refresh") !== "off" ? REFRESH_SECONDS : null;
  const page = receiptPage({ store: ports.store, region, view, origin: new URL(context.req.url).origin, refreshSeconds, mayRefresh });
  return shownPage(context, page, { headers: refreshSeconds === null ? {} : { refresh: String(refreshSeconds) } });
}

/** Leads on to the payment page. A form may not: its policy keeps it at this store, redirects included. */
export async function shownPayment(shop: FormShop, context: Context, view: OrderView): Promise<Response> {
  const payUrl = payableAt(view);
  if (payUrl === null) return seeOther(`/orders/${view.order.id}`);
  return shownPage(context, toPaymentPage({ store: shop.ports.store, region: regionOf(shop, view), view }, payUrl), { headers: { refresh: `0; url=${payUrl}` } });
}

/** The signed receipt as a file. */
export async function savedReceipt({ ports }: FormShop, context: Context, view: OrderView): Promise<Response> {
  const receipt = await signedReceipt(ports, view, new URL(context.req.url).origin);
  return new Response(JSON.stringify(receipt, null, 2), {
    headers: { "content-type": "application/json", "cache-control": "private, no-store", "content-disposition": `attachment; filename="receipt-${view.order.id}.json"` },
  });
}

/** The region that the order came through; its zone and its places are what the page speaks of. */
function regionOf({ ports: { store } }: FormShop, { order }: OrderView): Region {
  const [first] = store.regions;
  const region = store.regions.find(({ slug }) => slug === order.region) ?? first;
  assert(region !== undefined, "a store has a region");
  return region;
}
