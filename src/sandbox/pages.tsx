import { raw } from "hono/html";
import type { Child } from "hono/jsx";
import { formatMoney } from "../kernel/money.ts";
import { APPROVED_CARD, cardFace, CARDS, OWN_CARD_PREFIX } from "./cards.ts";
import type { PayPage } from "./pay.ts";
import type { DeliveryCounts } from "./webhooks.ts";
import { STYLE } from "./style.ts";

function Document(props: { title: string; isWide?: boolean; children: Child }) {
  return (
    <>
      {raw("<!doctype html>")}
      <html lang="en">
        <head>
          <meta charset="utf-8" />
          <meta name="viewport" content="width=device-width, initial-scale=1" />
          <meta name="robots" content="noindex" />
          <title>{props.title}</title>
          <link rel="icon" href="data:," />
          <style>{raw(STYLE)}</style>
        </head>
        <body>
          <header class="notice"><strong>Sandbox.</strong> No real money moves.</header>
          <main class={props.isWide === true ? "wide" : ""}>{props.children}</main>
        </body>
      </html>
    </>
  );
}

function storeOf(page: PayPage): string {
  return page.storeName ?? "the store";
}

/** Without decimals everywhere else, but counted in hundredths by this API. */
const COUNTED_IN_HUNDREDTHS: ReadonlySet<string> = new Set(["ISK", "UGX"]);

function formatAmount(amount: number, currency: string, locale: string | null): string {
  const code = currency.toUpperCase();
  return formatMoney(COUNTED_IN_HUNDREDTHS.has(code) ? amount / 100 : amount, code, locale ?? "en");
}

/** The page where a shopper pays, or reads why there is nothing to pay any more. */
export function PaymentPage({ page }: { page: PayPage }) {
  if (page.status !== "open") return <ClosedPage page={page} />;
  const money = (amount: number): string => formatAmount(amount, page.currency, page.locale);
  return (
    <Document title={`${page.storeName === null ? "Payment" : `Pay ${page.storeName}`} (sandbox)`}>
      <p class="store">{page.storeName === null ? "Payment" : `Pay ${page.storeName}`}</p>
      <h1>{money(page.amountMinor)}</h1>
      <ul class="lines">
        {page.lines.map((line) => (
          <li>
            <span class="what">
              {line.quantity > 1 ? `${line.quantity} × ${line.name}` : line.name}
              {line.description === null ? null : <small>{line.description}</small>}
            </span>
            <span class="sum">{money(line.totalMinor)}</span>
          </li>
        ))}
      </ul>
      {page.problem === null ? null : <p class="problem" role="alert">{page.problem} Nothing was charged. Choose another card, or go back to the store.</p>}
      <form method="post" action={`/sandbox/pay/${page.id}`}>
        <fieldset>
          <legend>Choose a test card</legend>
          <div class="cards">
            {CARDS.map((card) => (
              <label>
                <input type="radio" name="card" value={card.name} checked={card === APPROVED_CARD} />
                <span class="what">{card.label}</span>
                <span class="number">•••• {cardFace(card).last4}</span>
              </label>
            ))}
          </div>
        </fieldset>
        <button class="main" name="outcome" value="approve">Pay {money(page.amountMinor)}</button>
        <button name="outcome" value="decline">Decline</button>
        <button class="plain" name="outcome" value="abandon">Back to {storeOf(page)}</button>
      </form>
      {page.isManualCapture ? <p class="small">The amount is only reserved now. It is taken when {storeOf(page)} has confirmed your order.</p> : null}
      {page.email === null ? null : <p class="small">Receipt for {page.email}</p>}
    </Document>
  );
}

/** What a page that takes no payment any more says: how it stands, and what that means. */
function closingWords(page: PayPage): readonly [string, string] {
  if (page.status === "expired") return ["The time to pay is over", "Nothing was charged. The store can tell you whether there is still something for you."];
  switch (page.payment) {
    case "underway": return ["Your bank is still deciding", "You do not need to pay again. The store tells you how it ends, usually within a minute."];
    case "failed": return ["The payment did not go through", "Your bank refused it and nothing was charged. The store can tell you whether you can order again."];
    case "canceled": return ["This payment was called off", "What your bank had reserved is free again. Nothing was charged."];
    case "none":
    case "made": return ["This payment is already made", "You do not need to do anything more here, and you cannot be charged twice."];
  }
}

function ClosedPage({ page }: { page: PayPage }) {
  const [heading, words] = closingWords(page);
  return (
    <Document title={`${heading} (sandbox)`}>
      <p class="store">{page.storeName ?? "Payment"}</p>
      <h1 class="words">{heading}</h1>
      <p>{words}</p>
      <a class="button main" href={page.status === "complete" ? page.successUrl : page.wayBack}>Back to {storeOf(page)}</a>
    </Document>
  );
}

/** For an address that no payment has. */
export function UnknownPage() {
  return (
    <Document title="No such payment (sandbox)">
      <h1 class="words">There is no such payment</h1>
      <p>The address is not complete, or the sandbox was started afresh since. Nothing was charged. Go back to the store and try again from there.</p>
    </Document>
  );
}

const ROUTES: readonly (readonly [string, string])[] = [
  ["/sandbox/v1/…", "the API in the shape of Stripe's, also under /v1/"],
  ["GET, POST /sandbox/pay/{session}", "the hosted payment page"],
  ["GET, PUT /sandbox/behaviour", "how hostile the provider is; PUT {} makes it friendly"],
  ["GET /sandbox/webhooks", "how many webhooks wait; POST /sandbox/webhooks/release sends those withheld"],
  ["GET /sandbox/books", "everything that the provider believes"],
  ["POST /sandbox/disputes", "opens a dispute; POST /sandbox/disputes/{id}/close decides it"],
  ["GET /sandbox/mail", "messages that would have been sent"],
  ["POST /sandbox/mail/release", "delivers what was withheld"],
];

/** What the sandbox is, for somebody who opened its address. */
export function IndexPage(props: { webhooks: DeliveryCounts; isSigning: boolean }) {
  const { pending, withheld, givenUp } = props.webhooks;
  return (
    <Document title="The payment sandbox" isWide>
      <h1 class="words">The payment sandbox</h1>
      <p>A payment provider for this machine. It speaks the part of the Stripe API that the store uses, keeps books of its own, and can be told to be hostile. It is never deployed.</p>
      <h2>Webhooks</h2>
      <p>{pending} on their way, {withheld} withheld, {givenUp} given up.{props.isSigning ? "" : " None is sent: STRIPE_WEBHOOK_SECRET is not set."}</p>
      <h2>Addresses</h2>
      <table>
        <tbody>{ROUTES.map(([route, meaning]) => <tr><th scope="row"><code>{route}</code></th><td>{meaning}</td></tr>)}</tbody>
      </table>
      <h2>Test cards</h2>
      <table>
        <tbody>{CARDS.map((card) => <tr><th scope="row"><code>{card.number.replaceAll(/(.{4})(?=.)/g, "$1 ")}</code></th><td>{card.label} (<code>{card.name}</code>)</td></tr>)}</tbody>
      </table>
      <p>Any other sixteen digits that begin with <code>{OWN_CARD_PREFIX}</code> are a card of their own, approved.</p>
    </Document>
  );
}
