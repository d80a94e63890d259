import type { Child } from "hono/jsx";
import type { DropConfig, Region } from "../../config/store-config.ts";
import type { Plan } from "../../drop/plan.ts";
import { formatMoney } from "../../kernel/money.ts";
import type { LobbyLive } from "../../lobby/port.ts";
import { CheckoutForm } from "./checkout-form.tsx";
import { pageLanguage } from "../browser/language.ts";
import { DrawingWords } from "./draw-words.tsx";
import { Moment } from "./moment.tsx";
import { isDripping } from "../browser/drips.ts";
import { leftWords } from "../browser/outlook.ts";
import { isLow, isOver, phaseWords } from "./phase-words.ts";
import { mayAskAddress, Proving } from "./proving.tsx";
import { togetherText } from "./together-words.ts";
import { spanText } from "./when.ts";

/*
 * The stall: every step of buying, made on the server and hidden until its
 * moment. The module shows one panel at a time and fills in words, so that no
 * markup is ever made from strings in the browser.
 */

function Panel({ step, title, name, children }: { readonly step: string; readonly title: string; readonly name?: string; readonly children: Child }) {
  return (
    <section class="panel" data-panel={step} hidden>
      <h2 tabindex={-1} data-fill={name}>{title}</h2>
      {children}
    </section>
  );
}

function Items({ live, locale }: { readonly live: LobbyLive; readonly locale: string }) {
  const { plan } = live;
  const facts = { phase: live.live.phase, hasNextStage: live.live.nextStageAt !== null, isDripping: isDripping(live.live.stage, plan.drips) };
  return (
    <ul class="items">
      {plan.items.map((item) => {
        const state = live.live.items.find((candidate) => candidate.sku === item.sku);
        return (
          <li>
            <span class="item-name" id={`name-${item.sku}`}>{item.title}</span>
            <span class="price">{formatMoney(item.priceMinor, plan.currency, locale)}</span>
            <span class="left" data-fill={`left-${item.sku}`}>{leftWords(facts, state)}</span>
            <span class="stepper script-only">
              <button type="button" data-less={item.sku} aria-label={`One less: ${item.title}`}>−</button>
              <output data-count={item.sku} aria-labelledby={`name-${item.sku}`}>0</output>
              <button type="button" data-more={item.sku} aria-label={`One more: ${item.title}`}>+</button>
            </span>
          </li>
        );
      })}
    </ul>
  );
}

/** The other way, for those who cannot or do not want to run what this page brings. */
function withoutScript({ slug }: Region, { plan }: LobbyLive): string {
  return `/${slug}/${plan.drop}/line`;
}

/** Choosing, with the items readable and priced for those without script too. */
function Choose({ live, region }: { readonly live: LobbyLive; readonly region: Region }) {
  const { locale } = region;
  return (
    <section class="panel" data-panel="choose" hidden={isOver(live)}>
      <h2 tabindex={-1}>Choose</h2>
      <Items live={live} locale={locale} />
      {live.plan.lanes.length === 0 ? null : <p class="note" data-fill="scanned" hidden></p>}
      <p class="fine" data-fill="limit">At most {live.plan.limitPerPerson} in all for each person.</p>
      {togetherText(live.plan) === null ? null : <p class="fine script-only">{togetherText(live.plan)}</p>}
      <div class="actions script-only">
        <p class="hint" id="join-hint" data-fill="join-hint">Choose how many first.</p>
        <button type="button" class="main" data-do="join" aria-describedby="join-hint" disabled><span data-fill="join">Join the lobby</span></button>
        <button type="button" class="quiet" data-do="keep" hidden>Leave it as it was</button>
      </div>
      <noscript><p class="note">Your browser runs no JavaScript. You can take part without it, with the same odds:</p></noscript>
      <p><a class="quiet" href={withoutScript(region, live)}>Continue without JavaScript</a></p>
    </section>
  );
}

function WaitingPanels({ plan, locale }: { readonly plan: Plan; readonly locale: string }) {
  const hasLanes = plan.lanes.length > 0;
  const change = <button type="button" class="quiet" data-do="change">Change what I want</button>;
  return (
    <>
      <Panel step="joining" title="Joining">
        <p data-fill="joining">Asking for your place.</p>
        <button type="button" class="quiet" data-do="leave">Not now</button>
      </Panel>
      <Panel step="waiting" title="You are in">
        <p>Everyone who joins before the drop opens has the same chance. Nothing is gained by being fast, so you can look away: the place is kept in this browser.</p>
        <Stub hasLanes={hasLanes} />
        {change}
      </Panel>
      <Panel step="drawing" title="Drawing the order">
        <DrawingWords plan={plan} locale={locale} />
        <Stub hasLanes={hasLanes} />
      </Panel>
      <Panel step="line" title="You are in line">
        <p class="place"><span class="fine">Your place</span><strong data-fill="place">…</strong></p>
        <p data-fill="line">When your place is called, what you chose is held for you by itself. You need not be fast.</p>
        <Stub hasLanes={hasLanes} />
        {change}
      </Panel>
      <Panel step="called" title="It is your turn">
        <p data-fill="called">Holding what you chose. This happens by itself.</p>
        <progress aria-label="Holding your items"></progress>
      </Panel>
      <Panel step="stage-out" title="Sold out in this stage" name="stage-out-title">
        <p data-fill="stage-out">What you chose is taken. Your place is kept.</p>
        <Stub hasLanes={hasLanes} />
        {change}
      </Panel>
      <Panel step="short" title="Not all of it is free" name="short-title">
        <p data-fill="short">Somebody before you took some of it.</p>
        <div class="actions">
          <button type="button" class="main" data-do="take-left"><span data-fill="take-left">Take what is left</span></button>
          <button type="button" class="quiet" data-do="change">Choose something else</button>
          <button type="button" class="quiet" data-do="wait">Keep waiting for all of it</button>
        </div>
      </Panel>
      <Panel step="rested" title="Your turn has ended" name="rested-title">
        <p data-fill="rested">The items went back.</p>
        <div class="actions">
          <button type="button" class="main" data-do="again">Take my turn again</button>
          {change}
        </div>
      </Panel>
    </>
  );
}

/** The ticket as something to look at: what was chosen, in which line it stands where there are several, and the entry under which the record knows it. */
function Stub({ hasLanes }: { readonly hasLanes: boolean }) {
  return (
    <div class="stub">
      <p><span class="fine">You want</span><strong data-fill="wants"></strong></p>
      {hasLanes ? <p><span class="fine">You stand</span><strong data-fill="lane"></strong></p> : null}
      <p><span class="fine">Entry in the record</span><code data-fill="entry"></code></p>
    </div>
  );
}

function EndPanels({ live, region, support }: { readonly live: LobbyLive; readonly region: Region; readonly support: string }) {
  const hasLanes = live.plan.lanes.length > 0;
  return (
    <>
      <Panel step="ordered" title="Your order">
        <p data-fill="ordered">Sending your order.</p>
        <dl class="sum">
          <div data-discount hidden><dt>Discount</dt><dd data-fill="order-discount"></dd></div>
          <div><dt>Total</dt><dd data-fill="order-total"></dd></div>
        </dl>
        <div class="actions">
          <a class="main" data-link="pay" hidden>Go to the payment page</a>
          <a class="quiet" data-link="order" hidden>See the order</a>
        </div>
        <p class="fine" data-fill="another" hidden></p>
        <button type="button" class="quiet" data-do="another" hidden><span data-fill="another-units">Order more</span></button>
      </Panel>
      <Panel step="paused" title="Paused">
        <p>The seller has paused the drop. Your place is kept, and this page goes on by itself when the drop does.</p>
        <Stub hasLanes={hasLanes} />
      </Panel>
      <Panel step="gone" title="Sold out">
        <p>Every unit of this drop is sold, so nothing more can be bought in it. If you ordered, your receipt stays in this browser. Thank you for being here.</p>
      </Panel>
      <Panel step="closed" title="This drop is over">
        <p>Nothing more can be bought in it. If you ordered, your receipt stays in this browser.</p>
      </Panel>
      <Panel step="cancelled" title="This drop was cancelled">
        <p>The seller has cancelled it. Whoever paid gets the whole amount back by itself. Questions: {support}.</p>
      </Panel>
      <Panel step="unable" title="This browser cannot take part">
        <p data-fill="unable">A place in line is bound to a key that your browser makes and keeps.</p>
        <p><a class="quiet" href={withoutScript(region, live)}>Continue without JavaScript</a></p>
      </Panel>
    </>
  );
}

/** The first thing on the page after the title: where the drop stands, and what can be done now. */
export function Stall({ live, config, region, support, isLocal }: { readonly live: LobbyLive; readonly config: DropConfig; readonly region: Region; readonly support: string; readonly isLocal: boolean }) {
  const words = phaseWords(live);
  const { locale } = region;
  return (
    <section id="stall" class="stall" aria-label="Buy" data-phase={live.live.phase}>
      <div class="board">
        <p class="phase"><span data-fill="phase">{words.label}</span><span class="low" data-low data-fill="low" hidden={!isLow(live)}>{isLow(live) ? "Few left" : ""}</span></p>
        <p class="next"><span data-fill="next-label">{words.nextLabel}</span> <span data-fill="next-at">{words.nextAt === null ? "" : <Moment at={words.nextAt} locale={pageLanguage(locale)} />}</span></p>
        {isOver(live) ? null : <p class="clock script-only" role="timer" aria-live="off" data-fill="clock"></p>}
        <p class="sentence" data-fill="sentence">{words.sentence}</p>
        {isOver(live) && isLocal ? <p class="note">This is a rehearsal on this machine: <code>npm start -- --fresh</code> starts it again.</p> : null}
      </div>
      <p class="said" role="status" aria-live="polite" data-fill="said"></p>
      <p class="trouble" role="status" aria-live="polite" data-fill="trouble" hidden></p>
      <p class="refusal" role="alert" data-fill="refusal" hidden></p>
      {live.plan.gates.turnstile === null ? null : <div data-turnstile></div>}
      <div class="mine" data-mine hidden><p>Your orders</p><ul data-mine-list></ul></div>
      <Choose live={live} region={region} />
      {mayAskAddress(live.plan) ? <Proving plan={live.plan} /> : null}
      <WaitingPanels plan={live.plan} locale={locale} />
      <CheckoutForm live={live} region={region} deliveryNote={config.deliveryNote} holdFor={spanText(live.plan.holdTtlMs)} />
      <EndPanels live={live} region={region} support={support} />
    </section>
  );
}
