import { type Problem, type ProblemCode, PROBLEMS } from "../../../kernel/problem.ts";
import { instantFromWire } from "../../../kernel/time.ts";
import type { Moments } from "./moments.ts";

export interface RefusedWords {
  readonly title: string;
  /** What happened, and what to do next. */
  readonly sentence: string;
}

/** Where the catalogue speaks to programs, or of what a page without script does not have. */
const OWN_TITLES: Readonly<Partial<Record<ProblemCode, string>>> = {
  invalid_request: "Something is missing or wrong",
  too_many_requests: "Please wait a little",
  identity_required: "Not confirmed yet",
  not_admitted: "Not your turn yet",
  id_reused: "This was sent before",
};

const OWN_WORDS: Readonly<Partial<Record<ProblemCode, string>>> = {
  credential_missing: "This browser has no place in this drop. Begin again: with the same e-mail address you get the place that you had.",
  credential_invalid: "The place of this browser is not valid any more. Begin again: with the same e-mail address you get the place that you had.",
  origin_refused: "The form did not come from this store's own page, or your browser does not say which page it came from. Open the page again and send it from there.",
  identity_in_use: "This address has a place already. Type the code from the mail to go on with that place here. A place in a group stays with whoever joined for all of it.",
  identity_invalid: "The code is mistyped, older than ten minutes, or was tried too often. Look at the newest mail, or ask for another code.",
  identity_required: "Staff have not confirmed this code. Show it to them and press the button again, or type the code from the mail.",
  not_admitted: "Your place is not called for that yet. It is kept, and the page says when it is called.",
  id_reused: "You sent this page before with something else in it. Look at your place, and go on from there.",
  limit_reached: "One person may not have more than that of this drop. Choose fewer, or give up what you hold.",
  invalid_request: "Look at what is marked below, and send it again. Nothing was changed.",
  not_found: "What you hold is not there any more. Look at your place: what is free can be taken again.",
  temporarily_unavailable: "This cannot be done at this moment. Nothing was changed; try again in a minute.",
  too_many_requests: "That was too often in a short time. Nothing was lost.",
  unsupported_media_type: "Your browser sent the form in a way that is not understood here. Open the page again and send it from there.",
  too_large: "That was more text than the form takes. Write less, and send it again.",
};

const ADDRESS_FULL = "As many were ordered to this postal address as one address may be sent of this drop. Choose a pick-up point or another address: what you hold stays yours until its time ends.";

/** Moments are told to the minute: the one after. */
const MINUTE_MS = 60_000;

/** A refusal for people: the catalogue's title, and a sentence that ends with what they can do, times in their region's zone. */
export function refusedWords({ code, facts = {} }: Problem, moments: Moments): RefusedWords {
  const { title, detail } = PROBLEMS[code];
  const time = (name: string) => {
    const text = facts[name];
    return typeof text === "string" ? instantFromWire(text) : null;
  };
  const [retryAt, nextStageAt, opensAt] = [time("retryAt"), time("nextStageAt"), time("lobbyOpensAt") ?? time("opensAt")];
  const when = retryAt !== null ? ` Try again at ${moments.day(retryAt + MINUTE_MS - 1)}.` : nextStageAt !== null ? ` The next stage opens ${moments.day(nextStageAt)}.` : opensAt !== null ? ` It opens ${moments.day(opensAt)}.` : "";
  const words = code === "limit_reached" && facts["per"] === "address" ? ADDRESS_FULL : (OWN_WORDS[code] ?? detail);
  return { title: OWN_TITLES[code] ?? title, sentence: `${words}${when}` };
}
