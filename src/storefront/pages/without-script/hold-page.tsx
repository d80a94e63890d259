import { lineWords } from "../../browser/choice.ts";
import type { HoldView } from "../../../drop/port.ts";
import type { LobbyLive } from "../../../lobby/port.ts";
import type { DropConfig } from "../../../config/store-config.ts";
import { formatMoney } from "../../../kernel/money.ts";
import { isDripping } from "../../browser/drips.ts";
import { leftWords } from "../../browser/outlook.ts";
import { countryName } from "../checkout-form.tsx";
import { slotsOf } from "../when.ts";
import { Field, Quantities, WayForm, WayPage, type WayFacts } from "./frame.tsx";

export interface HoldFacts {
  readonly config: DropConfig;
  readonly live: LobbyLive;
  readonly hold: HoldView;
  /** What was typed before; the address that the place belongs to at first. */
  readonly entered: ReadonlyMap<string, string>;
  /** The items that may be held. */
  readonly skus: readonly string[];
  /** How many items may be held in all. */
  readonly limit: number;
}

/** What is held, until when, and everything that is needed to pay for it. */
export function holdPage(facts: WayFacts, { config, live, hold, entered, skus, limit }: HoldFacts) {
  const { plan, region, moments } = facts;
  const money = (amountMinor: number) => formatMoney(amountMinor, hold.currency, region.locale);
  const outlook = { phase: live.live.phase, hasNextStage: live.live.nextStageAt !== null, isDripping: isDripping(live.live.stage, plan.drips) };
  return (
    <WayPage facts={facts} title="Held for you">
      <p class="story">Held until <strong>{moments.hour(hold.expiresAt)}</strong>. Order before then; paying has a little more time.</p>
      <div class="hold">
        <ul class="lines">{hold.lines.map((line) => <li><span>{lineWords(plan, [line])}</span> <span>{money(line.totalMinor)}</span></li>)}</ul>
        <p class="total"><span>Total</span> <strong>{money(hold.totalMinor)}</strong></p>
        <WayForm facts={facts} to="/hold/end"><button type="submit" class="quiet">Give it up</button></WayForm>
      </div>
      <OrderForm facts={facts} hold={hold} entered={entered} config={config} money={money} />
      <section class="block" aria-labelledby="change-title">
        <h2 id="change-title">Something else?</h2>
        <WayForm facts={facts} to="/hold">
          <input type="hidden" name="replaces" value={hold.id} />
          <fieldset>
            <legend>Hold this instead</legend>
            <Quantities facts={facts} chosen={hold.lines} most={limit} left={(sku) => leftWords(outlook, live.live.items.find((item) => item.sku === sku))} skus={skus} />
          </fieldset>
          <button type="submit" class="quiet">Change it, until the same time</button>
        </WayForm>
      </section>
    </WayPage>
  );
}

function OrderForm({ facts, hold, entered, config, money }: { readonly facts: WayFacts; readonly hold: HoldView; readonly entered: ReadonlyMap<string, string>; readonly config: DropConfig; readonly money: (amountMinor: number) => string }) {
  const { plan, region } = facts;
  const value = (name: string) => entered.get(name) ?? "";
  const [picksUp, ships] = [region.pickup.length > 0, region.shipsTo.length > 0];
  const method = value("method") === "ship" || !picksUp ? "ship" : "pickup";
  return (
    <WayForm facts={facts} to="/order">
      <input type="hidden" name="hold" value={hold.id} />
      <Field facts={facts} field={{ name: "email", label: "E-mail for the receipt", hint: "Your place belongs to this address.", value: value("email"), type: "email", autocomplete: "email", inputmode: "email", maxlength: 254, isRequired: true }} />
      {picksUp && ships ? (
        <fieldset class="methods" id="method"><legend>How do you get it?</legend>
          <label class="choice"><input type="radio" name="method" value="pickup" checked={method === "pickup"} /><span>Pick it up</span></label>
          <label class="choice"><input type="radio" name="method" value="ship" checked={method === "ship"} /><span>Send it to me, to the address below</span></label>
        </fieldset>
      ) : <input type="hidden" name="method" value={method} />}
      {picksUp ? <Pickup facts={facts} value={value} /> : null}
      {ships ? <Address facts={facts} value={value} isOne={!picksUp} /> : null}
      {config.deliveryNote === null ? null : <p><span class="fine">The seller's note</span> {config.deliveryNote}</p>}
      {plan.campaigns.length === 0 ? null : <Field facts={facts} field={{ name: "coupon", label: "Coupon, if you have one", hint: "Its word, or the link of its code.", value: value("coupon"), autocomplete: "off", maxlength: 4_096 }} />}
      <button type="submit" class="main">Order and pay {money(hold.totalMinor)}</button>
      <p class="fine">{plan.capture === "on-fulfilment" ? "The amount is reserved now and charged only when your order is handed over." : "You pay on the next page."}{plan.campaigns.length === 0 ? "" : " A coupon is taken off before you pay."}</p>
    </WayForm>
  );
}

interface Part {
  readonly facts: WayFacts;
  readonly value: (name: string) => string;
}

function Pickup({ facts, value }: Part) {
  const chosen = value("point");
  const mistake = facts.refused?.fields.get("point");
  return (
    <fieldset class="ways" id="point">
      <legend>Pick up at</legend>
      {mistake === undefined ? null : <strong class="mistake">{mistake}</strong>}
      {facts.region.pickup.map((point, index) => {
        const slots = slotsOf(point.slots);
        const name = `slot-${point.id}`;
        return (
          <div class="way">
            <label class="choice"><input type="radio" name="point" value={point.id} checked={chosen === "" ? index === 0 : chosen === point.id} /><span>{point.label}</span></label>
            {slots.length === 0 ? null : (
              <label class="field slot">When, at {point.label}
                <select name={name}>{slots.map((slot) => <option value={slot} selected={value(name) === slot}>{slot.replace("-", "–")}</option>)}</select>
              </label>
            )}
          </div>
        );
      })}
    </fieldset>
  );
}

/** Not required by the browser: it is only for those who have it sent. */
function Address({ facts, value, isOne }: Part & { readonly isOne: boolean }) {
  const field = (name: string, label: string, autocomplete: string, maxlength: number, isRequired = isOne) => <Field facts={facts} field={{ name, label, autocomplete, maxlength, value: value(name), isRequired }} />;
  return (
    <fieldset class="address">
      <legend>{isOne ? "Send it to" : "Address, if it is sent"}</legend>
      {field("name", "Name", "name", 100)}
      {field("line1", "Street and number", "address-line1", 200)}
      {field("line2", "Addition, if any", "address-line2", 200, false)}
      <div class="pair">
        {field("postalCode", "Postal code", "postal-code", 16)}
        {field("city", "City", "address-level2", 100)}
      </div>
      <label class="field">Country
        <select id="country" name="country" autocomplete="country">{facts.region.shipsTo.map((code) => <option value={code} selected={value("country") === code}>{countryName(code)}</option>)}</select>
      </label>
    </fieldset>
  );
}

/** A hold that is over: what became of it, and what can still be done. */
export function endedHoldPage(facts: WayFacts, hold: HoldView) {
  const isOrdered = hold.order !== null && (hold.state === "placed" || hold.state === "sold");
  return (
    <WayPage facts={facts} title={isOrdered ? "You have ordered this" : "Your hold has ended"}>
      <p class="story">{isOrdered ? "The order has a page of its own, where you can go on to the payment." : "The time for this hold is over and the items went back. You keep your place: take your turn again while there is stock."}</p>
      <p class="actions">
        {isOrdered ? <a class="main" href={`/orders/${hold.order ?? ""}`}>See the order</a> : <a class="main" href={`${facts.base}/place`}>To my place</a>}
        {isOrdered ? <a class="quiet" href={`${facts.base}/place`}>To my place</a> : null}
      </p>
    </WayPage>
  );
}
