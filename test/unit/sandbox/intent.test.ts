import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CARDS } from "../../../src/sandbox/cards.ts";
import { chargeFeeMinor } from "../../../src/sandbox/fees.ts";
import { AUTHORISATION_MS, cancelIntent, capturableMinor, captureIntent, newIntent, nextChangeAt, present, refundableMinor, refundIntent, ripenIntent } from "../../../src/sandbox/intent.ts";
import type { Intent } from "../../../src/sandbox/records.ts";

const AMOUNT = 9_650;

const command = fc.oneof(
  fc.record({ kind: fc.constant("present" as const), card: fc.constantFrom(...CARDS) }),
  fc.record({ kind: fc.constant("capture" as const), amountMinor: fc.option(fc.integer({ min: 0, max: AMOUNT + 1 })), isFinal: fc.boolean() }),
  fc.record({ kind: fc.constant("cancel" as const) }),
  fc.record({ kind: fc.constant("refund" as const), amountMinor: fc.option(fc.integer({ min: 0, max: AMOUNT + 1 })) }),
  fc.record({ kind: fc.constant("wait" as const), ms: fc.constantFrom(1, 5_000, AUTHORISATION_MS - 1, AUTHORISATION_MS) }),
);

type Command = typeof command extends fc.Arbitrary<infer Value> ? Value : never;

/** The intent after a command that comes at `now`; a refusal changes nothing. */
function after(intent: Intent, one: Command, now: number): Intent {
  switch (one.kind) {
    case "present":
      return intent.status === "requires_payment_method" ? present(intent, { brand: one.card.brand, last4: "0000" }, one.card.verdict, now).intent : intent;
    case "capture": {
      const captured = captureIntent(intent, one, now);
      return captured.ok ? captured.value.intent : intent;
    }
    case "cancel": {
      const canceled = cancelIntent(intent, null, now);
      return canceled.ok ? canceled.value : intent;
    }
    case "refund": {
      const refunded = refundIntent(intent, one.amountMinor);
      return refunded.ok ? refunded.value.intent : intent;
    }
    case "wait":
      return intent;
  }
}

describe("a payment intent", () => {
  test("whatever happens to it in whatever order, never captures more than was authorised nor gives back more than was captured, and what is over stays over", () => {
    const reached = new Set<string>();
    fc.assert(fc.property(fc.constantFrom("manual" as const, "automatic" as const), fc.boolean(), fc.array(command, { maxLength: 12 }), (captureMethod, isMulticapture, commands) => {
      let now = 1_000_000;
      let intent = newIntent({
        id: "pi_1", now, amountMinor: AMOUNT, currency: "eur", session: null, customer: null,
        terms: { captureMethod, isMulticapture: isMulticapture && captureMethod === "manual", description: null, metadata: {}, receiptEmail: null, statementDescriptor: null, transferGroup: null },
      });
      for (const one of commands) {
        if (one.kind === "wait") now += one.ms;
        const before = intent;
        for (let ripe = ripenIntent(intent, now); ripe !== null; ripe = ripenIntent(intent, now)) intent = ripe.intent;
        intent = after(intent, one, now);
        reached.add(intent.status);
        expect(intent.capturedMinor).toBeLessThanOrEqual(intent.authorisedAt === null ? 0 : AMOUNT);
        expect(intent.capturedMinor).toBeGreaterThanOrEqual(before.capturedMinor);
        expect(refundableMinor(intent)).toBeGreaterThanOrEqual(0);
        expect(intent.capturedMinor + capturableMinor(intent)).toBeLessThanOrEqual(AMOUNT);
        expect(nextChangeAt(intent) ?? Number.POSITIVE_INFINITY).toBeGreaterThan(now);
        if (before.status === "canceled") expect(intent).toEqual(before);
        if (before.status === "succeeded") expect([intent.status, intent.capturedMinor]).toEqual(["succeeded", before.capturedMinor]);
        if (intent.status === "canceled") expect(intent.capturedMinor).toBe(0);
      }
    }), { numRuns: 2_000 });
    expect([...reached].toSorted()).toEqual(["canceled", "processing", "requires_capture", "requires_payment_method", "succeeded"]);
  });
});

describe("the fee of a charge", () => {
  test("is 1.5 per cent rounded half up and a fixed part by the currency's decimals, and never more than the charge", () => {
    expect([chargeFeeMinor(9_650, "eur"), chargeFeeMinor(10_000, "eur"), chargeFeeMinor(10, "eur"), chargeFeeMinor(10_000, "jpy"), chargeFeeMinor(10_000, "kwd")]).toEqual([170, 175, 10, 180, 400]);
    fc.assert(fc.property(fc.integer({ min: 0, max: 99_999_999 }), (amount) => {
      const fee = chargeFeeMinor(amount, "eur");
      expect(Number.isSafeInteger(fee) && fee >= 0 && fee <= amount).toBe(true);
    }));
  });
});
