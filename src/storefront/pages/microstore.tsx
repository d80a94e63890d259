import type { DropConfig, Region, StoreConfig } from "../../config/store-config.ts";
import { groupMaxOf } from "../../drop/groups.ts";
import type { LobbyLive } from "../../lobby/port.ts";
import type { DoorFacts, PageData } from "../browser/page-data.ts";
import { assetPath } from "./assets.ts";
import { influenceText } from "./draw-words.tsx";
import { pageLanguage } from "../browser/language.ts";
import { laneAudience } from "./lane-words.ts";
import { Page } from "./layout.tsx";
import { Poster } from "./poster.tsx";
import { resaleTerms } from "./resale-words.ts";
import { StagePlan } from "./stage-plan.tsx";
import { Stall } from "./stall.tsx";
import { dropGraph } from "./structured-data.ts";
import { togetherText } from "./together-words.ts";
import { holdText, slotsOf } from "./when.ts";

export interface MicrostoreFacts {
  readonly store: StoreConfig;
  readonly config: DropConfig;
  readonly region: Region;
  readonly live: LobbyLive;
  readonly origin: string;
  readonly isLocal: boolean;
  /** Where Turnstile's script comes from, for drops that ask for it. */
  readonly turnstileOrigin: string;
  readonly now: number;
}

function pageData({ store, config, region, live, now }: MicrostoreFacts): PageData {
  const { plan } = live;
  return {
    drop: config.slug,
    planHash: live.planHash,
    title: plan.title,
    region: region.slug,
    locale: region.locale,
    currency: plan.currency,
    limit: plan.limitPerPerson,
    friends: groupMaxOf(plan) === 1 ? null : { module: assetPath("friends.js"), groupMax: groupMaxOf(plan) },
    items: plan.items.map(({ sku, title, priceMinor }) => ({ sku, title, priceMinor })),
    pickup: region.pickup.map(({ id, label, slots }) => ({ id, label, slots: slotsOf(slots) })),
    deliveryNote: config.deliveryNote,
    asksCode: plan.gates.email,
    door: doorFacts(live),
    lanes: plan.lanes.map((share) => ({ lane: share.lane, audience: laneAudience(share, store.regions) })),
    ...(plan.drips === undefined || plan.drips.length === 0 ? {} : { drips: plan.drips }),
    lobbyOpensAt: plan.lobbyOpensAt,
    opensAt: plan.opensAt,
    closesAt: plan.closesAt,
    now,
  };
}

/** What the gates of the plan need prepared in the browser. */
function doorFacts({ plan }: LobbyLive): DoorFacts | null {
  const { work, turnstile } = plan.gates;
  if (work === null && turnstile === null) return null;
  return { drop: plan.drop, module: assetPath("door.js"), worker: assetPath("work.js"), work: work !== null, turnstile: turnstile === null ? null : { siteKey: turnstile.siteKey } };
}

function Getting({ config, region }: { readonly config: DropConfig; readonly region: Region }) {
  return (
    <section class="block" aria-labelledby="getting-title">
      <h2 id="getting-title">How you get it</h2>
      {config.deliveryNote === null ? null : <p>{config.deliveryNote}</p>}
      {region.pickup.length === 0 ? null : (
        <ul class="places">{region.pickup.map((point) => <li><strong>{point.label}</strong>{point.slots === null ? null : <span>{point.slots.split("/")[0]?.replace("-", "–")}</span>}</li>)}</ul>
      )}
      {region.shipsTo.length === 0 ? null : <p>Sent to {region.shipsTo.map((code) => new Intl.DisplayNames("en", { type: "region" }).of(code) ?? code).join(", ")}.</p>}
    </section>
  );
}

function Draw({ live }: { readonly live: LobbyLive }) {
  const { plan } = live;
  return (
    <section class="block" aria-labelledby="draw-title">
      <h2 id="draw-title">Drawn, not raced</h2>
      <ol class="steps">
        <li>Join at any time before the drop opens. The first second and the last give the same chance.</li>
        <li>At the opening the list is sealed and the order of service is drawn from a secret whose fingerprint was published before anyone joined.</li>
        <li>When your place is called, what you chose is held for you by itself for {holdText(plan)}. Pay in that time and it is yours.</li>
        <li>Not served in this stage? You keep your place for the next one.</li>
      </ol>
      <p class="fine">{influenceText(plan)} Fingerprint of the secret: <code class="hash">{plan.commitment}</code></p>
    </section>
  );
}

function Policy({ live, store }: { readonly live: LobbyLive; readonly store: StoreConfig }) {
  const { plan } = live;
  return (
    <section class="block" aria-labelledby="policy-title">
      <h2 id="policy-title">The terms, in short</h2>
      <ul class="terms">
        <li>At most {plan.limitPerPerson} for each person.</li>
        {togetherText(plan) === null ? null : <li>{togetherText(plan)}</li>}
        {resaleTerms(plan).map((term) => <li>{term}</li>)}
        <li>The price shown is the price. {plan.tax === null ? "" : `It includes ${plan.tax.percent} % ${plan.tax.label}.`}</li>
        <li>{plan.capture === "on-fulfilment" ? "Your card is charged only when the order is handed over or sent." : "Your card is charged when the order is confirmed."}</li>
        <li>A payment that comes too late is given back in full, by itself.</li>
        <li>Questions, returns, refunds: {store.support}.</li>
      </ul>
    </section>
  );
}

function OtherRegions({ store, region, config }: Pick<MicrostoreFacts, "store" | "region" | "config">) {
  const others = store.regions.filter((other) => other.slug !== region.slug);
  if (others.length === 0) return null;
  return (
    <nav class="regions" aria-label="Other regions">
      <p>You are looking at <strong>{region.label}</strong>. Not yours?</p>
      <ul>{others.map((other) => <li><a href={`/${other.slug}/${config.slug}`}>{other.label}</a></li>)}</ul>
    </nav>
  );
}

/** The page of a drop in a region: what it is, what it costs, how it is sold, and the stall. */
export function Microstore(facts: MicrostoreFacts) {
  const { store, config, region, live, origin, isLocal, turnstileOrigin } = facts;
  const { plan } = live;
  const description = `${config.story} Limited: at most ${plan.limitPerPerson} for each person, drawn instead of raced.`;
  const head = {
    title: `${plan.title} · ${region.label} · ${store.name}`,
    description,
    lang: pageLanguage(region.locale),
    canonical: `${origin}/${region.slug}/${config.slug}`,
    image: config.image === null ? null : new URL(config.image, origin).href,
    module: "drop.js",
    graph: dropGraph(store, config, live, region, origin),
    script: plan.gates.turnstile === null ? null : `${turnstileOrigin}/turnstile/v0/api.js?render=explicit`,
    data: pageData(facts),
  } as const;
  const units = plan.stock.reduce((sum, unit) => sum + unit.quantity, 0);
  return (
    <Page store={store} head={head} where={region.label}>
      <div class="drop">
        <div class="lead">
          <p class="kicker">A run of {units}</p>
          <h1>{plan.title}</h1>
          <p class="story">{config.story}</p>
        </div>
        <div class="poster">{config.image === null ? <Poster seed={plan.commitment} title={plan.title} /> : <img src={config.image} alt={plan.title} width="800" height="800" fetchpriority="high" />}</div>
        <Stall live={live} config={config} region={region} support={store.support} isLocal={isLocal} />
        <div class="more">
          <StagePlan live={live} locale={pageLanguage(region.locale)} regions={store.regions} />
          <Draw live={live} />
          <Getting config={config} region={region} />
          <Policy live={live} store={store} />
          <OtherRegions store={store} region={region} config={config} />
        </div>
      </div>
    </Page>
  );
}
