import type { DropAnswer, DropsAnswer } from "../../../schema/wire/drop.ts";
import { groupMaxOf } from "../../drop/groups.ts";
import type { Plan } from "../../drop/plan.ts";
import { instantToWire } from "../../kernel/time.ts";
import type { ApiPorts } from "../ports.ts";
import { announcedDrop, type AnnouncedDrop } from "./announced-drop.ts";
import { answer, refusal } from "./answers.ts";
import { refuseForeignOrigin } from "./origin.ts";
import type { Handler } from "./resource.ts";

/** Every drop that the public may know of, the next one first. */
export function listDrops(ports: ApiPorts): Handler {
  return async () => {
    const lives = await Promise.all(ports.store.drops.map((drop) => ports.live(drop.slug)));
    const announced = lives.filter((live) => live !== null && ports.now() >= live.plan.announceAt).filter((live) => live !== null);
    const body: DropsAnswer = {
      drops: announced
        .toSorted((a, b) => a.plan.opensAt - b.plan.opensAt)
        .map(({ plan, planHash, live }) => ({
          drop: plan.drop,
          title: plan.title,
          phase: live.phase,
          lobbyOpensAt: instantToWire(plan.lobbyOpensAt),
          opensAt: instantToWire(plan.opensAt),
          closesAt: instantToWire(plan.closesAt),
          planHash,
        })),
    };
    return answer(body);
  };
}

export function showDrop(ports: ApiPorts): Handler {
  return async (context) => {
    const drop = await announcedDrop(ports, context.req.param("drop"));
    return drop === null ? refusal({ code: "not_found" }, context) : answer(dropToWire(ports, drop));
  };
}

function dropToWire(ports: ApiPorts, { config, plan, planHash }: AnnouncedDrop): DropAnswer {
  return {
    drop: plan.drop,
    title: plan.title,
    story: config.story,
    currency: plan.currency,
    announceAt: instantToWire(plan.announceAt),
    lobbyOpensAt: instantToWire(plan.lobbyOpensAt),
    opensAt: instantToWire(plan.opensAt),
    closesAt: instantToWire(plan.closesAt),
    items: plan.items.map(({ sku, title, priceMinor }) => ({ sku, title, priceMinor, currency: plan.currency })),
    stages: stagesOf(plan),
    limitPerPerson: plan.limitPerPerson,
    ...(groupMaxOf(plan) === 1 ? {} : { groupMax: groupMaxOf(plan) }),
    shards: plan.shards,
    regions: ports.store.regions.map(({ slug, label, country }) => ({ region: slug, label, country })),
    planHash,
    commitment: plan.commitment,
  };
}

/** The release over everything that is counted: one row for each moment at which units are added. */
function stagesOf(plan: Plan): DropAnswer["stages"] {
  const unitsByOpening = new Map<number, number>();
  for (const { opensAt, units } of plan.stock.flatMap((unit) => unit.stages)) unitsByOpening.set(opensAt, (unitsByOpening.get(opensAt) ?? 0) + units);
  return [...unitsByOpening].toSorted(([a], [b]) => a - b).map(([opensAt, units], index) => ({ stage: index + 1, opensAt: instantToWire(opensAt), units }));
}

/** The live object by WebSocket, from a lobby shard. A page of another site must not be the one that listens. */
export function openSocket(ports: ApiPorts): Handler {
  return async (context) => {
    const drop = await announcedDrop(ports, context.req.param("drop"));
    if (drop === null) return refusal({ code: "not_found" }, context);
    if (context.req.header("upgrade")?.toLowerCase() !== "websocket") return refusal({ code: "malformed_request" }, context, { upgrade: "websocket" });
    const foreign = refuseForeignOrigin(context.req.raw);
    return foreign === null ? ports.socket(drop.config.slug, context.req.raw) : refusal(foreign, context);
  };
}
