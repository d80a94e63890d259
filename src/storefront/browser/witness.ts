import type { Live } from "./page-data.ts";

/*
 * This browser as a witness. It keeps a few of the record's heads that it was
 * shown, and complains when a later record does not contain them: a store could
 * rewrite its books, but not what thousands of browsers remember.
 */

export interface SeenHead {
  readonly seq: number;
  readonly hash: string;
  /** When the store said so, RFC 3339. */
  readonly at: string;
}

export interface SeenRecord {
  /** The hash of the record's first row. */
  readonly planHash: string;
  readonly first: SeenHead | null;
  /** The first one that was seen after the draw. */
  readonly atDraw: SeenHead | null;
  /** The last few, oldest first. */
  readonly latest: readonly SeenHead[];
}

/** What is shown of the record at one moment. */
export interface Showing {
  readonly planHash: string;
  readonly head: SeenHead;
  readonly isDrawn: boolean;
}

const LATEST_MAX = 5;
/** The last few are to be some way apart, or all of them would be of the last seconds. */
const APART_MS = 60_000;

/**
 * What is to be remembered after `shown`, and what is wrong with it in the
 * light of what is remembered: null where the two agree.
 */
export function witnessed(known: SeenRecord | null, shown: Showing): { readonly known: SeenRecord; readonly complaint: string | null } {
  const fresh: SeenRecord = { planHash: shown.planHash, first: shown.head, atDraw: shown.isDrawn ? shown.head : null, latest: [shown.head] };
  if (known === null) return { known: fresh, complaint: null };
  if (known.planHash !== shown.planHash) return { known, complaint: `This drop has another plan now than the one that this browser was shown${whenText(known.first)}. The plan's fingerprint was ${known.planHash}, and is ${shown.planHash}.` };
  const contradicted = headsOf(known).find(({ seq, hash, at }) => (shown.head.seq === seq && shown.head.hash !== hash) || (shown.head.seq < seq && shown.head.at > at));
  if (contradicted !== undefined) return { known, complaint: complaintAbout(contradicted, shown.head.seq < contradicted.seq ? `the record ends at row ${shown.head.seq} now` : "that row is another one now") };
  const last = known.latest.at(-1);
  const isNews = last === undefined || shown.head.seq > last.seq;
  const before = known.latest.at(-2);
  // The last one is replaced until it is far enough from the one before it.
  const kept = last !== undefined && before !== undefined && Date.parse(last.at) - Date.parse(before.at) < APART_MS ? known.latest.slice(0, -1) : known.latest;
  return {
    known: {
      planHash: known.planHash,
      first: known.first ?? shown.head,
      atDraw: known.atDraw ?? (shown.isDrawn ? shown.head : null),
      latest: isNews ? [...kept, shown.head].slice(-LATEST_MAX) : known.latest,
    },
    complaint: null,
  };
}

/** Every head that is remembered, each row once, by row. */
export function headsOf({ first, atDraw, latest }: SeenRecord): SeenHead[] {
  const bySeq = new Map<number, SeenHead>();
  for (const head of [first, atDraw, ...latest]) if (head !== null) bySeq.set(head.seq, head);
  return [...bySeq.values()].toSorted((a, b) => a.seq - b.seq);
}

/** The words of the alarm about one head. */
export function complaintAbout({ seq, hash, at }: SeenHead, what: string): string {
  return `The public record of this drop was rewritten. At ${at} this browser was shown row ${seq} with the hash ${hash}; ${what}.`;
}

function whenText(head: SeenHead | null): string {
  return head === null ? "" : ` at ${head.at}`;
}

const keyOf = (drop: string) => `tranche:heads:${drop}`;

export function recallSeen(drop: string): SeenRecord | null {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(keyOf(drop)) ?? "null");
    // Written below and by nobody else; what was edited by hand is its owner's affair.
    return typeof found === "object" && found !== null && "planHash" in found && "latest" in found ? (found as SeenRecord) : null;
  } catch {
    return null;
  }
}

function rememberSeen(drop: string, seen: SeenRecord): void {
  try {
    localStorage.setItem(keyOf(drop), JSON.stringify(seen));
  } catch {
    // Storage is switched off or full: this browser is no witness, and nothing else depends on it.
  }
}

/** On a developer's machine every fresh start is another drop at the same address, and nobody is deceived. */
function isOwnMachine(): boolean {
  return ["localhost", "127.0.0.1", "[::1]"].includes(location.hostname);
}

/** Takes in what is shown now; answers the complaint, or null. */
export function bearWitness(drop: string, shown: Showing): string | null {
  const before = recallSeen(drop);
  const isFreshStart = before !== null && before.planHash !== shown.planHash && isOwnMachine();
  const { known, complaint } = witnessed(isFreshStart ? null : before, shown);
  if (known !== before) rememberSeen(drop, known);
  return complaint;
}

/** The same with the live object, which carries the head that it was made at. */
export function bearWitnessOfLive(drop: string, planHash: string, live: Live): string | null {
  return bearWitness(drop, { planHash, head: { ...live.head, at: live.asOf }, isDrawn: live.seed !== null });
}
