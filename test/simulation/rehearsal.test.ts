import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Agenda } from "../../src/rehearsal/agenda.ts";
import { WanderingClock } from "../../src/rehearsal/clock.ts";
import { FaultPlan } from "../../src/rehearsal/faults.ts";
import { seededRandom } from "../../src/rehearsal/random.ts";

describe("the random source of a rehearsal", () => {
  test("gives the same values for the same seed, and others for the next seed", () => {
    const draw = (seed: number) => Array.from({ length: 20 }, ((random) => () => random.integer(0, 1_000_000))(seededRandom(seed)));
    expect(draw(7)).toEqual(draw(7));
    expect(draw(7)).not.toEqual(draw(8));
    expect(draw(0)[0]).not.toBe(draw(1)[0]);
  });

  test("stays the same in one branch whatever is drawn in another or before it", () => {
    const untouched = seededRandom(3).branch("faults").integer(0, 1e9);
    const random = seededRandom(3);
    random.bytes(100);
    random.branch("crowd").fraction();
    expect(random.branch("faults").integer(0, 1e9)).toBe(untouched);
    expect(random.branch("crowd").integer(0, 1e9)).not.toBe(untouched);
  });

  test("keeps to its ranges and reaches both ends", () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 0xffff_ffff }), fc.integer({ min: -5, max: 5 }), fc.nat(4), (seed, min, span) => {
      const random = seededRandom(seed);
      const values = new Set(Array.from({ length: 200 }, () => random.integer(min, min + span)));
      expect([...values].toSorted((a, b) => a - b)).toEqual(Array.from({ length: span + 1 }, (_, index) => min + index));
    }), { numRuns: 50 });
  });

  test("draws evenly: each of ten values comes about a tenth of the time", () => {
    const random = seededRandom(11);
    const counts = new Map<number, number>();
    for (let index = 0; index < 100_000; index++) {
      const value = random.integer(0, 9);
      counts.set(value, (counts.get(value) ?? 0) + 1);
    }
    expect(counts.size).toBe(10);
    for (const count of counts.values()) expect(Math.abs(count - 10_000)).toBeLessThan(500);
  });
});

describe("the agenda of a rehearsal", () => {
  test("runs everything by time, and what is due at once in the order in which it was arranged", () => {
    fc.assert(fc.property(fc.array(fc.nat(20)), (delays) => {
      const agenda = new Agenda(100);
      delays.forEach((delay, index) => agenda.after(delay, String(index), () => undefined));
      const seen: { at: number; label: number }[] = [];
      for (let next = agenda.next(); next !== null; next = agenda.next()) seen.push({ at: next.at, label: Number(next.label) });
      const expected = delays.map((delay, label) => ({ at: 100 + delay, label })).toSorted((a, b) => a.at - b.at || a.label - b.label);
      expect(seen).toEqual(expected);
    }));
  });

  test("never goes back: what is arranged for the past is due now", () => {
    const agenda = new Agenda(100);
    agenda.arrange(200, "later", () => undefined);
    agenda.next();
    agenda.arrange(50, "past", () => undefined);
    expect([agenda.next()?.at, agenda.now, agenda.nextAt]).toEqual([200, 200, null]);
  });
});

describe("a fault plan", () => {
  test("counts every strike and strikes no more once it is healed, without moving what is drawn afterwards", () => {
    const plan = new FaultPlan({ always: 1, never: 0 }, seededRandom(1));
    expect([plan.strikes("always"), plan.strikes("never"), plan.struck("always"), plan.struck("never")]).toEqual([true, false, 1, 0]);
    plan.heal();
    expect([plan.strikes("always"), plan.struck("always"), plan.isHealed]).toEqual([false, 1, true]);
    const [whole, healed] = [seededRandom(9), seededRandom(9)];
    const sick = new FaultPlan({ fault: 0.5 }, whole);
    const well = new FaultPlan({ fault: 0.5 }, healed);
    well.heal();
    const outcomes = Array.from({ length: 10 }, () => [sick.strikes("fault"), well.strikes("fault")]);
    expect(outcomes.some(([isSick]) => isSick)).toBe(true);
    expect(outcomes.some(([, isWell]) => isWell)).toBe(false);
    expect(healed.fraction()).toBe(whole.fraction());
  });
});

describe("a wandering clock", () => {
  test("shows true time and its own error", () => {
    let time = 1_000;
    const clock = new WanderingClock(() => time);
    clock.setError(-300);
    time = 1_100;
    expect(clock.now()).toBe(800);
    clock.setError(0);
    expect(clock.now()).toBe(1_100);
  });
});
