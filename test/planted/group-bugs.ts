import type { Edit, PlantedBug } from "./bugs.ts";

const edit = (file: string, find: string, put: string): Edit => ({ file, find, put });

/** Against what lets people stand in line together without anybody having more than one person may. */
export const GROUPS: readonly PlantedBug[] = [
  {
    name: "everybody has the limit of a group",
    breaks: "Whoever stands alone takes as much as the largest group of the drop.",
    edits: [edit("src/drop/holds.ts", "sitting === undefined ? groupMaxOf(plan) : peopleOf(sitting)", "groupMaxOf(plan)")],
  },
  {
    name: "a group's order is held to the limit of one", unitTests: "test/unit/drop/groups.test.ts",
    breaks: "Three people are called, hold for three, and lose all of it when they order.",
    edits: [edit("src/drop/orders.ts", "limitOf(plan, sitting === undefined ? 1 : peopleOf(sitting))", "limitOf(plan, 1)")],
  },
  {
    name: "a member takes the group's place along", unitTests: "test/unit/lobby/redemptions.test.ts",
    breaks: "Whoever lent a code to a friend is taken for the owner of the place, and the other way round.",
    edits: [edit("src/lobby/address-codes.ts", "isHere && isMember === (proof.memberMac !== undefined)", "isHere")],
  },
  {
    name: "a place in a group is left while the join is on its way", unitTests: "test/unit/lobby/redemptions.test.ts",
    breaks: "One address counts for a group and has a place of its own.",
    edits: [edit("src/lobby/address-codes.ts", "place.memberSince + GROUP_LEFT_AFTER_MS <= now", "place.memberSince <= now")],
  },
  {
    name: "a group is exchanged after it joined", unitTests: "test/unit/lobby/persons.test.ts",
    breaks: "One place is lent from group to group, and every address that stood in it once is bound for good.",
    edits: [edit("src/lobby/tickets.ts", "command.members !== undefined && !sameMembers(", "command.members === null && !sameMembers(")],
  },
  {
    name: "addresses are bound before all of them are proven", unitTests: "test/unit/storefront/api/groups.test.ts",
    breaks: "One mistyped code leaves a whole group tied to a place that nobody has.",
    edits: [edit("src/storefront/api/proven-addresses.ts", "provePlace(ports, drop, { ...code, isTrial: true })", "provePlace(ports, drop, code)")],
  },
  {
    name: "a group is bound only as far as nothing else is used up", unitTests: "test/unit/storefront/api/groups.test.ts",
    breaks: "Friends who join with the code of a pop-up keep a place of their own each beside the group's.",
    edits: [edit("src/storefront/api/joining.ts", "for (const useUp of uses) {", "for (const useUp of uses.slice(-1)) {")],
  },
  {
    name: "a place in a group that is given again is as old as before", unitTests: "test/unit/lobby/redemptions.test.ts",
    breaks: "Whoever was put into a group ten minutes ago leaves it while the next join of it is on its way, and has two places.",
    edits: [edit("src/lobby/address-codes.ts", "...(isMember ? { isRenewed: true } : {})", "...(isMember ? {} : {})")],
  },
  {
    name: "a group is believed to be as large as its row says", unitTests: "test/unit/verifier/verify.test.ts",
    breaks: "A seller writes any number of people into an admission, and whoever checks the record finds nothing.",
    edits: [edit("src/verifier/line.ts", "if (people > most) this", "if (people > most && most < 0) this")],
  },
];
