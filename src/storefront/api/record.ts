import type { RecordPage } from "../../drop/port.ts";
import type { ApiPorts } from "../ports.ts";
import { announcedDrop } from "./announced-drop.ts";
import { answer, refusal } from "./answers.ts";
import type { Handler } from "./resource.ts";
import { invalidMembers } from "../../http/strict-body.ts";

const PAGE_ROWS = 1_000;
/** A full page never changes. */
const KEEP_SECONDS = 365 * 86_400;

/**
 * The public record as NDJSON: a page's movements, one a line, then the signed
 * head. A full page is the same for ever and is kept at the edge, so that only
 * the tail asks the Drop object; the head in it is then the head at the time at
 * which it was first read, which is as genuine as a newer one.
 */
export function showRecord(ports: ApiPorts): Handler {
  return async (context) => {
    const drop = await announcedDrop(ports, context.req.param("drop"));
    if (drop === null) return refusal({ code: "not_found" }, context);
    const from = wholeNumber(context.req.query("from") ?? "1");
    if (from === null || from < 1) return refusal(invalidMembers({ pointer: "/from", detail: "A row's number is a whole number from 1." }), context);

    const pageFrom = Math.floor((from - 1) / PAGE_ROWS) * PAGE_ROWS + 1;
    // The plan's hash is the record's first row: a drop that was started afresh never meets an old page.
    const key = `record/${drop.plan.drop}/${drop.planHash}/${pageFrom}`;
    const kept = await ports.edge.read(key);
    if (kept !== null) return ndjson(rowsFrom(kept, from - pageFrom), !ports.isLocal);
    const page = await ports.drop(drop.plan.drop).record(pageFrom);
    if (page === null) return refusal({ code: "not_found" }, context);
    const text = pageText(page);
    const isFull = page.rows.length === PAGE_ROWS;
    if (isFull) ports.later(ports.edge.write(key, text, KEEP_SECONDS));
    // On a laptop the same address shows another record after every fresh start, and browsers must not keep the old one.
    return ndjson(rowsFrom(text, from - pageFrom), isFull && !ports.isLocal);
  };
}

function pageText({ rows, head, signature }: RecordPage): string {
  return [...rows, { head, signature }].map((line) => `${JSON.stringify(line)}\n`).join("");
}

/** The page from a row inside it on. The last line, the head, always stays. */
function rowsFrom(text: string, skip: number): string {
  if (skip === 0) return text;
  const lines = text.split("\n").slice(0, -1);
  return `${[...lines.slice(skip, -1), ...lines.slice(-1)].join("\n")}\n`;
}

function ndjson(text: string, isLasting: boolean): Response {
  const cacheControl = isLasting ? `public, max-age=${KEEP_SECONDS}, immutable` : "public, max-age=1";
  return new Response(text, { headers: { "content-type": "application/x-ndjson", "cache-control": cacheControl } });
}

function wholeNumber(text: string): number | null {
  return /^\d{1,12}$/.test(text) ? Number(text) : null;
}

/** The leaves of a sealed shard, in the order of its trees; there are none before the seal. */
export function listEntries(ports: ApiPorts): Handler {
  return async (context) => {
    const drop = await announcedDrop(ports, context.req.param("drop"));
    if (drop === null) return refusal({ code: "not_found" }, context);
    const asked = context.req.query("shard") ?? "0";
    if (!/^\d+$/.test(asked)) return refusal(invalidMembers({ pointer: "/shard", detail: `A shard is a whole number from 0 to ${drop.plan.shards - 1}.` }), context);
    // Bounded by the plan before anything is asked: to name an object is to make it.
    const shard = wholeNumber(asked);
    if (shard === null || shard >= drop.plan.shards) return refusal({ code: "not_found" }, context);
    const entries = await ports.lobby(drop.plan.drop, shard).entries();
    return entries === null ? refusal({ code: "not_found" }, context) : answer({ entries }, 200, { "cache-control": "public, max-age=1" });
  };
}
