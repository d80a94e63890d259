import type { Edit, PlantedBug } from "./bugs.ts";

const edit = (file: string, find: string, put: string): Edit => ({ file, find, put });

/** What is given to one person or used up at the lobby's door, and for whom. */
export const DOOR: readonly PlantedBug[] = [
  {
    name: "staff's word is good for everybody",
    breaks: "One ticket that staff have seen a person for ties as many addresses as a program can think of.",
    unitTests: "test/unit/storefront/forms/way.test.ts",
    edits: [edit("src/storefront/forms/proof.ts", "return attested.ok && (await shard.redeem(attestedPerson(ticket, person, plan.closesAt))).ok;", "return attested.ok;")],
  },
  {
    name: "staff's word skips the network's share",
    breaks: "The way without work takes as many places from one network as somebody can send forms for.",
    unitTests: "test/unit/storefront/forms/way.test.ts",
    edits: [edit("src/storefront/forms/proof.ts", "if (!allowed.ok) return shownProof(visit, claims, allowed.rejection);\n  // The same books", "if (!allowed.ok && visit.now < 0) return shownProof(visit, claims, allowed.rejection);\n  // The same books")],
  },
  {
    name: "an address stays with the ticket of others",
    breaks: "Somebody whose address a stranger tied to a ticket gets no place in the drop, whatever they prove.",
    unitTests: "test/unit/storefront/api/codes.test.ts",
    edits: [edit("src/storefront/api/codes.ts", "persons === null || persons.owner === person;", "persons === null || persons.owner !== null;")],
  },
  {
    name: "an address leaves the place that it has",
    breaks: "One person has two places: the one that was joined with is forgotten for another.",
    unitTests: "test/unit/lobby/redemptions.test.ts",
    edits: [edit("src/lobby/address-codes.ts", "!isHere && place.ticket === proof.abandoned && (place.memberSince === null ||", "!isHere && (place.memberSince === null ||")],
  },
  {
    name: "a ticket's key speaks for another person",
    breaks: "Somebody proves an address, is told that they are in, and the place belongs to the address before.",
    unitTests: "test/unit/lobby/persons.test.ts",
    edits: [edit("src/lobby/tickets.ts", "known.person === null || person === null ? known.keyThumbprint === keyThumbprint : known.person === person;", "known.keyThumbprint === keyThumbprint || (known.person !== null && known.person === person);")],
  },
  {
    name: "evidence is used up before the lobby is asked",
    breaks: "Thirty joins that are refused use a pop-up's code up, and the next visitor hears that it is gone.",
    unitTests: "test/unit/storefront/api/lanes.test.ts",
    edits: [edit("src/storefront/api/joining.ts", "    const judged = await shard.mayJoin(command);\n    if (!judged.ok) return refusedBy(judged.rejection);\n    const used = await useUp();\n    if (!used.ok) return used;", "    const used = await useUp();\n    if (!used.ok) return used;\n    const judged = await shard.mayJoin(command);\n    if (!judged.ok) return refusedBy(judged.rejection);")],
  },
  {
    name: "asking whether one may join costs nothing",
    breaks: "A network that is over its joins a minute gets a yes for every ticket that it thinks of, and uses up what it is refused with.",
    unitTests: "test/unit/lobby/arrivals.test.ts",
    edits: [edit("src/lobby/arrivals.ts", "  const retryAt = budget.ask(command.network, joinsAllowed(plan, command), at);\n  if (retryAt !== null) return", "  const retryAt = budget.takeAnnounced(command, at) ? budget.ask(command.network, joinsAllowed(plan, command), at) : null;\n  if (retryAt !== null) return")],
  },
  {
    name: "one network uses up all codes of an address",
    breaks: "A stranger with one computer keeps somebody from getting a code at the opening.",
    unitTests: "test/unit/lobby/redemptions.test.ts",
    edits: [edit("src/lobby/address-codes.ts", "counted.filter(({ network }) => network === note.network);", "counted.filter(({ network }) => network === null);")],
  },
];
