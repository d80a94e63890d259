import type { WorkSolution } from "../../../schema/wire/ticket.ts";
import type { Refusal } from "./api.ts";
import { freshId } from "./ids.ts";
import type { DoorFacts } from "./page-data.ts";
import { TurnstileWidget } from "./turnstile-widget.ts";
import { WorkAhead } from "./work-ahead.ts";
import { workThread } from "./work-thread.ts";

/*
 * What a drop asks at its door, prepared while the shopper still looks around.
 * A module of its own: a drop without such gates does not load it.
 */

/** The members of a join that the gates ask for, or why they cannot be had. */
export type Shown = { readonly ok: true; readonly members: { readonly solution: { readonly work?: WorkSolution; readonly turnstile?: string } } } | { readonly ok: false; readonly refusal: Refusal };

export interface Door {
  /** The id for which everything is prepared where no join was begun. */
  draft(): string;
  /** Waits until everything is ready for a join with this ticket's id. */
  show(ticket: string): Promise<Shown>;
  /** What was shown was refused: the next time it is made anew. */
  renew(): void;
}

export interface DoorHost {
  now(): number;
  /** For which id to prepare now: one, `draft` where any will do, or null where nothing is to be prepared. */
  wanted(): { readonly ticket: string } | "draft" | null;
  /** Words for the shopper while they wait; null once it is over. */
  say(words: string | null): void;
}

const TEND_EVERY_MS = 1_000;
/** What is done before anybody notices needs no words. */
const SILENT_MS = 2_000;

function refusalOf(detail: string): Refusal {
  return { status: 0, code: "door_unprepared", title: "Your place could not be prepared", detail, waitMs: 0 };
}

export function createDoor(facts: DoorFacts, host: DoorHost): Door {
  let draft = freshId("tkt");
  const work = facts.work ? new WorkAhead((ticket) => workThread({ path: `/api/drops/${facts.drop}/challenges`, worker: facts.worker }, ticket), host.now) : null;
  const widget = facts.turnstile === null ? null : new TurnstileWidget(facts.turnstile.siteKey);

  const tend = () => {
    // What runs may end behind another tab; nothing new is begun there.
    if (document.visibilityState === "hidden") return;
    const wanted = host.wanted();
    const ticket = wanted === "draft" ? draft : (wanted?.ticket ?? null);
    work?.tend(ticket);
    widget?.tend(ticket);
  };
  setInterval(tend, TEND_EVERY_MS);
  addEventListener("pagehide", () => work?.tend(null));
  tend();

  async function shown(ticket: string): Promise<Shown> {
    const solved = work === null ? null : await work.solution(ticket);
    if (solved === "failed") return { ok: false, refusal: refusalOf("Your browser did not get or finish the small task that this drop asks of everyone. Try again; another browser may do better.") };
    const checked = widget === null ? null : await widget.token(ticket);
    if (checked === "failed") return { ok: false, refusal: refusalOf("The check that you are a person did not load. A content blocker may keep it out: allow challenges.cloudflare.com for this page and try again.") };
    return { ok: true, members: { solution: { ...(solved === null ? {} : { work: solved }), ...(checked === null ? {} : { turnstile: checked.token }) } } };
  }

  return {
    draft: () => draft,
    async show(ticket) {
      const words = setTimeout(() => host.say("Getting your place ready…"), SILENT_MS);
      try {
        return await shown(ticket);
      } finally {
        clearTimeout(words);
        host.say(null);
      }
    },
    renew() {
      draft = freshId("tkt");
      work?.forget();
      widget?.forget();
    },
  };
}
