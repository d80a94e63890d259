import { lineWords } from "../../browser/choice.ts";
import type { Line } from "../../../drop/port.ts";
import { Field, WayForm, WayPage, type WayFacts } from "./frame.tsx";
import { QrPicture } from "./qr-picture.tsx";

export interface ProofFacts {
  /** The ticket that there will be: staff confirm it under this name. */
  readonly ticket: string;
  readonly email: string;
  readonly wants: readonly Line[];
  readonly now: number;
}

/** That the address is the shopper's: by a code, or by people at the pop-up. */
export function proofPage(facts: WayFacts, { ticket, email, wants, now }: ProofFacts) {
  const { plan, base, moments } = facts;
  return (
    <WayPage facts={facts} title="Is this you?">
      <p class="story">A code is on its way to <strong>{email}</strong>. With it you get your place for {lineWords(plan, wants)}.</p>
      {now < plan.opensAt ? <p>Have your place before the drop opens, {moments.day(plan.opensAt)}, to be part of the draw; nobody gains anything by being earlier. Later places stand behind the drawn ones.</p> : null}
      <WayForm facts={facts} to="/proof">
        <Field facts={facts} field={{ name: "code", label: "Code from the mail, 8 digits", hint: "It may take a minute, and it may land among the spam. It is good for ten minutes.", autocomplete: "one-time-code", inputmode: "numeric", maxlength: 20, isRequired: true }} />
        <button type="submit" class="main">Get my place</button>
      </WayForm>
      <div class="actions">
        <WayForm facts={facts} to="/codes"><button type="submit" class="quiet">Send another code</button></WayForm>
        <a class="quiet" href={base}>Use another address, or choose something else</a>
      </div>
      <section class="block" aria-labelledby="staff-title">
        <h2 id="staff-title">No mail? Show this at the pop-up</h2>
        <p>Staff scan this code or type the name below it, and confirm that you are there. It is for you alone and for one place.</p>
        <QrPicture text={ticket} label={`QR code of ${ticket}`} />
        <p><code>{ticket}</code></p>
        <WayForm facts={facts} to="/attestation"><button type="submit" class="main">Staff have confirmed me</button></WayForm>
      </section>
    </WayPage>
  );
}
