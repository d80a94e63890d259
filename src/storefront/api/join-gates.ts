import type { Problem } from "../../kernel/problem.ts";
import { accepted, rejected, unreachable } from "../../kernel/result.ts";
import type { JoinStep } from "./joining.ts";
import { portProblem } from "./refusals.ts";

type GateName = "work" | "turnstile";

/** How long a door that cannot ask whoever keeps it stays closed before another try. */
const CLOSED_DOOR_SECONDS = 10;

function needed(gate: GateName): Problem {
  return { code: "challenge_needed", facts: { gate } };
}

function failed(gate: GateName): Problem {
  return { code: "challenge_failed", facts: { gate } };
}

/** Before the lobby opens nothing is looked at: that is what whoever comes early has to hear, and nothing of theirs may be used up. */
export const openLobby: JoinStep = async (_ports, { drop: { plan }, now }) => {
  const isAsking = plan.gates.work !== null || plan.gates.turnstile !== null;
  return isAsking && now < plan.lobbyOpensAt ? rejected(portProblem({ code: "lobby_not_open", lobbyOpensAt: plan.lobbyOpensAt }, now)) : accepted({});
};

/** A solved challenge of this very ticket, which the join uses up; whoever proves the ticket has paid for it already. */
export const solvedWork: JoinStep = async (ports, { drop, ticket, body, isProven, now }) => {
  const { work } = drop.plan.gates;
  if (work === null || isProven) return accepted({});
  const solution = body.solution?.work;
  if (solution === undefined) return rejected(needed("work"));
  const spend = await ports.work.check(solution, { drop: drop.plan.drop, planHash: drop.planHash, ticket, cost: work.cost }, now);
  return spend === null ? rejected(failed("work")) : accepted({ spends: [spend] });
};

/** A token of the widget for this very ticket. Where nobody can be asked the door stays closed. */
export const passedTurnstile: JoinStep = async (ports, { drop, ticket, body, host, isProven }) => {
  if (drop.plan.gates.turnstile === null || isProven) return accepted({});
  const token = body.solution?.turnstile ?? "";
  if (token === "") return rejected(needed("turnstile"));
  const verdict = ports.turnstile === null ? "unavailable" : await ports.turnstile.verify({ token, ticket, hostname: host });
  switch (verdict) {
    case "passed":
      return accepted({});
    case "failed":
      return rejected(failed("turnstile"));
    case "unavailable":
      ports.log({ code: "turnstile_unavailable", drop: drop.plan.drop, isConfigured: ports.turnstile !== null });
      return rejected({ code: "temporarily_unavailable", retryAfterSeconds: CLOSED_DOOR_SECONDS });
    default:
      return unreachable(verdict);
  }
};
