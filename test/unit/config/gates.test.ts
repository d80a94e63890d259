import { describe, expect, it } from "vitest";
import { storeFromVars } from "../../../src/config/store-from-vars.ts";
import type { ConfigMistake } from "../../../src/config/store-config.ts";
import { NO_GATES, USUAL_BUDGETS } from "../../../src/drop/plan.ts";
import { secretMistakes, storefrontSecrets } from "../../../src/storefront/secrets.ts";
import { rightVars } from "./store.ts";

const SITE_KEY = "0x4AAAAAAADnPIDROrmt1Wwj";

function parsed(drop: Readonly<Record<string, unknown>>, isLocal = false) {
  const vars = rightVars();
  Object.assign(vars.DROP_MOTH_TEE, drop);
  return storeFromVars({ MAIL_FROM: "Nightjar <codes@nightjar.example>", ...vars }, { isLocal });
}

function mistakesOf(drop: Readonly<Record<string, unknown>>, isLocal = false): readonly ConfigMistake[] {
  const store = parsed(drop, isLocal);
  return store.ok ? [] : store.rejection;
}

describe("gates and budgets", () => {
  it("are in the plan as they are written, and nothing is asked where nothing is written", () => {
    const full = parsed({ gates: { work: 20_000, turnstile: SITE_KEY, email: true }, budgets: { joins: 50, holds: 5 } });
    expect(full.ok && full.value.drops[0]?.source).toMatchObject({ gates: { work: { cost: 20_000 }, turnstile: { siteKey: SITE_KEY }, email: true }, budgets: { joinsPerMinute: 50, unpaidHolds: 5 } });
    const part = parsed({ gates: { work: 1_000 }, budgets: { holds: 7 } });
    expect(part.ok && part.value.drops[0]?.source).toMatchObject({ gates: { ...NO_GATES, work: { cost: 1_000 } }, budgets: { ...USUAL_BUDGETS, unpaidHolds: 7 } });
    const none = parsed({});
    expect(none.ok && none.value.drops[0]?.source).toMatchObject({ gates: NO_GATES, budgets: USUAL_BUDGETS });
  });

  it.each([
    ["more work than a slow phone does in time", { gates: { work: 500_001 } }, "gates.work"],
    ["work that is no price", { gates: { work: 999 } }, "gates.work"],
    ["half a round", { gates: { work: 1_000.5 } }, "gates.work"],
    ["a site key that is none", { gates: { turnstile: "yes" } }, "gates.turnstile"],
    ["e-mail as text", { gates: { email: "yes" } }, "gates.email"],
    ["a gate that there is not", { gates: { captcha: true } }, "gates.captcha"],
    ["no joins", { budgets: { joins: 0 } }, "budgets.joins"],
    ["holds without end", { budgets: { holds: 100_001 } }, "budgets.holds"],
    ["gates as a number", { gates: 7 }, "gates"],
  ])("with %s are refused with the field's name", (_what, drop, field) => {
    expect(mistakesOf(drop).map((mistake) => mistake.field)).toEqual([field]);
  });

  it("take a site key for tests on a laptop alone", () => {
    const drop = { gates: { turnstile: "1x00000000000000000000AA" } };
    expect(mistakesOf(drop, true)).toEqual([]);
    expect(mistakesOf(drop)).toMatchObject([{ table: "DROP_MOTH_TEE", field: "gates.turnstile" }]);
  });
});

it("a secret for tests is a mistake wherever the store is deployed", () => {
  const testing = storefrontSecrets({ TURNSTILE_SECRET: "1x0000000000000000000000000000000AA" });
  expect(secretMistakes(testing, false)).toMatchObject([{ table: "TURNSTILE_SECRET" }]);
  expect(secretMistakes(testing, true)).toEqual([]);
  expect(secretMistakes(storefrontSecrets({ TURNSTILE_SECRET: "0x4AAAAAAADnPIDROzLHI0LrI2xWxK2aTR4" }), false)).toEqual([]);
  for (const missing of [undefined, "", "  "]) expect(storefrontSecrets({ TURNSTILE_SECRET: missing }).turnstileSecret).toBeNull();
});
