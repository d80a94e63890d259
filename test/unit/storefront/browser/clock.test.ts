import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { countdownText, createClock, spanWords } from "../../../../src/storefront/browser/clock.ts";

const SERVER_AT = Date.parse("2026-12-04T17:55:00.000Z");

describe("the server's time in the browser", () => {
  it("does not care how wrong the device's clock is", () => {
    // The monotonic clock of a page starts anywhere; ten minutes either way stand for the device's error.
    for (const start of [0, 600_000, -600_000, 9e9]) {
      let counted = start;
      const clock = createClock(() => counted, SERVER_AT);
      counted += 5_000;
      expect(Math.abs(clock.now() - (SERVER_AT + 5_000))).toBeLessThanOrEqual(1);
    }
  });

  it("is never early and comes within 200 ms as soon as one answer was that fast", () => {
    const delays = fc.array(fc.integer({ min: 0, max: 4_000 }), { minLength: 1, maxLength: 20 });
    fc.assert(fc.property(delays, fc.integer({ min: 0, max: 200 }), fc.integer({ min: -600_000, max: 600_000 }), (slowMs, fastMs, skewMs) => {
      let truth = SERVER_AT;
      const clock = createClock(() => truth + skewMs, truth - 2_000);
      for (const delay of [...slowMs, fastMs]) {
        truth += 1_000;
        clock.sample(truth - delay);
        expect(clock.now()).toBeLessThanOrEqual(truth);
      }
      expect(truth - clock.now()).toBeLessThanOrEqual(200);
    }));
  });

  it("is right again with the first answer after the device slept", () => {
    let counted = 0;
    const clock = createClock(() => counted, SERVER_AT);
    counted += 1_000;
    // An hour passes in which the counting clock stands still.
    clock.sample(SERVER_AT + 3_600_000);
    expect(clock.now()).toBe(SERVER_AT + 3_600_000);
  });

  it("sinks slowly under a counting clock that runs fast, instead of staying early", () => {
    let truth = 0;
    const clock = createClock(() => truth * 1.00005, SERVER_AT);
    for (let minute = 0; minute < 600; minute++) {
      truth += 60_000;
      clock.sample(SERVER_AT + truth - 20);
    }
    expect(clock.now() - (SERVER_AT + truth)).toBeLessThanOrEqual(200);
  });
});

describe("a countdown", () => {
  it("reads zero only when the time has come", () => {
    expect(countdownText(1)).toBe("00:01");
    expect(countdownText(0)).toBe("00:00");
    expect(countdownText(-5_000)).toBe("00:00");
    expect(countdownText(61_000)).toBe("01:01");
    expect(countdownText(3_600_000)).toBe("1:00:00");
    expect(countdownText(49 * 3_600_000 + 1_000)).toBe("2d 01:00:01");
  });

  it("is said in one unit", () => {
    expect(spanWords(1_000)).toBe("1 second");
    expect(spanWords(12 * 60_000)).toBe("12 minutes");
    expect(spanWords(5 * 86_400_000)).toBe("5 days");
  });
});
