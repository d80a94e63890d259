/** What can go wrong, and how likely it is at each opportunity. */
export const FAULTS = {
  /** A request never arrives. */
  "request-lost": 0.02,
  /** A request is carried out and nobody hears of it. */
  "reply-lost": 0.04,
  /** An object's alarm does not ring: only requests and the cron are left. */
  "alarm-never": 0.3,
  /** An object loses its memory and is rebuilt from what it wrote. */
  eviction: 0.02,
  /** A transaction fails: nothing of it is on the disk. */
  "write-failed": 0.02,
  /** An object's clock is put back. */
  "clock-step-back": 0.01,
  /** The bank's answer comes minutes later, often after the goods went back. */
  "late-payment": 0.35,
  /** A webhook is delivered again. */
  "webhook-duplicated": 0.3,
  /** A webhook is overtaken by those that were sent after it. */
  "webhook-reordered": 0.2,
  /** A webhook is never delivered. */
  "webhook-lost": 0.08,
  /** A queue forgets a message, as local queues do at a restart. */
  "queue-forgets": 0.1,
  /** Settlement stops between performing an effect and writing it down. */
  "settlement-crash": 0.03,
} as const;

export type FaultName = keyof typeof FAULTS;
export const FAULT_NAMES = Object.keys(FAULTS).filter((name): name is FaultName => name in FAULTS);
