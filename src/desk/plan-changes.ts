import type { ConfigMistake } from "../config/store-config.ts";
import { mistakeText, storeFromVars } from "../config/store-from-vars.ts";
import { parsed, strictBody } from "../http/strict-body.ts";
import type { FieldError } from "../kernel/problem.ts";
import { refusal } from "./door.ts";
import type { Handler } from "./handler.ts";
import type { DeskPorts } from "./ports.ts";
import { dropSlug, planChangeShape } from "./shapes.ts";

/** The store's table, its regions and a drop, each of which has at most 5 KB. */
const BODY_BYTES_MAX = 256 * 1024;
const ERRORS_MAX = 20;

/**
 * Compares a config with the plan of a running drop, and publishes what differs
 * if the request says so and nothing of it is refused. Sending the same again
 * finds no difference and changes nothing.
 *
 * The config comes as it is written, and is read by the same rules and with the
 * same words as everywhere else: a plan that could not have been published at
 * first cannot be published later.
 */
export function changePlan(ports: DeskPorts, actor: string): Handler {
  return async (context) => {
    const drop = parsed(dropSlug, context.req.param("drop"));
    if (!drop.ok) return refusal({ code: "not_found" }, context.req.raw);
    const body = await strictBody(context.req.raw, planChangeShape, BODY_BYTES_MAX);
    if (!body.ok) return refusal(body.rejection, context.req.raw);
    const store = storeFromVars(body.value.vars, { isLocal: ports.isLocal });
    if (!store.ok) return refusal({ code: "invalid_request", errors: store.rejection.slice(0, ERRORS_MAX).map(fieldError) }, context.req.raw);
    const config = store.value.drops.find(({ slug }) => slug === drop.value);
    if (config === undefined) return refusal({ code: "invalid_request", errors: [{ pointer: "/vars", detail: `has no table of the drop ${drop.value}` }] }, context.req.raw);
    const answer = await ports.drop(drop.value).changePlan(config.source, body.value.publish, actor);
    if (answer === null) return refusal({ code: "not_found" }, context.req.raw);
    const changes = answer.changes.map(({ refusal: reason, ...change }) => ({ ...change, allowed: reason === null, ...(reason === null ? {} : { reason }) }));
    return context.json({ changes, published: answer.published });
  };
}

/** `items[0].priceMinor` of a table is `/vars/DROP_MOTH_TEE/items/0/priceMinor` of the body. */
function fieldError(mistake: ConfigMistake): FieldError {
  const path = mistake.field.replaceAll(/\[(\d+)\]/g, ".$1").split(".").filter((part) => part !== "");
  return { pointer: ["/vars", mistake.table, ...path].join("/"), detail: mistakeText(mistake) };
}
