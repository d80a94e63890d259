import { renderSVG } from "uqr";
import type { Plan } from "../drop/plan.ts";
import { mintPresence, PRESENCE_LIFETIME_MS, PRESENCE_STEP_MS, presenceShownAt } from "../gate/presence.ts";
import { parsed } from "../http/strict-body.ts";
import { instantToWire } from "../kernel/time.ts";
import { refusal } from "./door.ts";
import { type Handler } from "./handler.ts";
import type { DeskPorts } from "./ports.ts";
import { dropSlug, presenceQuery, regionSlug } from "./shapes.ts";

/**
 * The code that the pop-up of a region shows now, with its picture and the
 * moment in which the next one is due. Asked twice in one half minute it is the
 * same code, used up as one: a second screen does not double it.
 */
export function currentPresence(ports: DeskPorts): Handler {
  return async (context) => {
    const drop = parsed(dropSlug, context.req.param("drop"));
    const region = parsed(regionSlug, context.req.param("region"));
    const snapshot = drop.ok && region.ok ? await ports.drop(drop.value).snapshot([]) : null;
    if (!drop.ok || !region.ok || snapshot === null || !hasPresenceLane(snapshot.plan, region.value)) return refusal({ code: "not_found" }, context.req.raw);
    const query = parsed(presenceQuery, Object.fromEntries(new URL(context.req.url).searchParams));
    if (!query.ok) return refusal(query.rejection, context.req.raw);
    if (ports.couponKey === null) return refusal({ code: "temporarily_unavailable", retryAfterSeconds: 60 }, context.req.raw);
    const now = ports.now();
    const shownAt = presenceShownAt(now);
    const { tickets } = query.value;
    const token = await mintPresence({ drop: drop.value, region: region.value, shownAt, tickets }, ports.couponKey);
    const url = `${new URL(context.req.url).origin}/q/${token}`;
    return context.json({
      drop: drop.value, title: snapshot.plan.title, region: region.value, tickets, token, url,
      // Low correction keeps the modules large: it is shown on a clean screen and read from an arm's length.
      svg: renderSVG(url, { ecc: "L", border: 2 }),
      now: instantToWire(now), nextAt: instantToWire(shownAt + PRESENCE_STEP_MS), expiresAt: instantToWire(shownAt + PRESENCE_LIFETIME_MS),
    });
  };
}

/** Whether being in the region counts for anything in this drop: a code that opens nothing would only disappoint. */
function hasPresenceLane(plan: Plan, region: string): boolean {
  return plan.lanes.some(({ evidence }) => evidence.kind === "presence" && evidence.region === region);
}
