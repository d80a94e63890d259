import * as v from "valibot";
import type { GateTerms, NetworkBudgets } from "../drop/plan.ts";
import { NO_GATES, USUAL_BUDGETS } from "../drop/plan.ts";
import { isTestingKey } from "../gate/turnstile.ts";
import { WORK_COST_MAX, WORK_COST_MIN } from "../gate/work.ts";
import { table, wholeNumber } from "./fields.ts";

const WORK_EXPLANATION = `This must be a whole number from ${WORK_COST_MIN} to ${WORK_COST_MAX}: the hash rounds that a browser does before it may join, on average. A slow phone does some 300000 in a second.`;
const SITE_KEY_EXPLANATION = "This must be the widget's site key from Cloudflare's dashboard, such as 0x4AAAAAAA….";
const JOINS_EXPLANATION = "This must be a whole number from 1 to 1000000: how often people of one network may join in a minute.";
const HOLDS_EXPLANATION = "This must be a whole number from 1 to 100000: how many unpaid holds one network may have.";

/** `gates = { work = 20000, turnstile = "0x4AAA…", email = true }`: what a join has to show; what is left out is not asked. */
export function gateFields(isLocal: boolean) {
  return v.pipe(
    table({
      work: v.optional(wholeNumber(WORK_COST_MIN, WORK_COST_MAX, WORK_EXPLANATION)),
      turnstile: v.optional(v.pipe(
        v.string(SITE_KEY_EXPLANATION),
        v.regex(/^\dx[A-Za-z0-9_-]{16,40}$/, SITE_KEY_EXPLANATION),
        v.check((siteKey) => isLocal || !isTestingKey(siteKey), "This is one of Cloudflare's site keys for tests, which prove nothing. A deployed drop needs a key of your own."),
      )),
      email: v.optional(v.boolean("This must be true or false."), false),
    }),
    v.transform(({ work, turnstile, email }): GateTerms => ({
      work: work === undefined ? NO_GATES.work : { cost: work },
      turnstile: turnstile === undefined ? NO_GATES.turnstile : { siteKey: turnstile },
      email,
    })),
  );
}

/** `budgets = { joins = 600, holds = 60 }`: what one network may do, joins a minute and unpaid holds. */
export const budgetFields = v.pipe(
  table({
    joins: v.optional(wholeNumber(1, 1_000_000, JOINS_EXPLANATION), USUAL_BUDGETS.joinsPerMinute),
    holds: v.optional(wholeNumber(1, 100_000, HOLDS_EXPLANATION), USUAL_BUDGETS.unpaidHolds),
  }),
  v.transform(({ joins, holds }): NetworkBudgets => ({ joinsPerMinute: joins, unpaidHolds: holds })),
);
