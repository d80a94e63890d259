import type { Child } from "hono/jsx";
import type { Region, StoreConfig } from "../../../config/store-config.ts";
import type { Line } from "../../../drop/port.ts";
import type { Plan } from "../../../drop/plan.ts";
import { formatMoney } from "../../../kernel/money.ts";
import { pageLanguage } from "../../browser/language.ts";
import { Page } from "../layout.tsx";
import type { Moments } from "./moments.ts";
import type { RefusedWords } from "./refusal-words.ts";

/*
 * The frame of the way without script: pages of plain forms, each of which says
 * where the shopper stands and what can be done next. They are read in a text
 * browser as well, so that nothing is only shown by a style.
 */

/** What was refused, and which fields it is about. */
export interface Refused extends RefusedWords {
  readonly fields: ReadonlyMap<string, string>;
}

export interface WayFacts {
  readonly store: StoreConfig;
  readonly region: Region;
  readonly plan: Plan;
  /** The path under which the steps lie. */
  readonly base: string;
  readonly moments: Moments;
  /** What every form of the page carries. */
  readonly stamp: string;
  readonly refused: Refused | null;
}

/** The fields that every form has beside its own. */
export const GUARD = { stamp: "stamp", trap: "website" } as const;

export function WayPage({ facts, title, children }: { readonly facts: WayFacts; readonly title: string; readonly children: Child }) {
  const { store, region, plan, refused } = facts;
  const head = {
    title: `${refused === null ? title : refused.title} · ${plan.title} · ${store.name}`,
    description: "Taking part without JavaScript: the same draw, the same odds.",
    lang: pageLanguage(region.locale), canonical: null, module: null,
  } as const;
  return (
    <Page store={store} head={head} where={region.label}>
      <article class="plain">
        <p class="kicker"><a href={`/${region.slug}/${plan.drop}`}>{plan.title}</a></p>
        <h1>{title}</h1>
        {refused === null ? null : <Refusal refused={refused} plan={plan} />}
        {children}
      </article>
    </Page>
  );
}

/** What the fields are called where their mistakes are listed. */
const LABELS: Readonly<Record<string, string>> = {
  email: "E-mail", code: "Code", evidence: "Invitation", coupon: "Coupon", point: "Pick-up", name: "Name", line1: "Street and number", line2: "Addition", postalCode: "Postal code", city: "City", country: "Country",
};

function Refusal({ refused, plan }: { readonly refused: Refused; readonly plan: Plan }) {
  const labelOf = (name: string) => LABELS[name] ?? plan.items.find(({ sku }) => quantityName(sku) === name)?.title ?? "What you want";
  return (
    <section class="refusal" aria-labelledby="refused-title">
      <h2 id="refused-title">{refused.title}</h2>
      <p>{refused.sentence}</p>
      {refused.fields.size === 0 ? null : <ul>{[...refused.fields].map(([name, detail]) => <li><a href={`#${name}`}>{labelOf(name)}: {detail}</a></li>)}</ul>}
    </section>
  );
}

/** A form of this way: posted to one of its steps, with what tells people from programs. */
export function WayForm({ facts, to, children }: { readonly facts: WayFacts; readonly to: string; readonly children: Child }) {
  return (
    <form method="post" action={facts.base + to}>
      <input type="hidden" name={GUARD.stamp} value={facts.stamp} />
      <div class="said" aria-hidden="true"><label>Leave this empty <input name={GUARD.trap} tabindex={-1} autocomplete="off" value="" /></label></div>
      {children}
    </form>
  );
}

export interface FieldFacts {
  readonly name: string;
  readonly label: string;
  readonly hint?: string;
  readonly value?: string;
  readonly type?: "text" | "email";
  readonly autocomplete: string;
  readonly inputmode?: "email" | "numeric" | "text";
  readonly maxlength: number;
  readonly isRequired?: boolean;
}

/** One line to fill in, with what is wrong with it beside it. */
export function Field({ facts, field }: { readonly facts: WayFacts; readonly field: FieldFacts }) {
  const { name, label, hint, value, type, autocomplete, inputmode, maxlength, isRequired } = field;
  const mistake = facts.refused?.fields.get(name);
  const notes = [...(mistake === undefined ? [] : [`${name}-mistake`]), ...(hint === undefined ? [] : [`${name}-hint`])].join(" ");
  return (
    <div class="field">
      <label for={name}>{label}</label>
      {hint === undefined ? null : <span class="fine" id={`${name}-hint`}>{hint}</span>}
      {mistake === undefined ? null : <strong class="mistake" id={`${name}-mistake`}>{mistake}</strong>}
      <input id={name} name={name} type={type ?? "text"} value={value ?? ""} autocomplete={autocomplete} inputmode={inputmode} maxlength={maxlength} required={isRequired ?? false} aria-invalid={mistake === undefined ? undefined : "true"} aria-describedby={notes === "" ? undefined : notes} />
    </div>
  );
}

/** The field that says how many of an item. */
export function quantityName(sku: string): string {
  return `quantity-${sku}`;
}

/** How many of each item; `most` is the largest number that can be chosen, `left` what stands beside it. */
export function Quantities({ facts, chosen, most, left, skus }: {
  readonly facts: WayFacts;
  readonly chosen: readonly Line[];
  readonly most: number;
  readonly left: (sku: string) => string;
  /** The items to choose from; null for all. */
  readonly skus: readonly string[] | null;
}) {
  const { plan, region, refused } = facts;
  const items = plan.items.filter(({ sku }) => skus === null || skus.includes(sku));
  return (
    <ul class="items">
      {items.map(({ sku, title, priceMinor }) => {
        const name = quantityName(sku);
        const mistake = refused?.fields.get(name);
        const count = chosen.find((line) => line.sku === sku)?.quantity ?? 0;
        return (
          <li>
            <label class="item-name" for={name}>{title}</label>
            <span class="price">{formatMoney(priceMinor, plan.currency, region.locale)}</span>
            <span class="left">{mistake === undefined ? left(sku) : <strong class="mistake" id={`${name}-mistake`}>{mistake}</strong>}</span>
            <select class="count" id={name} name={name} aria-invalid={mistake === undefined ? undefined : "true"} aria-describedby={mistake === undefined ? undefined : `${name}-mistake`}>
              {Array.from({ length: most + 1 }, (_, number) => <option value={String(number)} selected={number === count}>{number}</option>)}
            </select>
          </li>
        );
      })}
    </ul>
  );
}

/** A refusal with nothing to correct: what happened, and where to go on. */
export function refusedPage(facts: WayFacts, title: string, next: { readonly href: string; readonly label: string }) {
  return (
    <WayPage facts={facts} title={title}>
      <p class="actions"><a class="main" href={next.href}>{next.label}</a></p>
    </WayPage>
  );
}

/** The same form once more, with all that it said, for a person to send by hand. */
export function sendAgainPage(facts: WayFacts, to: string, fields: ReadonlyMap<string, string>) {
  return (
    <WayPage facts={facts} title="Please send it once more">
      <p class="story">That looked like a program: the form was sent very fast, or a field that has to stay empty was filled in. If it was you, nothing is lost. Send it again.</p>
      <WayForm facts={facts} to={to}>
        {[...fields].filter(([name]) => name !== GUARD.stamp && name !== GUARD.trap).map(([name, value]) => <input type="hidden" name={name} value={value} />)}
        <button type="submit" class="main">Send it again</button>
      </WayForm>
      <p class="actions"><a class="quiet" href={facts.base}>Begin again instead</a></p>
    </WayPage>
  );
}
