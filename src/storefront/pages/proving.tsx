import { groupMaxOf } from "../../drop/groups.ts";
import type { Plan } from "../../drop/plan.ts";
import { togetherText } from "./together-words.ts";

/** Whether a join into the drop may have to name an e-mail address. */
export function mayAskAddress({ gates, lanes }: Pick<Plan, "gates" | "lanes">): boolean {
  return gates.email || lanes.some(({ evidence }) => evidence.kind === "invite");
}

/** Friends who stand in line with the ticket: each has a code sent to them, and reads it out to whoever joins. */
function Together({ plan }: { readonly plan: Plan }) {
  return (
    <details class="together" data-together hidden>
      <summary>Stand in line with friends</summary>
      <p>{togetherText(plan)} You join and order for all of you; afterwards you can choose more.</p>
      <form data-form="friend">
        <label class="field">E-mail address of a friend<input type="email" name="friend" autocomplete="off" inputmode="email" maxlength={254} required /></label>
        <button type="submit" class="quiet">Send them a code</button>
      </form>
      <p class="fine" role="status" data-fill="friends-left"></p>
      <ul data-friends></ul>
    </details>
  );
}

/** The step of the address and its code; drops that ask for neither do not carry it. */
export function Proving({ plan }: { readonly plan: Plan }) {
  const { email: asksCode } = plan.gates;
  return (
    <section class="panel" data-panel="proving" hidden>
      <h2 tabindex={-1}>{asksCode ? "Who are you?" : "Your invitation"}</h2>
      <form data-form="address">
        <p>{asksCode ? "One person has one place here, so it is given to an e-mail address. You get a code to it; your order goes to the same address." : "Your invitation was made for one e-mail address. Name it, and order with it later."}</p>
        <label class="field">E-mail address<input type="email" name="email" autocomplete="email" inputmode="email" maxlength={254} required /></label>
        <button type="submit" class="main">{asksCode ? "Send me a code" : "Join"}</button>
      </form>
      {groupMaxOf(plan) === 1 ? null : <Together plan={plan} />}
      <form data-form="code" id="code-form" hidden>
        <p>A code is on its way to <strong data-fill="asked"></strong>. It may take a minute, and it may land among the spam.</p>
        <label class="field">Code from the mail, 8 digits<input name="code" autocomplete="one-time-code" inputmode="numeric" maxlength={20} required /></label>
        <button type="submit" class="main"><span data-fill="prove">Join with this code</span></button>
        <div class="actions row">
          <button type="button" class="quiet" data-do="resend"><span data-fill="resend">Send another code</span></button>
          <button type="button" class="quiet" data-do="other-address">Use another address</button>
        </div>
      </form>
      <button type="button" class="quiet" data-do="leave">Not now</button>
    </section>
  );
}
