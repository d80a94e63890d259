import type { PlantedBug } from "./bugs.ts";

/** A mistake in the verifier that no honest record shows: only a forged one, and the tests forge them. */
const blind = (name: string, breaks: string, file: string, find: string, put: string): PlantedBug => ({
  name: `the verifier ${name}`, breaks, unitTests: "test/unit/verifier/dishonest-seller.test.ts", edits: [{ file, find, put }],
});

export const VERIFIER: readonly PlantedBug[] = [
  blind("takes the form of an instant for one", "What is dated with a day that there is not is earlier and later than nothing.",
    "schema/wire/ids.ts", "return !Number.isNaN(at) && new Date(at).toISOString() === instant;", "return at !== 0;"),
  blind("believes a later plan", "Pages show changes that did not happen, and keep silent about those that did.",
    "src/verifier/plan-change.ts", "of differencesOf(before, after, stages, wanted))", "of differencesOf(before, before, stages, stages))"),
  blind("wants no notice", "A stage opens before anybody could hear of it.",
    "src/verifier/plan-change.ts", "stage.opensAt < at + noticeMs", "stage.opensAt < at"),
  blind("lets a place be made afterwards", "Somebody stands before people who were called when nobody knew of them.",
    "src/verifier/latecomers.ts", "if (joinedAt <= batch.calledThrough)", "if (joinedAt < 0)"),
  blind("lets later seals have earlier times", "Somebody passes those whom the shard sealed before.",
    "src/verifier/latecomers.ts", "other < number && latest >= joinedAt", "other < number && latest < 0"),
  blind("lets somebody come after their seal", "Times in the future hide who was let in afterwards.",
    "src/verifier/latecomers.ts", "Date.parse(row.at)) + CLOCKS_APART_MAX_MS", "Date.parse(row.at)) * 2"),
  blind("counts no turns", "The seller's friends are called twenty times.",
    "src/verifier/line.ts", "if (admissions > ADMISSIONS_PER_STAGE_MAX)", "if (admissions > 20)"),
  blind("takes every step of a drip for a stage", "In a drip of hours everybody may be called hundreds of times.",
    "src/verifier/schedule.ts", "return this.#drips.find((drip) => stage >= drip.stage", "return this.#drips.find((drip) => stage > drip.stage + 1_000"),
  blind("lets units come back after the close", "The close says that more was sold than the record does.",
    "src/verifier/walk.ts", 'if (this.#isClosed && row.kind !== "seal")', 'if (this.#isClosed && row.kind !== "seal" && row.kind !== "return")'),
  blind("lets late money buy after the end", "Units are sold when the drop is over.",
    "src/verifier/walk.ts", "else if (at >= this.#schedule.closesAt)", "else if (at < 0)"),
  blind("looks for the close in the last row alone", "One more row behind the close makes published entries uncertain again.",
    "src/verifier/draw.ts", 'rows.some(({ kind }) => kind === "close")', 'rows.at(-1)?.kind === "close"'),
  blind("calls a record right that leaves the asking ticket out", "Who was left out of the draw is told that all is well.",
    "src/verifier/ticket.ts", "return { words, unclear: words };", "return { words, unclear: null };"),
];
