import { laneFor } from "../../gate/lane.ts";
import { accepted, rejected } from "../../kernel/result.ts";
import { tooEarly } from "./codes.ts";
import { shownEvidence, useEvidence } from "./evidence.ts";
import type { JoinStep } from "./joining.ts";

/** Evidence that does not hold refuses the join before an address is given to its ticket: a refusal must not use anything up. */
export const genuineEvidence: JoinStep = async (ports, attempt) => {
  const shown = await shownEvidence(ports, attempt);
  return shown.ok ? accepted({}) : shown;
};

/**
 * Which lane the ticket stands in. Whoever shows nothing is never refused, and
 * whoever comes back without evidence keeps the lane that was had before.
 * Evidence that changes nothing is not used up.
 */
export const standInLane: JoinStep = async (ports, attempt) => {
  const { drop, visitor, now } = attempt;
  const shown = await shownEvidence(ports, attempt);
  if (!shown.ok) return shown;
  const { presence, invite } = shown.value;
  const { lane, weight, by } = laneFor(drop.plan.lanes, { near: visitor.near, presence, invite });
  // Named and not proven: it stands for a person only where the drop asks for no proof.
  const person = drop.plan.gates.email || invite?.person == null ? {} : { person: invite.person };
  if (by !== "invite" && by !== "presence") return accepted({ lane, weight, ...person });
  // Asked here as well as in the shard: nothing may be used up for a ticket that then cannot be had.
  const early = tooEarly(drop, now);
  if (early !== null) return rejected(early);
  const used = await useEvidence(ports, attempt, shown.value, by);
  return used.ok ? accepted({ lane, weight, ...person }) : used;
};
