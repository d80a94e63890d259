import type { StoreConfig } from "../../config/store-config.ts";
import { pageLanguage } from "../browser/language.ts";
import { Page } from "./layout.tsx";

/**
 * The page of an order. It says nothing about the order itself: the module
 * reads that with the receipt that this browser keeps, so the page's address
 * alone is worth nothing to whoever sees it.
 */
export function OrderPage({ store, order, now }: { readonly store: StoreConfig; readonly order: string; readonly now: number }) {
  const head = { title: `Your order · ${store.name}`, description: "The state of one order and its receipt.", lang: pageLanguage(store.regions[0]?.locale ?? "en"), canonical: null, module: "order.js", data: { order, now, store: store.name, support: store.support } } as const;
  return (
    <Page store={store} head={head}>
      <article class="order" data-order={order}>
        <p class="kicker">Order</p>
        <h1 data-fill="headline" tabindex={-1}>Your order</h1>
        <p class="story" role="status" aria-live="polite" data-fill="sentence">Looking up the order with the receipt that this browser keeps.</p>
        <p class="trouble" role="status" aria-live="polite" data-fill="trouble" hidden></p>
        <div class="actions"><a class="main" data-link="pay" hidden>Go on to the payment page</a><a class="quiet" data-link="drop" hidden>Back to the drop</a></div>
        <p class="clock" role="timer" aria-live="off" data-fill="clock" hidden></p>
        <section class="receipt" data-receipt hidden aria-labelledby="receipt-title" itemscope itemtype="https://schema.org/Order">
          <h2 id="receipt-title" data-fill="receipt-title">The order</h2>
          <p class="fine"><span itemprop="seller">{store.name}</span> · <code itemprop="orderNumber">{order}</code></p>
          <link itemprop="orderStatus" data-order-status />
          <ul class="lines" data-lines></ul>
          <dl class="sum">
            <div data-discount hidden><dt>Discount</dt><dd data-fill="discount"></dd></div>
            <div><dt>Total</dt><dd data-fill="total"></dd></div>
            <div class="tax" data-tax hidden><dt data-fill="tax-label"></dt><dd data-fill="tax"></dd></div>
            <div data-refunded hidden><dt>Paid back</dt><dd data-fill="refunded"></dd></div>
          </dl>
          <dl class="facts">
            <div><dt>Payment</dt><dd data-fill="payment"></dd></div>
            <div data-fulfilment hidden><dt>Handover</dt><dd data-fill="fulfilment"></dd></div>
            <div data-handover hidden><dt>You get it</dt><dd data-fill="handover"></dd></div>
            <div data-note hidden><dt>The seller's note</dt><dd data-fill="note"></dd></div>
          </dl>
          <div class="actions row"><button type="button" class="quiet" data-do="save" hidden>Save the signed receipt</button><button type="button" class="quiet" data-do="print">Print</button></div>
        </section>
        <section class="story-line" data-story hidden aria-labelledby="timeline-title"><h2 id="timeline-title">What happened</h2><ol class="timeline" data-timeline></ol></section>
        <noscript><p class="note">This browser has no receipt that can be shown without JavaScript. If you ordered with JavaScript, turn it on for this site; if you ordered without it, open this page in the browser that you used. Or write to {store.support} with the order's number.</p></noscript>
        <p class="fine">Questions about this order? Write to <a href={`mailto:${store.support}`}>{store.support}</a> and name <code>{order}</code>.</p>
      </article>
    </Page>
  );
}
