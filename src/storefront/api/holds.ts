import type { Context } from "hono";
import * as v from "valibot";
import { HoldId } from "../../../schema/wire/ids.ts";
import { HoldRequest, type HoldAnswer } from "../../../schema/wire/hold.ts";
import type { HoldView, Line } from "../../drop/port.ts";
import { askedTooOften } from "../../drop/entry-budget.ts";
import type { AttemptBudget } from "../../kernel/attempt-budget.ts";
import type { FieldError, Problem } from "../../kernel/problem.ts";
import { accepted, rejected, type Result } from "../../kernel/result.ts";
import { instantToWire } from "../../kernel/time.ts";
import type { PassClaims } from "../credentials.ts";
import type { ApiPorts } from "../ports.ts";
import { announcedDrop } from "./announced-drop.ts";
import { answer, refusal } from "./answers.ts";
import { portProblem } from "./refusals.ts";
import { credentialRefusal, passOf } from "./request-credentials.ts";
import type { Handler } from "./resource.ts";
import { invalidMembers, strictBody } from "../../http/strict-body.ts";

/** Holds units for a sitting. Only the Drop object decides; here the request is only read. */
export function putHold(ports: ApiPorts, asks: AttemptBudget): Handler {
  return async (context) => {
    const addressed = await addressedHold(ports, asks, context);
    if (!addressed.ok) return addressed.rejection;
    const { drop, id, pass } = addressed.value;
    const body = await strictBody(context.req.raw, HoldRequest);
    if (!body.ok) return refusal(body.rejection, context);
    const { lines, replaces } = body.value;
    const held = await holdUnits(ports, { drop, id, pass, lines, replaces: replaces ?? null, network: ports.visitor(context.req.raw).network });
    return held.ok ? answer(holdToWire(held.value), 201) : refusal(held.rejection, context);
  };
}

/** What is to be held, by which pass, and from which network as the platform names it. */
interface HoldAsked extends AddressedHold {
  readonly lines: readonly Line[];
  readonly replaces: string | null;
  readonly network: string;
}

/** Holds for a pass that was proven, however it was. */
export async function holdUnits(ports: ApiPorts, { drop, id, pass, lines, replaces, network }: HoldAsked): Promise<Result<HoldView, Problem>> {
  const mistakes = repeatedSkus(lines);
  if (replaces === id) mistakes.push({ pointer: "/replaces", detail: "A hold cannot replace itself." });
  if (mistakes.length > 0) return rejected(invalidMembers(...mistakes));
  const { sitting, entry } = pass;
  const held = await ports.drop(drop).hold({ id, sitting, entry, lines, replaces, network: ports.credentials.networkOf(network) });
  return held.ok ? held : rejected(portProblem(held.rejection, ports.now()));
}

interface AddressedHold {
  readonly drop: string;
  readonly id: string;
  readonly pass: PassClaims;
}

/** The hold that a path names and the pass that comes with it, or the refusal; also for whoever asks the drop again and again. */
async function addressedHold(ports: ApiPorts, asks: AttemptBudget, context: Context): Promise<Result<AddressedHold, Response>> {
  const drop = await announcedDrop(ports, context.req.param("drop"));
  const id = context.req.param("hold") ?? "";
  if (drop === null || !v.is(HoldId, id)) return rejected(refusal({ code: "not_found" }, context));
  const pass = await passOf(ports, context.req.raw, drop.plan.drop);
  if (!pass.ok) return rejected(credentialRefusal(ports, context, pass.rejection));
  const tooOften = askedTooOften(asks, pass.value.entry, ports.now());
  if (tooOften !== null) return rejected(refusal(portProblem(tooOften, ports.now()), context));
  return accepted({ drop: drop.plan.drop, id, pass: pass.value });
}

/** The same sku in two lines is a mistake of whoever wrote it: which of the two was meant is not ours to guess. */
function repeatedSkus(lines: readonly Line[]): FieldError[] {
  const first = new Map(lines.toReversed().map(({ sku }, fromEnd) => [sku, lines.length - 1 - fromEnd]));
  return [...lines.entries()].filter(([index, { sku }]) => first.get(sku) !== index).map(([index]) => ({ pointer: `/lines/${index}/sku`, detail: "Each item is named once." }));
}

export function showHold(ports: ApiPorts, asks: AttemptBudget): Handler {
  return async (context) => {
    const addressed = await addressedHold(ports, asks, context);
    if (!addressed.ok) return addressed.rejection;
    const { drop, id, pass } = addressed.value;
    const hold = await ports.drop(drop).holdState(id, pass.entry);
    return hold === null ? refusal({ code: "not_found" }, context) : answer(holdToWire(hold));
  };
}

export function abandonHold(ports: ApiPorts, asks: AttemptBudget): Handler {
  return async (context) => {
    const addressed = await addressedHold(ports, asks, context);
    if (!addressed.ok) return addressed.rejection;
    const { drop, id, pass } = addressed.value;
    const abandoned = await ports.drop(drop).abandon(id, pass.entry);
    return abandoned.ok ? answer(holdToWire(abandoned.value)) : refusal(portProblem(abandoned.rejection, ports.now()), context);
  };
}

function holdToWire({ id, state, lines, totalMinor, currency, expiresAt }: HoldView): HoldAnswer {
  return {
    id,
    state,
    lines: lines.map(({ sku, quantity, unitPriceMinor, totalMinor: lineTotalMinor }) => ({ sku, quantity, unitPriceMinor, totalMinor: lineTotalMinor })),
    totalMinor,
    currency,
    expiresAt: instantToWire(expiresAt),
  };
}
