import type { Edit, PlantedBug } from "./bugs.ts";

const edit = (file: string, find: string, put: string): Edit => ({ file, find, put });

/** Against what a rehearsal tells: a report that flatters is worse than none. */
export const REHEARSAL: readonly PlantedBug[] = [
  {
    name: "a moved place counts as another ticket of the bots", unitTests: "test/unit/rehearsal/load.test.ts",
    breaks: "Bots seem to have come with more tickets than they had, and to have got less than their part.",
    edits: [edit("src/rehearsal/findings.ts", "tickets[ofClass] += new Set(came.map(({ entry }) => entry)).size;", "tickets[ofClass] += came.length;")],
  },
  {
    name: "what was sold after its time counts as the lane's", unitTests: "test/unit/rehearsal/load.test.ts",
    breaks: "A reserve that nobody used seems to have been used, and the next drop keeps as much.",
    edits: [edit("src/rehearsal/lane-shares.ts", "row.at < lapsesAt && ", "")],
  },
  {
    name: "waiting is multiplied by the speed", unitTests: "test/unit/rehearsal/load.test.ts",
    breaks: "What the night costs depends on how fast it was rehearsed.",
    edits: [edit("src/rehearsal/cost.ts", "return realFrom + ((time - from) / (to - from)) * (realTo - realFrom);", "return time * terms.compression.speed;")],
  },
  {
    name: "bots without script have addresses of their own", unitTests: "test/unit/rehearsal/crowd.test.ts",
    breaks: "The army has more identities than it is said to have, and whatever it gets seems fair.",
    edits: [edit("src/rehearsal/crowd.ts", '{ ...identity, network: "army-forms" } : identity };', '{ ...identity, email: `${bot.name}@army.example`, network: "army-forms" } : identity };')],
  },
];
