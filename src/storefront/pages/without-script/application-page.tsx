import { isDripping } from "../../browser/drips.ts";
import { leftWords } from "../../browser/outlook.ts";
import { firstChoice } from "../../browser/choice.ts";
import type { Line } from "../../../drop/port.ts";
import type { LobbyLive } from "../../../lobby/port.ts";
import { laneEvidence } from "../lane-words.ts";
import { isOver, phaseWords } from "../phase-words.ts";
import { togetherText } from "../together-words.ts";
import { Field, Quantities, WayForm, WayPage, type WayFacts } from "./frame.tsx";

export interface ApplicationFacts {
  readonly live: LobbyLive;
  readonly wants: readonly Line[];
  readonly email: string;
  readonly evidence: string;
}

/** What is wanted and by whom: the first step. */
export function applicationPage(facts: WayFacts, application: ApplicationFacts) {
  const { live } = application;
  const { plan, moments } = facts;
  const words = phaseWords(live);
  return (
    <WayPage facts={facts} title="Join without JavaScript">
      <p class="story">The same draw and the same odds as with it. Instead of a key that your browser makes, you prove an e-mail address: one address, one place.</p>
      <p><strong>{words.label}.</strong> {words.sentence}{words.nextAt === null ? "" : ` ${words.nextLabel} ${moments.day(words.nextAt)}.`}</p>
      {isOver(live) ? <Over facts={facts} /> : live.live.phase === "announced" ? <p>Come back then; this page does not join by itself. Everyone who joins before the drop opens has the same chance.</p> : <ApplicationForm facts={facts} application={application} />}
      {plan.lanes.length === 0 || isOver(live) ? null : (
        <section class="block" aria-labelledby="kept-title">
          <h2 id="kept-title">Kept for some</h2>
          <ul class="terms">{plan.lanes.map((share) => <li>{laneEvidence(share, facts.store.regions)}</li>)}</ul>
        </section>
      )}
    </WayPage>
  );
}

function Over({ facts }: { readonly facts: WayFacts }) {
  return <p>Nothing more can be bought in it. If you ordered, open your order's page in this browser. Questions: {facts.store.support}.</p>;
}

function ApplicationForm({ facts, application }: { readonly facts: WayFacts; readonly application: ApplicationFacts }) {
  const { live, wants, email, evidence } = application;
  const { plan } = facts;
  const outlook = { phase: live.live.phase, hasNextStage: live.live.nextStageAt !== null, isDripping: isDripping(live.live.stage, live.plan.drips) };
  const left = (sku: string) => leftWords(outlook, live.live.items.find((item) => item.sku === sku));
  const isForSome = plan.lanes.some(({ evidence: { kind } }) => kind === "invite" || kind === "presence");
  return (
    <WayForm facts={facts} to="">
      <fieldset id="wants">
        <legend>What do you want?</legend>
        <Quantities facts={facts} chosen={firstChoice(plan, wants, plan.limitPerPerson)} most={plan.limitPerPerson} left={left} skus={null} />
        <p class="fine">At most {plan.limitPerPerson} in all for each person. You can change it later; your place stays.{togetherText(plan) === null ? "" : " Standing in line together with friends needs JavaScript: here everyone stands alone."}</p>
      </fieldset>
      {isForSome ? <Field facts={facts} field={{ name: "evidence", label: "Invitation, if you have one", hint: "Its link, or the address to which the code at the pop-up led you.", value: evidence, autocomplete: "off", maxlength: 4_096 }} /> : null}
      <Field facts={facts} field={{ name: "email", label: "E-mail address", hint: "You get a code to it now, and your receipt later.", value: email, type: "email", autocomplete: "email", inputmode: "email", maxlength: 254, isRequired: true }} />
      <button type="submit" class="main">Send me a code</button>
    </WayForm>
  );
}
