import type { Edit, PlantedBug } from "./bugs.ts";

const edit = (file: string, find: string, put: string): Edit => ({ file, find, put });

/** Against what keeps goods from resellers, and payment pages from people who try out cards. */
export const RESALE: readonly PlantedBug[] = [
  {
    name: "limit of an address counted per order",
    breaks: "One house is sent as much as it has e-mail addresses for.",
    edits: [edit("src/drop/resale-limits.ts", "return countOf(counters.itemsByDestination, destination) + items > address", "return items > address")],
  },
  {
    name: "limit of a card counted per order",
    breaks: "One card pays for as many people as somebody can pretend to be.",
    edits: [edit("src/drop/resale-limits.ts", "&& countOf(state.counters.itemsByCard, card) + items > limit", "&& items > limit")],
  },
  {
    name: "late money over the limit of an address", unitTests: "test/unit/drop/resale-limits.test.ts",
    breaks: "Whose order ended unpaid gets it after somebody else took its place at the address.",
    edits: [edit("src/drop/payments.ts", "  if (addressLimitReached(state, plan, hold.destination, items) !== null) return false;\n", "")],
  },
  {
    name: "a card over its limit keeps the units", unitTests: "test/unit/drop/resale-limits.test.ts",
    breaks: "The payment is released, and nobody can buy what it was for until the time to pay is over.",
    edits: [edit("src/drop/payments.ts", "sale: isLate ? null : voided({ ...hold, refused: \"card_limit\" }, plan, now, hashing)", "sale: null")],
  },
  {
    name: "a card over its limit counts as one that a bank refused", unitTests: "test/unit/drop/resale-limits.test.ts",
    breaks: "An office with one card cannot hold anything for half an hour, whoever asks there and with whichever card.",
    edits: [edit("src/drop/counters.ts", "if (hold.order !== null && hold.refused === undefined) noteFailure", "if (hold.order !== null) noteFailure")],
  },
  {
    name: "a card's fingerprint is stored", unitTests: "test/unit/settlement/card-limit.test.ts",
    breaks: "The drops of a store can tell that the same card paid in several of them.",
    edits: [edit("src/settlement/lifecycle.ts", "cardInDrop(seen.card, book.order, hashing)", "seen.card")],
  },
  {
    name: "a batch forgets the cards", unitTests: "test/unit/settlement/card-limit.test.ts",
    breaks: "When many pay at once nobody's card is counted.",
    edits: [edit("src/settlement/side-by-side.ts", "confirm({ order, payment, card: card ?? null })", "confirm({ order, payment })")],
  },
  {
    name: "an address in capitals is another", unitTests: "test/unit/checkout/destination.test.ts",
    breaks: "A reseller types the same street in as many ways as there are orders.",
    edits: [edit("src/checkout/destination.ts", ".toUpperCase().toLowerCase()", "")],
  },
  {
    name: "cards are tried out from one network without end", unitTests: "test/unit/drop/fair-use.test.ts",
    breaks: "Whoever has enough tickets and browsers tries out stolen cards by the thousand.",
    edits: [edit("src/drop/till-breaker.ts", "if (network === UNNAMED_NETWORK) return null;", "if (network !== \"\") return null;")],
  },
  {
    name: "a network of people is taken for a tester of cards", unitTests: "test/unit/drop/fair-use.test.ts",
    breaks: "Six cards that are refused among hundreds that pay close the drop to a whole provider's customers.",
    edits: [edit("src/drop/till-breaker.ts", "|| countOf(counters.paidByNetwork, network) > failed.length ?", "|| now < 0 ?")],
  },
];
