import { beaconRound, QUICKNET } from "../../drop/beacon-chains.ts";
import type { Plan } from "../../drop/plan.ts";
import { Moment } from "./moment.tsx";

/** A round that is not here by then is late: relays answer within a second or two. */
const LATE_AFTER_MS = 15_000;

/** Who could influence the order of service: what each way of drawing proves, in one plain sentence. */
export function influenceText({ beacon }: Pick<Plan, "beacon">): string {
  if (beacon == null) return "No shopper could influence this order; the seller could.";
  if (beacon.chain === QUICKNET.chain) return "Nobody could influence this order: it is made with a number that a public beacon, drand, makes known only after everything was sealed.";
  return "This order is made with a rehearsal's beacon, whose key is no secret: it proves nothing.";
}

/** What the draw is made of, for whoever waits for it. */
export function DrawingWords({ plan, locale }: { readonly plan: Plan; readonly locale: string }) {
  const named = beaconRound(plan);
  if (named === null) return <p>The drop is open. The order of service is being drawn from a secret that was sealed before anyone joined; this takes a few seconds.</p>;
  return (
    <>
      <p>The drop is open. The order of service is drawn from a secret that was sealed before anyone joined, and from round {named.round} of a public beacon, which nobody can know before it comes out: <Moment at={named.at} locale={locale} withSeconds />.</p>
      <p class="note" data-late-after={named.at + LATE_AFTER_MS} hidden>The beacon's round is out and has not reached this store yet. The draw waits for it, because no other way of drawing was promised. Your place is kept, and nobody is ahead of you by waiting here.</p>
    </>
  );
}
