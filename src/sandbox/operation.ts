import * as v from "valibot";
import { accepted, rejected, type Result } from "../kernel/result.ts";
import type { FormTree } from "./form.ts";
import { integer, readParameters, text } from "./parameters.ts";
import * as parameters from "./parameters.ts";
import type { RecordByPrefix, RecordPrefix } from "./records.ts";
import { badParameter, type Refusal } from "./refusal.ts";
import type { Turn } from "./turn.ts";
import { listToWire, type Wire } from "./wire.ts";

export type Answer = Result<Wire, Refusal>;

/** What one endpoint does. `id` is the path's record, empty where the path has none. */
export interface Operation {
  /** By this name the behaviour can aim at it. */
  readonly name: string;
  readonly method: "GET" | "POST";
  /** Below `/v1/`, with `:id` for the record. */
  readonly path: string;
  run(turn: Turn, id: string, tree: FormTree): Answer;
}

const created = v.union([
  v.pipe(integer(0, 9_999_999_999), v.transform((at) => ({ gte: at, lte: at }))),
  v.pipe(
    v.strictObject({ gt: v.optional(integer(0, 9_999_999_999)), gte: v.optional(integer(0, 9_999_999_999)), lt: v.optional(integer(0, 9_999_999_999)), lte: v.optional(integer(0, 9_999_999_999)) }),
    v.transform((range) => ({
      gte: range.gte ?? (range.gt === undefined ? null : range.gt + 1),
      lte: range.lte ?? (range.lt === undefined ? null : range.lt - 1),
    })),
  ),
]);

/** The parameters of a list that can be filtered by the named members. */
function listSchema(filters: readonly string[]) {
  return v.strictObject({
    ...Object.fromEntries(filters.map((name) => [name, v.optional(text(200))])),
    limit: v.optional(integer(1, 100)),
    starting_after: v.optional(text(200)),
    ending_before: v.optional(text(200)),
    created: v.optional(created),
    expand: parameters.expand,
  });
}

/** A list endpoint over records of one kind, newest first. */
export function listOperation<Prefix extends RecordPrefix>(
  prefix: Prefix, name: string, path: string, filters: readonly string[], view: (turn: Turn, record: RecordByPrefix[Prefix]) => Wire,
): Operation {
  const schema = listSchema(filters);
  return {
    name, method: "GET", path,
    run(turn, _id, tree) {
      const read = readParameters(schema, tree);
      if (!read.ok) return read;
      const { limit, starting_after: startingAfter, ending_before: endingBefore, created: range } = read.value;
      const cursor = startingAfter ?? endingBefore;
      if (cursor !== undefined && turn.shelf.find(prefix, cursor) === null) {
        return rejected({ ...badParameter(startingAfter === undefined ? "ending_before" : "starting_after", `No such object: '${cursor}'`, "resource_missing") });
      }
      const chosen = filters.flatMap((filter) => (typeof tree[filter] === "string" ? [[filter, tree[filter]] as const] : []));
      const page = turn.shelf.list(prefix, {
        filters: Object.fromEntries(chosen), limit: limit ?? 10, startingAfter: startingAfter ?? null, endingBefore: endingBefore ?? null,
        createdFrom: range?.gte ?? null, createdUntil: range?.lte ?? null,
      });
      return accepted(listToWire(`/v1/${path}`, page.items.map((record) => view(turn, record)), page.hasMore));
    },
  };
}
