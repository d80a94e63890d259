import type { Child } from "hono/jsx";
import type { DripSteps } from "../../drop/plan.ts";
import type { FieldChange, FieldValue, MovementRow, PublicChange } from "../../drop/port.ts";
import { writtenStages } from "../../drop/written-stages.ts";
import { instantFromWire } from "../../kernel/time.ts";
import { formatMoney } from "../../kernel/money.ts";
import type { LobbyLive } from "../../lobby/port.ts";
import { Moment } from "./moment.tsx";

interface Told {
  /** The sku, the stage's number or the campaign that the field names. */
  readonly name: string;
  readonly from: Child;
  readonly to: Child;
  readonly isNew: boolean;
  readonly isGone: boolean;
  /** An amount of minor units in the store's own way of writing. */
  readonly money: (side: "from" | "to") => string;
}

/** What changed, for readers: by the form of the field's name. What only concerns the sale's insides is told as it is written. */
const WORDS: readonly (readonly [RegExp, (told: Told) => Child])[] = [
  [/^items\.(.+)\.priceMinor$/, ({ name, money }) => <><code>{name}</code> costs {money("to")} instead of {money("from")}, for holds made from then on.</>],
  [/^items\.(.+)\.title$/, ({ from, to }) => <>“{from}” is called “{to}”.</>],
  [/^(?:items|parts)\.(.+)\.quantity$/, ({ name, from, to }) => <>There are {to} of <code>{name}</code> instead of {from}.</>],
  [/^stages\.(\d+)\.opensAt$/, ({ name, from, to, isNew, isGone }) => (isNew ? <>There is a stage {name}, from {to} on.</> : isGone ? <>There is no stage {name} any more.</> : <>Stage {name} opens at {to} instead of {from}.</>)],
  [/^stages\.(\d+)\.goesOnAt$/, ({ name, from, to }) => <>Stage {name} goes on at {to} instead of {from}.</>],
  [/^stages\.(\d+)\.every$/, ({ name, from, to, isNew, isGone }) => (isGone ? <>Stage {name} comes out at once.</> : isNew ? <>Stage {name} comes out bit by bit, every {to}.</> : <>Stage {name} brings more every {to} instead of every {from}.</>)],
  [/^stages\.(\d+)\.units$/, ({ name, from, to, isNew, isGone }) => (isGone ? null : isNew ? <>Stage {name} brings {to} of everything at a time.</> : <>Stage {name} brings {to} of everything at a time instead of {from}.</>)],
  [/^stages\.(\d+)\.share$/, ({ name, from, to }) => <>Stage {name} releases {to} % of the units instead of {from} %.</>],
  [/^(closesAt)$/, ({ from, to }) => <>The drop ends at {to} instead of {from}.</>],
  [/^(lobbyOpensAt)$/, ({ from, to }) => <>The lobby opens at {to} instead of {from}.</>],
  [/^(announceAt)$/, ({ to }) => <>The drop is announced at {to}.</>],
  [/^(title)$/, ({ from, to }) => <>The drop is called “{to}” instead of “{from}”.</>],
  [/^(low)$/, ({ from, to }) => <>Few are said to be left from {to} units on instead of {from}.</>],
  [/^(budgets\.joins)$/, ({ from, to }) => <>One network may join {to} times a minute instead of {from}.</>],
  [/^(budgets\.holds)$/, ({ from, to }) => <>One network may have {to} unpaid holds instead of {from}.</>],
  [/^limits\.(address|card)$/, ({ name, from, to, isNew, isGone }) => <>{name === "card" ? "One card may pay for" : "One address may be sent"} {isGone ? "as many items as come" : <>at most {to} items</>} instead of {isNew ? "as many as come" : from}.</>],
  [/^campaigns\.(.+)\.uses$/, ({ name, from, to }) => <>The coupon campaign {name} is good for {to} orders instead of {from}.</>],
  [/^campaigns\.([^.]+)$/, ({ name, to }) => <>There is a coupon campaign {name}: {to}.</>],
];

const KINDS: Readonly<Record<PublicChange["kind"], string>> = {
  plan: "The plan was changed.",
  extend: "A stage was put off.",
  pause: "The sale was paused: nobody new was served, and time to pay ran on.",
  resume: "The sale went on.",
  cancel: "The drop was cancelled: whatever was paid goes back.",
};

function Sentence({ change, live, locale, moneyLocale }: { readonly change: FieldChange; readonly live: LobbyLive; readonly locale: string; readonly moneyLocale: string }) {
  const { field, from, to } = change;
  const side = (value: FieldValue): Child => {
    const at = typeof value === "string" ? instantFromWire(value) : null;
    return at === null ? String(value ?? "nothing") : <Moment at={at} locale={locale} />;
  };
  const money = (which: "from" | "to") => formatMoney(Number(which === "from" ? from : to), live.plan.currency, moneyLocale);
  for (const [pattern, words] of WORDS) {
    const name = pattern.exec(field)?.[1];
    if (name !== undefined) return <span>{words({ name, from: side(from), to: side(to), isNew: from === null, isGone: to === null, money })}</span>;
  }
  return <span><code>{field}</code>: {side(to)} instead of {side(from)}.</span>;
}

/** Every published change, the oldest first, with its time and its row of the record. */
export function PlanChanges({ live, first, locale, moneyLocale }: { readonly live: LobbyLive; readonly first: MovementRow | null; readonly locale: string; readonly moneyLocale: string }) {
  const { changes, plan } = live;
  const published = first === null ? null : <Moment at={Date.parse(first.at)} locale={locale} />;
  return (
    <section class="block" id="changes">
      <h2>Changes</h2>
      {changes.length === 0 ? <p>None: the plan stands as it was first published{published === null ? "" : <>, at {published}</>}.</p> : (
        <>
          {published === null ? null : <p>First published at {published}. Since then:</p>}
          <ol class="timeline">{changes.map((change) => (
            <li>
              <Moment at={change.at} locale={locale} />
              <span>
                <strong>{KINDS[change.kind]}</strong> {change.changed.map((one) => <><Sentence change={one} live={live} locale={locale} moneyLocale={moneyLocale} />{" "}</>)}
                <a class="fine" href={`/api/drops/${plan.drop}/record?from=${change.seq}`}>row {change.seq} of the record</a>
              </span>
            </li>
          ))}</ol>
        </>
      )}
    </section>
  );
}

interface PlannedStock<Opening> {
  readonly sku: string;
  readonly stages: readonly { readonly opensAt: Opening; readonly units: number }[];
}

/** How many of what come with which stage, as the stages were written: the steps of a drip are one column. `heading` stands below the stage's number. */
export function Units<Opening>({ label, stock, drips, heading }: { readonly label: string; readonly stock: readonly PlannedStock<Opening>[]; readonly drips: readonly DripSteps[] | undefined; readonly heading: (opensAt: Opening) => Child }) {
  const written = writtenStages({ stock, drips });
  const sum = (stages: PlannedStock<Opening>["stages"]) => stages.reduce((units, stage) => units + stage.units, 0);
  return (
    <div class="scroll" tabindex={0} role="region" aria-label={label}>
      <table>
        <thead><tr><th scope="col">Stock</th>{written.map(({ number, stage }) => {
          const first = stock[0]?.stages[stage - 1];
          return <th scope="col" class="number">Stage {number}{first === undefined ? null : heading(first.opensAt)}</th>;
        })}<th scope="col" class="number">In all</th></tr></thead>
        <tbody>{stock.map((item) => (
          <tr><th scope="row"><code>{item.sku}</code></th>{written.map(({ stage, steps }) => <td class="number">{sum(item.stages.slice(stage - 1, stage - 1 + steps))}</td>)}<td class="number">{sum(item.stages)}</td></tr>
        ))}</tbody>
      </table>
    </div>
  );
}

/** The plan as the first row of the record has it; nothing while it still stands. */
export function FirstPlan({ live, first, locale }: { readonly live: LobbyLive; readonly first: MovementRow | null; readonly locale: string }) {
  if (first === null || !live.changes.some(({ kind }) => kind === "plan" || kind === "extend")) return null;
  // Written by the Drop object alone; a record's first row is its plan.
  const { items, closesAt, drips } = first as unknown as { readonly items: readonly PlannedStock<string>[]; readonly closesAt: string; readonly drips?: readonly DripSteps[] };
  return (
    <section class="block">
      <h2>As first published</h2>
      <Units label="Units by item and stage, as first published" stock={items} drips={drips} heading={(opensAt) => <><br /><Moment at={Date.parse(opensAt)} locale={locale} /></>} />
      <p>It was to end at <Moment at={Date.parse(closesAt)} locale={locale} />.</p>
    </section>
  );
}
