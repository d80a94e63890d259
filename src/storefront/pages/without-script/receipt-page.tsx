import type { Region, StoreConfig } from "../../../config/store-config.ts";
import { receiptSchemaOrg } from "../../../checkout/receipt.ts";
import { formatMoney } from "../../../kernel/money.ts";
import { instantToWire } from "../../../kernel/time.ts";
import type { OrderView } from "../../../settlement/port.ts";
import { orderStatusToWire } from "../../api/order-wire.ts";
import { fulfilmentWords, hasHandover, orderWords, paymentWords } from "../../browser/words.ts";
import { pageLanguage } from "../../browser/language.ts";
import { Page } from "../layout.tsx";
import { momentsOf } from "./moments.ts";

export interface ReceiptFacts {
  readonly store: StoreConfig;
  readonly region: Region;
  readonly view: OrderView;
  readonly origin: string;
  /** How often the page looks again by itself, in seconds; null where it does not. */
  readonly refreshSeconds: number | null;
  readonly mayRefresh: boolean;
}

/** Whether the answer can still change soon. */
export function isOpenOrder(view: OrderView, locale: string): boolean {
  return orderWords(orderStatusToWire(view, ""), locale).isOpen;
}

/** Where the shopper can still pay; null where there is nothing to pay or no page for it. */
export function payableAt({ state, payment }: OrderView): string | null {
  return state === "placed" && (payment.state === "pending" || payment.state === "none" || payment.state === "failed") ? payment.url : null;
}

/** An order and its receipt, for a browser that has the receipt in a cookie. */
export function receiptPage({ store, region, view, origin, refreshSeconds, mayRefresh }: ReceiptFacts) {
  const { order } = view;
  const { locale } = region;
  const status = orderStatusToWire(view, "");
  const words = orderWords(status, locale);
  const moments = momentsOf(region);
  const money = (amountMinor: number) => formatMoney(amountMinor, order.currency, locale);
  const payUrl = payableAt(view);
  const isConfirmed = view.state === "confirmed";
  const here = `/orders/${order.id}`;
  const head = {
    title: `${words.headline} · ${store.name}`, description: "The state of one order and its receipt.", lang: pageLanguage(locale), canonical: null, module: null,
    graph: receiptSchemaOrg(view, { name: store.name, support: store.support, url: origin }),
  } as const;
  return (
    <Page store={store} head={head}>
      <article class="order">
        <p class="kicker">Order</p>
        <h1>{words.headline}</h1>
        <p class="story">{words.sentence}</p>
        {payUrl === null ? null : <p>Pay until <strong>{moments.hour(view.payBy)}</strong>.</p>}
        <p class="actions">
          {payUrl === null ? null : <a class="main" href={payUrl}>Go on to the payment page</a>}
          {mayRefresh && refreshSeconds === null ? <a class="main" href={`${here}?refresh=off`}>Look again</a> : null}
          {refreshSeconds === null ? null : <a class="quiet" href={`${here}?refresh=off`}>Stop looking again every {refreshSeconds} seconds</a>}
          <a class="quiet" href={`/${region.slug}/${order.drop}/line/place`}>To my place in the drop</a>
        </p>
        <section class="receipt" aria-labelledby="receipt-title">
          <h2 id="receipt-title">{isConfirmed ? "Receipt" : "The order"}</h2>
          <p class="fine">{store.name} · <code>{order.id}</code></p>
          <ul class="lines">{order.lines.map((line) => <li><span>{line.quantity} × {line.title}</span> <span>{money(line.unitPriceMinor * line.quantity)}</span></li>)}</ul>
          <dl class="sum">
            {order.discountMinor === 0 ? null : <div><dt>Discount</dt><dd>−{money(order.discountMinor)}</dd></div>}
            <div><dt>Total</dt><dd>{money(order.totalMinor)}</dd></div>
            {order.tax === null ? null : <div class="tax"><dt>includes {order.tax.percent.toLocaleString(locale)} % {order.tax.label}</dt><dd>{money(order.tax.includedMinor)}</dd></div>}
            {view.refundedMinor === 0 ? null : <div><dt>Paid back</dt><dd>{money(view.refundedMinor)}</dd></div>}
          </dl>
          <dl class="facts">
            <div><dt>Payment</dt><dd>{paymentWords(status)}</dd></div>
            {hasHandover(status) ? <div><dt>Handover</dt><dd>{fulfilmentWords(status)}</dd></div> : null}
            {hasHandover(status) ? <div><dt>You get it</dt><dd>{handoverWords(view, region)}</dd></div> : null}
          </dl>
          {isConfirmed ? <p class="actions"><a class="quiet" href={`${here}/receipt`}>Save the signed receipt</a></p> : null}
        </section>
        {view.timeline.length === 0 ? null : (
          <section class="story-line" aria-labelledby="timeline-title">
            <h2 id="timeline-title">What happened</h2>
            <ol class="timeline">{view.timeline.map((entry) => <li><time datetime={instantToWire(entry.at)}>{moments.day(entry.at)}</time> <span>{entry.text}</span></li>)}</ol>
          </section>
        )}
        <p class="fine">Questions about this order? Write to <a href={`mailto:${store.support}`}>{store.support}</a> and name <code>{order.id}</code>.</p>
      </article>
    </Page>
  );
}

function handoverWords({ order: { delivery } }: OrderView, region: Region): string {
  if (delivery.method === "pickup") {
    const label = region.pickup.find(({ id }) => id === delivery.point)?.label ?? delivery.point;
    return delivery.slot === null ? `Pick-up: ${label}` : `Pick-up: ${label}, ${delivery.slot.replace("-", "–")}`;
  }
  const { name, line1, line2, postalCode, city, country } = delivery.address;
  return `By post: ${[name, line1, ...(line2 === null ? [] : [line2]), `${postalCode} ${city}`, country].join(", ")}`;
}

/** On the way to the provider, which a form may not lead to by itself. */
export function toPaymentPage({ store, region, view }: Pick<ReceiptFacts, "store" | "region" | "view">, payUrl: string) {
  const head = { title: `To the payment · ${store.name}`, description: "Leads on to the payment page.", lang: pageLanguage(region.locale), canonical: null, module: null } as const;
  return (
    <Page store={store} head={head}>
      <article class="plain">
        <h1>To the payment</h1>
        <p class="story">Your order is placed. Pay until {momentsOf(region).hour(view.payBy)} and it is yours.</p>
        <p class="actions"><a class="main" href={payUrl}>Go to the payment page</a><a class="quiet" href={`/orders/${view.order.id}`}>See the order</a></p>
      </article>
    </Page>
  );
}
