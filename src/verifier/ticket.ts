import type { Leaf, RecordRow } from "../../schema/wire/record.ts";
import { hex, utf8 } from "./bytes.ts";
import { isOver, type SealedLeaf } from "./draw.ts";
import type { Findings } from "./findings.ts";
import { type Proof, rootOfProof } from "./merkle.ts";
import type { Hashing } from "./sha256.ts";

/** A question of a ticket's owner: is it in the draw? */
export interface TicketQuestion {
  readonly ticket: string;
  /** The inclusion proof that the store gave; null before the seal. */
  readonly proof: Proof | null;
}

interface TicketAnswer {
  readonly words: string;
  /** Why the record cannot be called right for this ticket's owner, or null. */
  readonly unclear: string | null;
}

interface Sealed {
  readonly drop: string | null;
  readonly rows: readonly RecordRow[];
  readonly leaves: ReadonlyMap<string, SealedLeaf> | null;
}

export function ticketAnswer({ ticket, proof }: TicketQuestion, { drop, rows, leaves }: Sealed, hashing: Hashing, findings: Findings): TicketAnswer {
  if (drop === null) return { words: "Whether the ticket is in the draw cannot be said without the drop's name.", unclear: null };
  const entry = hex(hashing.sha256(utf8(`tranche/entry\n${drop}\n${ticket}`)));
  const leaf = leaves?.get(entry);
  const fault = proof === null ? null : proofFault(proof, entry, { rows, leaf: leaves === null ? null : leaf }, hashing);
  if (fault !== null) {
    findings.add({ at: "proof" }, fault, leaf?.sealSeq ?? rows.length);
    return { words: `Your ticket: the proof ${fault}.`, unclear: null };
  }
  if (leaf !== undefined) {
    const how = leaf.batch === 0 ? "was there at the opening" : "came after the opening";
    return { words: `Your ticket is in it: its entry ${entry.slice(0, 12)}… is sealed in row ${leaf.sealSeq} (shard ${leaf.shard}), in the lane ${leaf.lane}; it ${how}.`, unclear: null };
  }
  if (proof !== null) return { words: `Your ticket is sealed in shard ${proof.shard}, by its proof.`, unclear: null };
  if (leaves === null) return { words: "Whether your ticket is in the draw cannot be said without the published entries.", unclear: null };
  const drawn = rows.find(({ kind }) => kind === "draw");
  if (drawn === undefined) return { words: "Your ticket is in no seal, and there is no draw yet; before the opening no ticket is in one.", unclear: null };
  return leftOut(rows);
}

/**
 * A ticket that is in no seal once there is a draw. No fault of the record,
 * because anybody can make up a ticket, and whoever joins as the doors close, or
 * in a shard that is lost, may be in no seal; but for its owner the record is not
 * right either.
 */
function leftOut(rows: readonly RecordRow[]): TicketAnswer {
  const sealed = new Set(rows.flatMap((row) => (row.kind === "seal" ? [row.shard] : [])));
  const [plan] = rows;
  const silent = plan?.kind === "plan" && sealed.size < plan.shards ? ", or that its shard is one of those which have sealed nobody" : "";
  const exception = `${isOver(rows) ? "in the last seconds before the end" : "within the last minute"}${silent}`;
  const words = `Your ticket is in no seal, and the draw was made: if you joined before the opening, it was left out of the draw; if you joined later, it can only be right that you joined ${exception}.`;
  return { words, unclear: words };
}

/** What is wrong with an inclusion proof, or null. `leaf` is the published one, undefined where there is none, and null where none is known. */
function proofFault(proof: Proof, entry: string, { rows, leaf }: { readonly rows: readonly RecordRow[]; readonly leaf: Leaf | undefined | null }, hashing: Hashing): string | null {
  const seals = rows.flatMap((row) => (row.kind === "seal" && row.shard === proof.shard ? [row] : []));
  const seal = seals[proof.batch];
  if (proof.leaf.entry !== entry) return "is about another ticket";
  if (seal === undefined || seal.root !== proof.root || seal.count !== proof.count) return "names a seal that the record does not have";
  if (rootOfProof(proof, hashing) !== seal.root) return `does not lead to the root in row ${seal.seq}`;
  const isAnother = leaf !== null && (leaf === undefined || leaf.lane !== proof.leaf.lane || leaf.weight !== proof.leaf.weight);
  return isAnother ? "says something else than the published entries" : null;
}
