import { describe, expect, it } from "vitest";
import { liveToWire } from "../../../../src/lobby/live-wire.ts";
import { liveTexts } from "../../../../src/storefront/api/live-text.ts";
import { liveAt, OPENS_AT } from "../../../support/storefront-doubles.ts";

describe("the live object's text", () => {
  it("says what the object says, with the time and the nonce of each reading", () => {
    const textOf = liveTexts();
    const states = [liveAt(OPENS_AT + 1_000), liveAt(OPENS_AT + 2_000, { available: 0, nextStageAt: null, seed: null })];
    for (const sentAt of [OPENS_AT + 2_000, OPENS_AT + 2_345]) {
      for (const live of states) expect(JSON.parse(textOf(live, sentAt, `nonce "${sentAt}"`))).toEqual({ ...liveToWire(live, sentAt), dpopNonce: `nonce "${sentAt}"` });
    }
  });
});
