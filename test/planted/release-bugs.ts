import type { Edit, PlantedBug } from "./bugs.ts";

const edit = (file: string, find: string, put: string): Edit => ({ file, find, put });

/** Against what comes out when, and for how long somebody may keep it from others. */
export const RELEASE: readonly PlantedBug[] = [
  {
    name: "pressure that shortens no hold",
    breaks: "Whoever brings many identities through one network keeps goods from others for the whole time, again and again.",
    edits: [edit("src/drop/holds.ts", "? pressedHoldMs(plan) : plan.holdTtlMs", "&& now < 0 ? pressedHoldMs(plan) : plan.holdTtlMs")],
    unitTests: "test/unit/drop/fair-use.test.ts",
  },
  {
    name: "a drip without its last step",
    breaks: "What is left over of a drip that does not come out even is never released.",
    edits: [edit("src/drop/written-stages.ts", "Math.ceil(count / drip.units)", "Math.floor(count / drip.units)")],
  },
  {
    name: "two turns with every step of a drip",
    breaks: "Whoever holds and lets go may do so again each minute, for as long as the drip runs.",
    edits: [edit("src/drop/sittings.ts", "writtenNumber(plan, sitting.stage) === writtenNumber(plan, stage)", "sitting.stage === stage")],
    unitTests: "test/unit/drop/drips.test.ts",
  },
  {
    name: "a published drip that runs into the next stage",
    breaks: "The stages of the published plan are not in their order any more, and nobody's check of the record takes it.",
    edits: [edit("src/drop/changed-stages.ts", "stage.openings.length > 1 && outAt > endAt", "stage.openings.length > 1 && outAt > endAt && now < 0")],
    unitTests: "test/unit/drop/drips.test.ts",
  },
  {
    name: "a lane that is kept nothing of a drip",
    breaks: "A tenth of every four units is none of two hundred, and everybody's check agrees with it.",
    edits: [edit("src/drop/lanes.ts", "Math.abs(inSteps - due) <= DRIP_DEVIATION_MAX", "inSteps - due <= DRIP_DEVIATION_MAX")],
    unitTests: "test/unit/drop/drips.test.ts",
  },
  {
    name: "an extension that is forgotten when a drip before it gets other steps",
    breaks: "Somebody repeats an extension whose answer was lost, and the stage is put off twice.",
    edits: [edit("src/drop/written-stages.ts", "return step < to.steps ? to.stage + step : null;", "return step < to.steps ? stage : null;")],
    unitTests: "test/unit/drop/drips.test.ts",
  },
];
