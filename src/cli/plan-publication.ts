import * as v from "valibot";
import { accepted, rejected, type Result } from "../kernel/result.ts";
import { changeText, type ToldChange } from "./change-words.ts";
import type { StoreFile } from "./store-file.ts";

const ASK_WITHIN_MS = 15_000;

const FIELD_VALUE = v.union([v.string(), v.number(), v.boolean(), v.null()]);
const ANSWER = v.object({
  changes: v.array(v.object({ field: v.string(), from: FIELD_VALUE, to: FIELD_VALUE, allowed: v.boolean(), reason: v.optional(v.string()) })),
  published: v.boolean(),
});
const PROBLEM = v.object({ detail: v.string(), errors: v.optional(v.array(v.object({ detail: v.string() }))) });

type Answer = v.InferOutput<typeof ANSWER>;

export interface Publication {
  /** The store's origin. */
  readonly store: string;
  readonly deskKey: string;
  readonly file: StoreFile;
  /** Which drops, by slug; null for all of the config. */
  readonly drop: string | null;
  /** Asks whether a drop's changes are to be published; where nobody can be asked, it answers for them. */
  readonly mayPublish: (title: string) => Promise<boolean>;
  readonly say: (line: string) => void;
}

/** `refused`: a difference cannot be published, or the store did not answer. `left`: there are differences that nobody wanted published. */
export type PublicationOutcome = "done" | "left" | "refused";

/**
 * Shows, for each drop, where its config differs from the plan that is running,
 * and publishes what may be changed.
 */
export async function publishPlans(publication: Publication): Promise<PublicationOutcome> {
  const { file, drop, say } = publication;
  const drops = file.store.drops.filter(({ slug }) => drop === null || slug === drop);
  if (drops.length === 0) {
    say(`There is no drop "${drop ?? ""}" in the config.`);
    return "refused";
  }
  const outcomes: PublicationOutcome[] = [];
  for (const { slug, title } of drops) outcomes.push(await publishPlan(publication, slug, title));
  return outcomes.includes("refused") ? "refused" : outcomes.includes("left") ? "left" : "done";
}

async function publishPlan(publication: Publication, slug: string, title: string): Promise<PublicationOutcome> {
  const { file, mayPublish, say } = publication;
  const seen = await askDesk(publication, slug, false);
  if (!seen.ok) return told(publication, title, seen.rejection);
  const { changes } = seen.value;
  if (changes.length === 0) {
    say(`${title}: the running plan is what the config says.`);
    return "done";
  }
  say(`${title}: the config differs from the running plan.`);
  for (const change of changes) say(lineOf(change, file.store.currency));
  if (changes.some(({ allowed }) => !allowed)) {
    say("  Nothing of this drop is published until the config no longer asks for what is refused.");
    return "refused";
  }
  if (!(await mayPublish(title))) {
    say("  Not published: the plan runs on as it was.");
    return "left";
  }
  const published = await askDesk(publication, slug, true);
  if (!published.ok) return told(publication, title, published.rejection);
  // Time went on between the two: a stage may have opened.
  const refused = published.value.changes.filter(({ allowed }) => !allowed);
  for (const change of refused) say(lineOf(change, file.store.currency));
  say(refused.length > 0 ? "  Not published: the drop went on meanwhile." : "  Published: it is a row of the public record, and stands on the plan's page.");
  return refused.length > 0 ? "refused" : "done";
}

function lineOf(change: ToldChange, currency: string): string {
  const words = changeText(change, currency);
  return change.allowed ? `  ${words}` : `  Refused: ${words} ${change.reason ?? ""}`.trimEnd();
}

/** Null stands for a drop that nobody has seen yet. */
function told({ say }: Publication, title: string, failure: string | null): PublicationOutcome {
  say(failure === null ? `${title}: there is no plan yet; the config becomes it when the drop is first seen.` : `${title}: ${failure}`);
  return failure === null ? "done" : "refused";
}

async function askDesk({ store, deskKey, file }: Publication, slug: string, publish: boolean): Promise<Result<Answer, string | null>> {
  const own = `DROP_${slug.toUpperCase().replaceAll("-", "_")}`;
  const vars = Object.fromEntries(Object.entries(file.vars).filter(([name]) => name === "STORE" || name.startsWith("REGION_") || name === own));
  let response: Response;
  try {
    response = await fetch(`${store}/desk/api/drops/${slug}/plan`, {
      method: "POST",
      headers: { authorization: `Bearer ${deskKey}`, "content-type": "application/json" },
      body: JSON.stringify({ vars, publish }),
      signal: AbortSignal.timeout(ASK_WITHIN_MS),
    });
  } catch {
    return rejected(`${store} does not answer.`);
  }
  if (response.status === 404) return rejected(null);
  const text: unknown = await response.json().catch(() => null);
  const answer = v.safeParse(ANSWER, text);
  if (response.ok && answer.success) return accepted(answer.output);
  const problem = v.safeParse(PROBLEM, text);
  if (!problem.success) return rejected(`${store} answered ${response.status}.`);
  const reasons = (problem.output.errors ?? []).map(({ detail }) => detail);
  return rejected(reasons.length > 0 ? reasons.join(" ") : problem.output.detail);
}
