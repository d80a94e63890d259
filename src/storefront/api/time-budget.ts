import type { ApiPorts } from "../ports.ts";
import { failureProblem } from "./refusals.ts";

/**
 * What another Worker answers within `budgetMs`, or null when it is slow or
 * fails. Slow work goes on after the answer: the outbox would do it again, but
 * half a minute later.
 */
export async function withinBudget<Value>(ports: ApiPorts, budgetMs: number, what: string, work: Promise<Value>): Promise<Value | null> {
  const settled = work.catch((error: unknown) => {
    ports.log({ code: failureProblem(error).code, what, error: error instanceof Error ? error.name : "not an error" });
    return null;
  });
  ports.later(settled);
  return Promise.race([settled, ports.wait(budgetMs).then(() => null)]);
}
