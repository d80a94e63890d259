import type { NightFacts, RecordRow, ShopperFact } from "../../src/rehearsal/facts.ts";

export const OPENS_AT = 1_000_000;

/** A night in which everybody who came bought one unit: so many people, and so many bots. */
export function night(people: number, bots: number, changes: Partial<NightFacts> = {}): NightFacts {
  const shoppers = [...Array(people + bots).keys()].map((index): ShopperFact => ({
    class: index < people ? "people" : "bots", way: "script", intent: "buys", identity: `who-${index}`, entry: `entry-${index}`, lane: "open", wants: [{ sku: "A", quantity: 1 }],
    joinedAt: OPENS_AT - 1_000 + index, rank: `0${String((index * 7_919) % 1_009).padStart(6, "0")}`, calledAt: OPENS_AT + 1, admittedAt: OPENS_AT + 100, refused: null, isMoved: false, refs: [`ref-${index}`], end: "bought",
  }));
  const rows = shoppers.flatMap(({ entry }, index): RecordRow[] => ["admit", "hold", "place", "sell"].map((kind, step) => ({
    seq: index * 4 + step + 1, kind, at: OPENS_AT + index, sku: kind === "admit" ? "" : "A", quantity: kind === "admit" ? 0 : 1, subject: entry ?? "", ref: kind === "admit" ? "" : `ref-${index}`, lane: "", stage: kind === "hold" ? 1 : 0, upTo: "",
  })));
  const units = people + bots;
  const orders = shoppers.map((_, index) => ({ id: `ord-${index}`, ref: `ref-${index}`, isPaid: true, isConfirmed: true }));
  return {
    terms: {
      seed: 1, gates: "all gates", isEmailProven: true, drop: "night", title: "Night", people, bots, identities: bots, abandonShare: 0, units, shards: 1, lobbyMs: 1_000, realLobbyMs: 1_800_000, realSaleMs: 14_400_000, realStages: [0],
      compression: { speed: 120, stages: [{ sharePercent: 100, afterMs: 0 }], closesAfterMs: 10_000, holdMs: 10_000, claimWindowMs: 3_000, reserveMinMs: 6_000, notes: [] },
    },
    opensAt: OPENS_AT, closesAt: OPENS_AT + 10_000, stages: [{ opensAt: OPENS_AT, units }], stock: [{ sku: "A", units, stages: [{ opensAt: OPENS_AT, units }] }], lanes: [], rows, head: "row 1", shoppers, orders,
    payments: orders.map(({ id }) => ({ order: id, authorisedMinor: 100, capturableMinor: 0, receivedMinor: 100, refundedMinor: 0 })),
    ledger: orders.map(({ id }) => ({ order: id, state: "confirmed", postedMinor: 100, pendingMinor: 0 })),
    routes: [], requestsBySecond: [[OPENS_AT / 1_000, 5]], calls: [{ kind: "DropObject", object: "a", second: OPENS_AT / 1_000, call: "hold", calls: 9 }], faults: [], tried: [], broken: [],
    verifier: { isRight: true, sentence: "Yes.", findings: [] }, remarks: [], tookSeconds: 1,
    ...changes,
  };
}
