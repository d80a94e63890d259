import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { MOVED_SCENARIOS, readTheRest } from "../support/state-scenarios.ts";
import { StateWatch } from "../support/state-watch.ts";
import { beginClock, endClock, stage, withholdWebhooks } from "./whole-stage.ts";

/*
 * The scenarios of the table of states that need days: all Workers in one
 * isolate, and the clock that they share moved by hand. The others play against
 * the served product in test/http/states.test.ts.
 */

beforeAll(beginClock);
afterAll(endClock);
beforeEach(withholdWebhooks);

describe("a step between two states that takes minutes or days is seen from outside", () => {
  for (const { title, drop, shows, play } of MOVED_SCENARIOS) {
    test(title, async () => {
      const watch = new StateWatch(stage);
      const orders = await play(watch, drop, stage);
      await readTheRest(watch, drop, orders);
      expect([...watch.steps]).toEqual(expect.arrayContaining([...shows]));
    });
  }
});
