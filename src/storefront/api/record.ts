import type { RecordPage } from "../../drop/port.ts";
import { invalidMembers } from "../../http/strict-body.ts";
import { LEAVES_A_PAGE } from "../../lobby/leaf-page.ts";
import { type GrowingList, KeptLists, type ListPage } from "../kept-lists.ts";
import type { ApiPorts } from "../ports.ts";
import { DATA_HEADERS } from "../security-headers.ts";
import { announcedDrop, type AnnouncedDrop } from "./announced-drop.ts";
import { refusal } from "./answers.ts";
import type { Handler } from "./resource.ts";

const PAGE_ROWS = 1_000;
/** A full page never changes. */
const KEEP_SECONDS = 365 * 86_400;

/**
 * The public record as NDJSON: a page's movements, one a line, then the signed
 * head. A full page is the same for ever and is kept at the edge; the tail is at
 * most two seconds old, because whoever reads it comes to the object that sells.
 * The head in a kept page is the one of the time at which it was first read,
 * which is as genuine as a newer one.
 */
export function showRecord(ports: ApiPorts): Handler {
  // Some 400 KB a page.
  const records = new KeptLists(ports, { rowsPerPage: PAGE_ROWS, pagesMax: 8, endsMax: 16 });
  return async (context) => {
    const drop = await announcedDrop(ports, context.req.param("drop"));
    if (drop === null) return refusal({ code: "not_found" }, context);
    const from = wholeNumber(context.req.query("from") ?? "1");
    if (from === null || from < 1) return refusal(invalidMembers({ pointer: "/from", detail: "A row's number is a whole number from 1." }), context);

    const skipped = (from - 1) % PAGE_ROWS;
    const page = await records.page(recordList(ports, drop), from - 1 - skipped);
    if (page === null) return refusal({ code: "not_found" }, context);
    // On a laptop the same address shows another record after every fresh start, and browsers must not keep the old one.
    return ndjson(textFrom(page, skipped), page.isFull && !ports.isLocal);
  };
}

function recordList(ports: ApiPorts, { plan, planHash }: AnnouncedDrop): GrowingList {
  return {
    // The plan's hash is the record's first row: a drop that was started afresh never meets an old page.
    key: `record/${plan.drop}/${planHash}`,
    read: async (from) => {
      const page = await ports.drop(plan.drop).record(from + 1);
      return page === null ? null : { rows: page.rows.map((row) => JSON.stringify(row)), count: page.head.seq, about: headLine(page) };
    },
  };
}

function headLine({ head, signature }: RecordPage): string {
  return JSON.stringify({ head, signature });
}

/** The page from a row inside it on. The last line, the head, always stays. */
function textFrom({ text, rowCount, about }: ListPage, skipped: number): string {
  const rows = skipped === 0 ? text : skipped >= rowCount ? "" : text.split("\n").slice(skipped).join("\n");
  return `${rows === "" ? "" : `${rows}\n`}${about}\n`;
}

function ndjson(text: string, isLasting: boolean): Response {
  const cacheControl = isLasting ? `public, max-age=${KEEP_SECONDS}, immutable` : "public, max-age=1";
  return new Response(text, { headers: { "content-type": "application/x-ndjson", "cache-control": cacheControl } });
}

function wholeNumber(text: string): number | null {
  return /^\d{1,12}$/.test(text) ? Number(text) : null;
}

/**
 * The leaves of a sealed shard, in the order of its trees; there are none before
 * the seal. They come from the shard page by page and go out as they come: all
 * of them at once are more than one call to an object can carry, and it is the
 * object that takes joins.
 */
export function listEntries(ports: ApiPorts): Handler {
  // Some megabyte a page.
  const lists = new KeptLists(ports, { rowsPerPage: LEAVES_A_PAGE, pagesMax: 4, endsMax: 8 });
  return async (context) => {
    const drop = await announcedDrop(ports, context.req.param("drop"));
    if (drop === null) return refusal({ code: "not_found" }, context);
    const asked = context.req.query("shard") ?? "0";
    if (!/^\d+$/.test(asked)) return refusal(invalidMembers({ pointer: "/shard", detail: `A shard is a whole number from 0 to ${drop.plan.shards - 1}.` }), context);
    // Bounded by the plan before anything is asked: to name an object is to make it.
    const shard = wholeNumber(asked);
    if (shard === null || shard >= drop.plan.shards) return refusal({ code: "not_found" }, context);
    const list = leafList(ports, drop, shard);
    const first = await lists.page(list, 0);
    if (first === null) return refusal({ code: "not_found" }, context);
    return new Response(entriesBody(lists, list, first), { headers: { ...DATA_HEADERS, "content-type": "application/json", "cache-control": "public, max-age=1" } });
  };
}

function leafList(ports: ApiPorts, { plan, planHash }: AnnouncedDrop, shard: number): GrowingList {
  return {
    key: `entries/${plan.drop}/${planHash}/${shard}`,
    read: async (from) => {
      const page = await ports.lobby(plan.drop, shard).entries(from);
      return page === null ? null : { rows: page.leaves.map(({ entry, lane, weight }) => JSON.stringify({ entry, lane, weight })), count: page.count, about: "" };
    },
  };
}

/** `{ entries }` whole, a page at a time as the reader takes it. */
function entriesBody(lists: KeptLists, list: GrowingList, first: ListPage): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let from = 0;
  return new ReadableStream({
    async pull(controller) {
      const page = from === 0 ? first : await lists.page(list, from);
      // No line break stands inside of a leaf.
      const leaves = page === null ? "" : page.text.replaceAll("\n", ",");
      const isLast = page === null || !page.isFull;
      controller.enqueue(encoder.encode(`${from === 0 ? '{"entries":[' : leaves === "" ? "" : ","}${leaves}${isLast ? "]}" : ""}`));
      from += LEAVES_A_PAGE;
      if (isLast) controller.close();
    },
  });
}
