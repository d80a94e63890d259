import type { Plan } from "../../drop/plan.ts";

/** Whether a join into the drop may have to name an e-mail address. */
export function mayAskAddress({ gates, lanes }: Pick<Plan, "gates" | "lanes">): boolean {
  return gates.email || lanes.some(({ evidence }) => evidence.kind === "invite");
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
      <form data-form="code" hidden>
        <p>A code is on its way to <strong data-fill="asked"></strong>. It may take a minute, and it may land among the spam.</p>
        <label class="field">Code from the mail, 8 digits<input name="code" autocomplete="one-time-code" inputmode="numeric" maxlength={20} required /></label>
        <button type="submit" class="main">Join with this code</button>
        <div class="actions row">
          <button type="button" class="quiet" data-do="resend"><span data-fill="resend">Send another code</span></button>
          <button type="button" class="quiet" data-do="other-address">Use another address</button>
        </div>
      </form>
      <button type="button" class="quiet" data-do="leave">Not now</button>
    </section>
  );
}
