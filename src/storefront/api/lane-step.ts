import { laneFor } from "../../gate/lane.ts";
import { accepted } from "../../kernel/result.ts";
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
 * Evidence that changes nothing is not used up, and the other is once the
 * ticket's own shard would give the ticket: a code that thirty may use would
 * else be gone after thirty joins that were refused.
 */
export const standInLane: JoinStep = async (ports, attempt) => {
  const { drop, visitor } = attempt;
  const shown = await shownEvidence(ports, attempt);
  if (!shown.ok) return shown;
  const { presence, invite } = shown.value;
  const { lane, weight, by } = laneFor(drop.plan.lanes, { near: visitor.near, presence, invite });
  // Named and not proven: it stands for a person only where the drop asks for no proof.
  const person = drop.plan.gates.email || invite?.person == null ? {} : { person: invite.person };
  if (by !== "invite" && by !== "presence") return accepted({ lane, weight, ...person });
  return accepted({ lane, weight, ...person, useUp: () => useEvidence(ports, attempt, shown.value, by) });
};
