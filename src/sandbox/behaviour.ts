import * as v from "valibot";
import { DECLINE_NAMES } from "./cards.ts";

/*
 * How hostile the provider is. The default is friendly. Random choices are
 * drawn from a generator whose state is kept with the behaviour: the same seed
 * and the same requests in the same order fail in the same places.
 */

export const CHANGING_OPERATIONS = [
  "sessions.create", "sessions.expire", "intents.create", "intents.confirm", "intents.capture", "intents.cancel",
  "refunds.create", "customers.create", "transfers.create", "payouts.create", "disputes.close",
] as const;

const milliseconds = v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.maxValue(600_000));
const rangeSchema = v.pipe(
  v.strictObject({ min: v.optional(milliseconds, 0), max: v.optional(milliseconds, 0) }),
  v.check((range) => range.min <= range.max, "min is not more than max"),
);
const next = v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.maxValue(1_000_000)), 0);
const rate = v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(1)), 0);
const on = v.optional(v.array(v.picklist(CHANGING_OPERATIONS)), [...CHANGING_OPERATIONS]);
const faultSchema = v.strictObject({ next, rate, on });

/**
 * The body of `PUT /sandbox/behaviour`. What is left out is friendly. `next`
 * counts down as it is used; `rate` is a probability; `on` names the
 * operations that are meant, all that change something when left out.
 */
export const behaviourSchema = v.strictObject({
  seed: v.optional(v.nullable(v.pipe(v.string(), v.maxLength(200))), null),
  declines: v.optional(v.strictObject({ next, rate, reason: v.optional(v.picklist(DECLINE_NAMES), "generic_decline") }), {}),
  delayMs: v.optional(rangeSchema, {}),
  timeoutAfterCharging: v.optional(v.strictObject({ next, rate, on, hangMs: v.optional(milliseconds, 60_000) }), {}),
  errorAfterCharging: v.optional(faultSchema, {}),
  errorBeforeCharging: v.optional(faultSchema, {}),
  webhooks: v.optional(v.strictObject({
    duplicate: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.maxValue(100)), 0),
    reorder: v.optional(v.boolean(), false),
    withhold: v.optional(v.boolean(), false),
    delayMs: v.optional(rangeSchema, {}),
  }), {}),
  /** What siteverify answers: the truth, an error, nothing, a page, or a yes for somewhere or something else. */
  turnstile: v.optional(v.strictObject({ mode: v.optional(v.picklist(["right", "error", "timeout", "html", "other-host", "other-action"]), "right") }), {}),
  /** Mails that are accepted and do not arrive, and requests that fail. */
  mail: v.optional(v.strictObject({ withhold: v.optional(v.boolean(), false), fail: v.optional(v.strictObject({ next, rate }), {}) }), {}),
});

export type Behaviour = v.InferOutput<typeof behaviourSchema>;

export const FRIENDLY: Behaviour = v.parse(behaviourSchema, {});

/** A number from 0 up to, but not including, 1. */
export type Random = () => number;

/** The state of a generator that starts with `seed`: the same text gives the same draws. */
export function stateFromSeed(seed: string): number {
  let state = 2_166_136_261;
  for (let index = 0; index < seed.length; index++) state = Math.imul(state ^ seed.charCodeAt(index), 16_777_619);
  return state >>> 0;
}

/** A generator of 32 bits of state (mulberry32): small enough to be stored with every draw. */
export function seededRandom(state: number): { readonly random: Random; readonly state: () => number } {
  let current = state;
  return {
    random: () => {
      current = (current + 0x6d2b79f5) >>> 0;
      let mixed = Math.imul(current ^ (current >>> 15), current | 1);
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
    },
    state: () => current,
  };
}

export interface Fate {
  /** The request waits this long before its work and `afterMs` after it: a client that gives up may have been heard or not. */
  readonly beforeMs: number;
  readonly afterMs: number;
  readonly ending: "answer" | "error-before" | "error-after" | "hang";
  readonly hangMs: number;
}

interface Fault {
  readonly next: number;
  readonly rate: number;
}

/** Whether a fault strikes now, and the fault as it is left. Draws only where chance decides. */
function strikes<Kind extends Fault>(fault: Kind, random: Random): { readonly hit: boolean; readonly left: Kind } {
  if (fault.next > 0) return { hit: true, left: { ...fault, next: fault.next - 1 } };
  return { hit: fault.rate >= 1 || (fault.rate > 0 && random() < fault.rate), left: fault };
}

export function drawBetween(range: { readonly min: number; readonly max: number }, random: Random): number {
  return range.min === range.max ? range.min : range.min + Math.floor(random() * (range.max - range.min + 1));
}

/** How one API request will go, and the behaviour that is left for the next. Reading is only ever slow. */
export function decideFate(behaviour: Behaviour, operation: string, random: Random): { readonly fate: Fate; readonly left: Behaviour } {
  const delayMs = drawBetween(behaviour.delayMs, random);
  const beforeMs = Math.floor(delayMs / 2);
  const fate: Fate = { beforeMs, afterMs: delayMs - beforeMs, ending: "answer", hangMs: 0 };
  const meant = (fault: { readonly on: readonly string[] }): boolean => fault.on.includes(operation);
  if (meant(behaviour.errorBeforeCharging)) {
    const { hit, left } = strikes(behaviour.errorBeforeCharging, random);
    if (hit) return { fate: { ...fate, ending: "error-before" }, left: { ...behaviour, errorBeforeCharging: left } };
  }
  if (meant(behaviour.errorAfterCharging)) {
    const { hit, left } = strikes(behaviour.errorAfterCharging, random);
    if (hit) return { fate: { ...fate, ending: "error-after" }, left: { ...behaviour, errorAfterCharging: left } };
  }
  if (meant(behaviour.timeoutAfterCharging)) {
    const { hit, left } = strikes(behaviour.timeoutAfterCharging, random);
    if (hit) return { fate: { ...fate, ending: "hang", hangMs: left.hangMs }, left: { ...behaviour, timeoutAfterCharging: left } };
  }
  return { fate, left: behaviour };
}

/** Whether a card that would be approved is declined all the same. */
export function decideDecline(behaviour: Behaviour, random: Random): { readonly declined: boolean; readonly left: Behaviour } {
  const { hit, left } = strikes(behaviour.declines, random);
  return { declined: hit, left: hit ? { ...behaviour, declines: left } : behaviour };
}

/** Whether a request to send a mail fails. */
export function decideMail(behaviour: Behaviour, random: Random): { readonly fails: boolean; readonly left: Behaviour } {
  const { hit, left } = strikes(behaviour.mail.fail, random);
  return { fails: hit, left: hit ? { ...behaviour, mail: { ...behaviour.mail, fail: left } } : behaviour };
}

/** When each of `count` events of one action is sent, once or more often, in milliseconds from now. */
export function planDeliveries(webhooks: Behaviour["webhooks"], count: number, random: Random): readonly (readonly number[])[] {
  const plan: number[][] = [];
  for (let index = 0; index < count; index++) {
    const times: number[] = [];
    for (let copy = 0; copy <= webhooks.duplicate; copy++) {
      // Reordered: the last event of an action goes first, and actions mix within a second.
      const shift = webhooks.reorder ? (count - 1 - index) * REORDER_STEP_MS + Math.floor(random() * REORDER_STEP_MS) : 0;
      times.push(drawBetween(webhooks.delayMs, random) + shift);
    }
    plan.push(times);
  }
  return plan;
}

const REORDER_STEP_MS = 250;
