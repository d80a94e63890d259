import type { RandomSource } from "../../../src/rehearsal/random.ts";

/** What can go wrong, and how likely it is at each opportunity in an ordinary world. */
export const FAULTS = {
  /** A request never arrives. */
  "request-lost": 0.02,
  /** A request is carried out and nobody hears of it. */
  "reply-lost": 0.03,
  /** A write fails: nothing of it is on the disk, for none of the commands that it was made for. */
  "write-failed": 0.02,
  /** The drop's object ends between its write and telling anyone. */
  "crash-before-publish": 0.02,
  /** The object loses its memory and is rebuilt from what it wrote. */
  eviction: 0.02,
  /** The object's alarm does not ring: only requests and the cron are left. */
  "alarm-never": 0.3,
  /** It rings up to ten minutes late. */
  "alarm-late": 0.2,
  /** It rings a second time. */
  "alarm-twice": 0.2,
  /** The object's clock is put back, by up to three minutes. */
  "clock-step-back": 0.01,
  /** It jumps forward, by as much. */
  "clock-step-forward": 0.01,
  /** Nobody reaches a lobby shard around the opening, and it is drawn without. */
  "shard-lost-at-draw": 0.25,
  /** What a shard tells of its line reaches shard 0 seconds after it was true. */
  "report-late": 0.3,
  /** The outbox finds no queue that takes its messages. */
  "queue-refuses": 0.05,
  /** A queue forgets a message, as local queues do at a restart. */
  "queue-forgets": 0.1,
  /** A queue delivers a message again although it was worked off. */
  "queue-redelivery": 0.15,
  /** Settlement stops before or after a write, and does not know which. */
  "settlement-crash": 0.03,
  /** The bank's answer comes minutes later, often after the goods went back. */
  "late-payment": 0.35,
  /** A webhook is delivered again. */
  "webhook-duplicated": 0.3,
  /** A webhook is overtaken by those that were sent after it. */
  "webhook-reordered": 0.2,
  /** A webhook comes when the drop has been over for days. */
  "webhook-days-late": 0.08,
  /** A webhook is never delivered. */
  "webhook-lost": 0.06,
  /** A call to the provider never arrives there. */
  "provider-timeout-before": 0.04,
  /** The provider does what it was asked, and its answer never comes. */
  "provider-timeout-after": 0.04,
  /** The provider breaks before it did anything. */
  "provider-500-before": 0.03,
  /** The provider does what it was asked, and answers that it broke. */
  "provider-500-after": 0.03,
  /** A cardholder takes the money back through the bank. */
  dispute: 0.15,
} as const;

export type FaultName = keyof typeof FAULTS;
export const FAULT_NAMES = Object.keys(FAULTS).filter((name): name is FaultName => name in FAULTS);

/**
 * How often each fault strikes in one world. Where everything goes wrong at
 * once, one fault hides what another would show: so in each world some faults
 * never happen, and some far too often.
 */
export function drawRates(random: RandomSource): Readonly<Record<FaultName, number>> {
  const rates: Record<FaultName, number> = { ...FAULTS };
  for (const name of FAULT_NAMES) {
    const factor = random.pick([0, 0.5, 1, 1, 3]);
    rates[name] = Math.min(FAULTS[name] * factor, 0.9);
  }
  return rates;
}
