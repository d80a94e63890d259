import type { DropConfig, StoreConfig } from "../../config/store-config.ts";
import type { LobbyLive } from "../../lobby/port.ts";
import { pageLanguage } from "../browser/language.ts";
import { Page } from "./layout.tsx";
import { Moment } from "./moment.tsx";
import { isLow, isOver, phaseWords } from "./phase-words.ts";
import { Poster } from "./poster.tsx";

/** A drop that may be shown: it is announced, and its state is known. */
export interface ShownDrop {
  readonly config: DropConfig;
  readonly live: LobbyLive;
}

const NOW_PHASES: readonly string[] = ["drawing", "open", "paused", "sold-out"];

/** Sorts drops into what is on now, what comes, and what is over. */
export function shelves(drops: readonly ShownDrop[]): { readonly now: ShownDrop[]; readonly next: ShownDrop[]; readonly past: ShownDrop[] } {
  const past = drops.filter(({ live }) => isOver(live));
  const now = drops.filter(({ live }) => !isOver(live) && NOW_PHASES.includes(live.live.phase));
  const next = drops.filter(({ live }) => !isOver(live) && !NOW_PHASES.includes(live.live.phase));
  return {
    now,
    next: next.toSorted((a, b) => a.live.plan.opensAt - b.live.plan.opensAt),
    past: past.toSorted((a, b) => b.live.plan.closesAt - a.live.plan.closesAt),
  };
}

function Card({ store, drop, locale }: { readonly store: StoreConfig; readonly drop: ShownDrop; readonly locale: string }) {
  const { config, live } = drop;
  const words = phaseWords(live);
  return (
    <article class="card">
      <a class="card-picture" href={`/${config.slug}`} tabindex={-1} aria-hidden="true">
        {config.image === null ? <Poster seed={live.plan.commitment} title={live.plan.title} /> : <img src={config.image} alt="" width="400" height="400" loading="lazy" />}
      </a>
      <div class="card-words">
        <p class="phase">{words.label}{isLow(live) ? <span class="low">Few left</span> : null}</p>
        <h3><a href={`/${config.slug}`}>{live.plan.title}</a></h3>
        <p>{config.story}</p>
        {words.nextAt === null ? null : <p class="fine">{words.nextLabel} <Moment at={words.nextAt} locale={locale} /> <span class="card-clock" data-until={String(words.nextAt)}></span></p>}
        <p class="card-regions">{store.regions.map((region) => <a href={`/${region.slug}/${config.slug}`}>{region.label}</a>)}</p>
      </div>
    </article>
  );
}

function Shelf({ title, id, drops, store, locale }: { readonly title: string; readonly id: string; readonly drops: readonly ShownDrop[]; readonly store: StoreConfig; readonly locale: string }) {
  if (drops.length === 0) return null;
  return (
    <section class="shelf" aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      <div class="cards">{drops.map((drop) => <Card store={store} drop={drop} locale={locale} />)}</div>
    </section>
  );
}

/** The store's front: what is on, what comes, what was. */
export function Home({ store, drops, origin, isLocal, now }: { readonly store: StoreConfig; readonly drops: readonly ShownDrop[]; readonly origin: string; readonly isLocal: boolean; readonly now: number }) {
  const locale = pageLanguage(store.regions[0]?.locale ?? "en");
  const sorted = shelves(drops);
  const head = { title: store.name, description: `Limited editions from ${store.name}, released in stages and drawn instead of raced.`, lang: locale, canonical: `${origin}/`, module: "home.js", data: { now } } as const;
  return (
    <Page store={store} head={head}>
      <div class="front">
        <h1>{store.name}</h1>
        <p class="story">Limited editions. Released in stages, drawn instead of raced.</p>
      </div>
      {drops.length === 0 ? (
        <section class="empty"><h2>Nothing on the shelf yet</h2><p>The next drop has not been announced. Come back soon: whoever is here before it opens has the same chance.</p></section>
      ) : null}
      <Shelf title="On now" id="shelf-now" drops={sorted.now} store={store} locale={locale} />
      <Shelf title="Coming" id="shelf-next" drops={sorted.next} store={store} locale={locale} />
      <Shelf title="Past drops" id="shelf-past" drops={sorted.past} store={store} locale={locale} />
      {isLocal && drops.length > 0 && sorted.past.length === drops.length ? <p class="note">Every drop on this machine is over: <code>npm start -- --fresh</code> starts them again.</p> : null}
    </Page>
  );
}
