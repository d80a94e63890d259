import { lineWords } from "../../browser/choice.ts";
import type { Step } from "../../browser/journey.ts";
import { shortWords, stageOutWords, type Taken } from "../../browser/taken.ts";
import { laneWords, placeWords } from "../../browser/words.ts";
import { isDripping } from "../../browser/drips.ts";
import { leftWords } from "../../browser/outlook.ts";
import type { Line } from "../../../drop/port.ts";
import { instantFromWire } from "../../../kernel/time.ts";
import type { Standing } from "../../forms/standing.ts";
import { laneAudience } from "../lane-words.ts";
import { holdText, spanText } from "../when.ts";
import { Quantities, WayForm, WayPage, type WayFacts } from "./frame.tsx";

export interface PlaceFacts {
  readonly standing: Standing;
  readonly entry: string;
  readonly lane: string;
  readonly wants: readonly Line[];
  /** How many items may be had with the place in all: with friends in line, as many for each of them. */
  readonly limit: number;
  /** Between when and when the place is likely called; null where nobody can say. */
  readonly eta: { readonly from: number; readonly to: number } | null;
  /** How often the page looks again by itself, in seconds; null where it does not. */
  readonly refreshSeconds: number | null;
  /** Whether it would, if the shopper had not stopped it. */
  readonly mayRefresh: boolean;
  /** Orders of this browser, in whatever drop. */
  readonly orders: readonly string[];
}

/** Where the shopper stands, and what can be done about it. */
export function placePage(facts: WayFacts, place: PlaceFacts) {
  const words = placeOf(facts, place);
  return (
    <WayPage facts={facts} title={words.title}>
      {words.sentences.map((sentence) => <p>{sentence}</p>)}
      {words.skus.length === 0 ? null : <HoldForm facts={facts} place={place} skus={words.skus} />}
      {words.hasPlace ? <Stub facts={facts} place={place} /> : null}
      {place.mayRefresh ? <Looking facts={facts} seconds={place.refreshSeconds} /> : null}
      {place.orders.length === 0 ? null : (
        <section class="block" aria-labelledby="orders-title">
          <h2 id="orders-title">Orders of this browser</h2>
          <ul class="terms">{place.orders.map((order) => <li><a href={`/orders/${order}`}>{order}</a></li>)}</ul>
        </section>
      )}
      <div class="actions">
        {words.hasPlace ? <a class="quiet" href={`${facts.base}/wants`}>Change what I want</a> : null}
        <a class="quiet" href={`/${facts.region.slug}/${facts.plan.drop}`}>To the drop's page</a>
        <WayForm facts={facts} to="/end"><button type="submit" class="quiet">Make this browser forget my place</button></WayForm>
      </div>
    </WayPage>
  );
}

interface PlaceWords {
  readonly title: string;
  readonly sentences: readonly string[];
  /** What can be held now. */
  readonly skus: readonly string[];
  /** Whether the place still counts for something. */
  readonly hasPlace: boolean;
}

const NEXT = "When your place is called, this page asks you what to hold. You need not be fast.";

function placeOf(facts: WayFacts, { standing, wants, eta }: PlaceFacts): PlaceWords {
  const { plan, moments, store } = facts;
  const { live, served, free, isKept, position } = standing;
  const waiting = (title: string, ...sentences: string[]): PlaceWords => ({ title, sentences, skus: [], hasPlace: true });
  const over = (title: string, sentence: string): PlaceWords => ({ title, sentences: [sentence], skus: [], hasPlace: false });
  const taken: Taken = { live, drips: plan.drips, wants, left: free, isKept, words: (lines) => lineWords(plan, lines), nextText: () => moments.day(instantFromWire(live.nextStageAt ?? "") ?? plan.closesAt) };
  switch (standing.step satisfies Step) {
    case "drawing":
      return waiting("Drawing the order", "The drop is open. The order of service is being drawn from a secret that was sealed before anyone joined; this takes a few seconds.");
    case "line":
      return waiting("You are in line", `Your place: ${placeWords(position)}.`, ...(eta === null ? [] : [`Likely called between now and ${moments.day(eta.to)}.`]), NEXT);
    case "called":
      return { title: "It is your turn", sentences: [`Choose what to hold. Held, it is yours to pay for within ${holdText(plan)}; a place that was called waits for ${spanText(plan.claimWindowMs)} before others may take what it wanted, and is still served after that while there is stock.`], skus: served.map(({ sku }) => sku), hasPlace: true };
    case "short": {
      const { title, sentence } = shortWords(taken);
      return { title, sentences: [sentence], skus: free.map(({ sku }) => sku), hasPlace: true };
    }
    case "stage-out": {
      const { title, sentence } = stageOutWords(taken);
      return waiting(title, sentence);
    }
    case "paused":
      return waiting("Paused", "The seller has paused the drop. Your place is kept, and this page goes on when the drop does.");
    case "gone":
      return over("Sold out", "Every unit of this drop is sold, so nothing more can be bought in it. Thank you for being here.");
    case "closed":
      return over("This drop is over", "Nothing more can be bought in it.");
    case "cancelled":
      return over("This drop was cancelled", `The seller has cancelled it. Whoever paid gets the whole amount back by itself. Questions: ${store.support}.`);
    default:
      return waiting("You are in", "Everyone who joins before the drop opens has the same chance. Nothing is gained by being fast, so you can look away: the place is kept in this browser.", `The drop opens ${moments.day(plan.opensAt)}. Look at this page then. ${NEXT}`);
  }
}

function mostWords({ limitPerPerson }: WayFacts["plan"], limit: number): string {
  return limit === limitPerPerson ? `At most ${limit} in all for each person` : `At most ${limit} in all for everybody who stands in line with you`;
}

function HoldForm({ facts, place, skus }: { readonly facts: WayFacts; readonly place: PlaceFacts; readonly skus: readonly string[] }) {
  const { live, free } = place.standing;
  const outlook = { phase: live.phase, hasNextStage: live.nextStageAt !== null, isDripping: isDripping(live.stage, facts.plan.drips) };
  return (
    <WayForm facts={facts} to="/hold">
      <fieldset id="wants">
        <legend>What shall be held for you?</legend>
        <Quantities facts={facts} chosen={free} most={place.limit} left={(sku) => leftWords(outlook, live.items.find((item) => item.sku === sku))} skus={skus} />
        <p class="fine">{mostWords(facts.plan, place.limit)}: all of it is held, or nothing.</p>
      </fieldset>
      <button type="submit" class="main">Hold it for me</button>
    </WayForm>
  );
}

function Stub({ facts, place }: { readonly facts: WayFacts; readonly place: PlaceFacts }) {
  const { plan, store } = facts;
  const lanes = plan.lanes.map((share) => ({ lane: share.lane, audience: laneAudience(share, store.regions) }));
  return (
    <dl class="facts">
      <div><dt>You want</dt><dd>{lineWords(plan, place.wants)}</dd></div>
      {lanes.length === 0 ? null : <div><dt>You stand</dt><dd>{laneWords(lanes, place.lane)}</dd></div>}
      <div><dt>Entry in the record</dt><dd><code>{place.entry.slice(0, 12)}…</code></dd></div>
    </dl>
  );
}

/** Who reads by ear, or slowly, must be able to stop a page that reloads under them. */
function Looking({ facts, seconds }: { readonly facts: WayFacts; readonly seconds: number | null }) {
  const here = `${facts.base}/place`;
  return seconds === null
    ? <p class="actions"><a class="main" href={`${here}?refresh=off`}>Look again</a><a class="quiet" href={here}>Let the page look again by itself</a></p>
    : <p class="actions"><span class="fine">This page looks again by itself every {seconds} seconds.</span><a class="quiet" href={`${here}?refresh=off`}>Stop that</a></p>;
}

/** Another wish for the same place. */
export function wantsPage(facts: WayFacts, { wants, limit }: Pick<PlaceFacts, "wants" | "limit">, standing: Standing) {
  const { live } = standing;
  const { plan, base } = facts;
  const outlook = { phase: live.phase, hasNextStage: live.nextStageAt !== null, isDripping: isDripping(live.stage, facts.plan.drips) };
  return (
    <WayPage facts={facts} title="Change what you want">
      <p class="story">Your place stays as it is.</p>
      <WayForm facts={facts} to="/wants">
        <fieldset id="wants">
          <legend>What do you want?</legend>
          <Quantities facts={facts} chosen={wants} most={limit} left={(sku) => leftWords(outlook, live.items.find((item) => item.sku === sku))} skus={null} />
          <p class="fine">{mostWords(plan, limit)}.</p>
        </fieldset>
        <button type="submit" class="main">Save</button>
      </WayForm>
      <p class="actions"><a class="quiet" href={`${base}/place`}>Leave it as it was</a></p>
    </WayPage>
  );
}
