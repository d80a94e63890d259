import type { Region } from "../../config/store-config.ts";
import type { LobbyLive } from "../../lobby/port.ts";
import { slotsOf } from "./when.ts";

/** Country names for the shipping form; the code itself where the runtime knows no name. */
export function countryName(code: string): string {
  return new Intl.DisplayNames("en", { type: "region", fallback: "code" }).of(code) ?? code;
}

function Pickup({ region }: { readonly region: Region }) {
  return (
    <fieldset class="ways" data-way="pickup">
      <legend>Pick up at</legend>
      {region.pickup.map((point, index) => {
        const slots = slotsOf(point.slots);
        return (
          <div class="way">
            <label class="choice"><input type="radio" name="point" value={point.id} data-label={point.label} checked={index === 0} /><span>{point.label}</span></label>
            {slots.length === 0 ? null : (
              <label class="field slot">When
                <select name={`slot-${point.id}`}>{slots.map((slot) => <option value={slot}>{slot.replace("-", "–")}</option>)}</select>
              </label>
            )}
          </div>
        );
      })}
    </fieldset>
  );
}

function Address({ region, isHidden }: { readonly region: Region; readonly isHidden: boolean }) {
  return (
    <fieldset class="address" data-way="ship" hidden={isHidden} disabled={isHidden}>
      <legend>Send it to</legend>
      <label class="field">Name<input name="name" autocomplete="name" maxlength={100} required /></label>
      <label class="field">Street and number<input name="line1" autocomplete="address-line1" maxlength={200} required /></label>
      <label class="field">Addition, if any<input name="line2" autocomplete="address-line2" maxlength={200} /></label>
      <div class="pair">
        <label class="field">Postal code<input name="postalCode" autocomplete="postal-code" maxlength={16} required /></label>
        <label class="field">City<input name="city" autocomplete="address-level2" maxlength={100} required /></label>
      </div>
      <label class="field">Country
        <select name="country" autocomplete="country">{region.shipsTo.map((code) => <option value={code}>{countryName(code)}</option>)}</select>
      </label>
    </fieldset>
  );
}

/** The hold with its countdown and everything that is needed to pay, on one screen. */
export function CheckoutForm({ live, region, deliveryNote, holdFor }: { readonly live: LobbyLive; readonly region: Region; readonly deliveryNote: string | null; readonly holdFor: string }) {
  const picksUp = region.pickup.length > 0;
  const ships = region.shipsTo.length > 0;
  const hasCoupons = live.plan.campaigns.length > 0;
  return (
    <section class="panel" data-panel="held" hidden>
      <h2 tabindex={-1}>Held for you</h2>
      <div class="hold">
        <p class="hold-clock"><strong data-fill="hold-clock" role="timer" aria-live="off">{holdFor}</strong><span class="fine">left to order</span></p>
        <ul class="lines" data-lines></ul>
        <p class="total"><span>Total</span><strong data-fill="hold-total"></strong></p>
        <div class="actions row"><button type="button" class="quiet" data-do="change">Change</button><button type="button" class="quiet" data-do="give-up">Give it up</button></div>
      </div>
      <form data-form="checkout">
        <label class="field">E-mail for the receipt<input type="email" name="email" autocomplete="email" inputmode="email" maxlength={254} required /></label>
        {picksUp && ships ? (
          <fieldset class="methods"><legend>How do you get it?</legend>
            <label class="choice"><input type="radio" name="method" value="pickup" checked /><span>Pick it up</span></label>
            <label class="choice"><input type="radio" name="method" value="ship" /><span>Send it to me</span></label>
          </fieldset>
        ) : <input type="hidden" name="method" value={picksUp ? "pickup" : "ship"} />}
        {picksUp ? <Pickup region={region} /> : null}
        {ships ? <Address region={region} isHidden={picksUp} /> : null}
        <div class="eta">
          <p><span class="fine">You get it</span><strong data-fill="eta">{picksUp ? "Pick-up" : "By post, to your address"}</strong></p>
          {deliveryNote === null ? null : <p><span class="fine">The seller's note</span><span>{deliveryNote}</span></p>}
        </div>
        {hasCoupons ? <label class="field">Coupon, if you have one<input name="coupon" autocomplete="off" autocapitalize="characters" spellcheck={false} maxlength={4096} /></label> : null}
        <button type="submit" class="main"><span data-fill="pay">Order and pay</span></button>
        <p class="fine">{live.plan.capture === "on-fulfilment" ? "The amount is reserved now and charged only when your order is handed over." : "You pay on the next page."}{hasCoupons ? " A coupon is taken off before you pay." : ""}</p>
      </form>
    </section>
  );
}
