import type { Region, StoreConfig } from "../../config/store-config.ts";
import type { MovementRow } from "../../drop/port.ts";
import { formatMoney } from "../../kernel/money.ts";
import type { LobbyLive } from "../../lobby/port.ts";
import { influenceText } from "./draw-words.tsx";
import { pageLanguage } from "../browser/language.ts";
import { laneAudience, laneEvidence } from "./lane-words.ts";
import { Page } from "./layout.tsx";
import { Moment } from "./moment.tsx";
import { FirstPlan, PlanChanges, Units } from "./plan-changes.tsx";
import { resaleTerms } from "./resale-words.ts";
import { StagePlan } from "./stage-plan.tsx";
import { togetherText } from "./together-words.ts";
import { holdText, spanText } from "./when.ts";

function Stock({ live }: { readonly live: LobbyLive }) {
  const { plan } = live;
  return <Units label="Units by item and stage" stock={plan.stock} drips={plan.drips} heading={() => null} />;
}

function Facts({ live, regions, locale, moneyLocale }: { readonly live: LobbyLive; readonly regions: readonly Region[]; readonly locale: string; readonly moneyLocale: string }) {
  const { plan } = live;
  const resale = resaleTerms(plan);
  const together = togetherText(plan);
  const rows: readonly (readonly [string, unknown])[] = [
    ["Lobby opens", <Moment at={plan.lobbyOpensAt} locale={locale} />],
    ["Drop opens", <Moment at={plan.opensAt} locale={locale} />],
    ["Drop ends", <Moment at={plan.closesAt} locale={locale} />],
    ["Limit for each person", plan.limitPerPerson],
    ...(together === null ? [] : [["With friends", together] as const]),
    ...(resale.length === 0 ? [] : [["Against resale", resale.join(" ")] as const]),
    ["A hold lasts", holdText(plan)],
    ["Time to claim a turn", spanText(plan.claimWindowMs)],
    ["Charged", plan.capture === "on-fulfilment" ? "when handed over or sent" : "when the order is confirmed"],
    ["Prices", plan.items.map((item) => `${item.title}: ${formatMoney(item.priceMinor, plan.currency, moneyLocale)}`).join(" · ")],
    ["Kept for some", plan.lanes.length === 0 ? "nothing: everyone stands in one line" : plan.lanes.map((lane) => `${lane.sharePercent} % of each stage for ${laneAudience(lane, regions)}, for ${spanText(lane.untilMs)}`).join(" · ")],
  ];
  return <dl class="facts">{rows.map(([name, value]) => <div><dt>{name}</dt><dd>{value}</dd></div>)}</dl>;
}

/** How those for whom something is kept get in, and what it is worth. */
function Lanes({ live, regions }: { readonly live: LobbyLive; readonly regions: readonly Region[] }) {
  const { lanes } = live.plan;
  if (lanes.length === 0) return null;
  return (
    <>
      <p>Everyone is in the same draw. Whoever stands in one of these lanes is never served later for it, and gets what is kept for the lane, whatever the others drew:</p>
      <ul class="terms">{lanes.map((share) => <li>For {laneAudience(share, regions)}. {laneEvidence(share, regions)} {share.weight > 1 ? `Such a ticket has ${share.weight} chances in the draw.` : ""}</li>)}</ul>
    </>
  );
}

/** The scarcity plan as published: how many, when, in which order, and every change of it. */
export function PlanPage({ store, live, first, origin, now }: { readonly store: StoreConfig; readonly live: LobbyLive; readonly first: MovementRow | null; readonly origin: string; readonly now: number }) {
  const { plan } = live;
  const locale = pageLanguage(store.regions[0]?.locale ?? "en");
  const head = { title: `The plan of ${plan.title} · ${store.name}`, description: `How many of ${plan.title} there are, when they are released, and in which order people are served.`, lang: locale, canonical: `${origin}/drops/${plan.drop}/plan`, module: "home.js", data: { now } } as const;
  return (
    <Page store={store} head={head}>
      <article class="paper">
        <p class="kicker"><a href={`/${plan.drop}`}>{plan.title}</a></p>
        <h1>The plan</h1>
        <p class="story">As it stands now. It was written down when the drop was first published, and nothing that the seller does changes it silently: every change is a row of the public record, and is told below.</p>
        <StagePlan live={live} locale={locale} regions={store.regions} />
        <section class="block"><h2>Units</h2><Stock live={live} /></section>
        <section class="block"><h2>Terms</h2><Facts live={live} regions={store.regions} locale={locale} moneyLocale={store.regions[0]?.locale ?? "en"} /></section>
        <section class="block">
          <h2>Who is served first</h2>
          <p>Whoever joins before the opening is drawn: each entry's value is a keyed hash under a seed that mixes this plan, a secret and the sealed list of entries. Whoever joins later stands behind, in order of arrival. The secret's fingerprint below was published before anyone joined; the secret itself is published with the draw, so anyone can compute the order again.</p>
          <dl class="facts hashes">
            <div><dt>Commitment, SHA-256 of the secret</dt><dd><code class="hash">{plan.commitment}</code></dd></div>
            <div><dt>Plan hash</dt><dd><code class="hash">{live.planHash}</code></dd></div>
          </dl>
          <Lanes live={live} regions={store.regions} />
          <p class="fine">{influenceText(plan)}</p>
        </section>
        <PlanChanges live={live} first={first} locale={locale} moneyLocale={store.regions[0]?.locale ?? "en"} />
        <FirstPlan live={live} first={first} locale={locale} />
        <p><a href={`/drops/${plan.drop}/record`}>The public record</a> · <a href={`/api/drops/${plan.drop}`}>the same as JSON</a></p>
      </article>
    </Page>
  );
}
