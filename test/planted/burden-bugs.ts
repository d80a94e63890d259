import type { Edit, PlantedBug } from "./bugs.ts";

const edit = (file: string, find: string, put: string): Edit => ({ file, find, put });

const LISTS = "test/unit/storefront/api/public-lists.test.ts";
const ASKS = "test/unit/storefront/api/asks.test.ts";

/** What strangers may ask of the objects that sell. */
export const BURDEN: readonly PlantedBug[] = [
  {
    name: "every reader of the record comes to the drop",
    breaks: "Anybody who reads the record's tail in a loop takes the time of the object that sells.",
    unitTests: LISTS,
    edits: [edit("src/storefront/kept-lists.ts", "if (reading !== null && isYoung(reading, isClaimed ? KEEP_MS : FRESH_MS, now())) return reading.end;", "if (reading !== null && isClaimed) return reading.end;")],
  },
  {
    name: "a row past the record's end is looked for",
    breaks: "Numbers that nobody has used lead past every copy to the object that sells.",
    unitTests: LISTS,
    edits: [edit("src/storefront/kept-lists.ts", "    const rowCount = from === end.from ?", "    if (from > end.from) await list.read(from);\n    const rowCount = from === end.from ?")],
  },
  {
    name: "an end that was kept is added to at the wrong place",
    breaks: "A page of the record has a row twice, or lacks one, where the list grew into it.",
    unitTests: LISTS,
    edits: [edit("src/storefront/kept-lists.ts", 'if (last > from) [from, text] = [last, ""];', "if (last > from) from = last;")],
  },
  {
    name: "one pass asks without end",
    breaks: "A single admitted program takes every request that the drop can answer.",
    unitTests: ASKS,
    edits: [edit("src/storefront/api/holds.ts", "if (tooOften !== null) return rejected(refusal(", "if (tooOften !== null && ports.now() < 0) return rejected(refusal(")],
  },
  {
    name: "claims without end",
    breaks: "A single ticket takes every request that the drop can answer.",
    unitTests: ASKS,
    edits: [edit("src/storefront/api/tickets.ts", "if (tooOften !== null) return rejected(portProblem(tooOften", "if (tooOften !== null && ports.now() < 0) return rejected(portProblem(tooOften")],
  },
];
