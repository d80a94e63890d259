import type { V4WorkerOptions } from "miniflare";
import * as v from "valibot";

/*
 * How much reaches each object, by the runtime's own tracing: every call into
 * an object is told to a tail Worker when it has ended, as it would be in
 * production. Nothing in the product knows of it or is changed by it.
 */

export const TRACE_WORKER = "object-trace";

/** Calls of one kind into one object within one second. */
const COUNT = v.strictObject({
  /** The class: DropObject or LobbyObject. */
  kind: v.string(),
  /** The runtime's id of the object; it says nothing of the object's name. */
  object: v.string(),
  /** Seconds since 1970, when the call began. */
  second: v.number(),
  /** The method that was called, or fetch, alarm, socket. */
  call: v.string(),
  calls: v.number(),
});
export type ObjectCount = v.InferOutput<typeof COUNT>;

const COUNTS = v.strictObject({ counts: v.array(COUNT) });

/**
 * Written as a text because it runs beside the built Workers and is no part of
 * them. What was handed out is forgotten: whoever asks adds up.
 */
const SCRIPT = `
const counts = new Map();
function callOf(event) {
  if (event === null) return "other";
  if ("rpcMethod" in event) return event.rpcMethod;
  if ("request" in event) return "fetch";
  if ("scheduledTime" in event) return "alarm";
  if ("getWebSocketEvent" in event) return "socket";
  return "other";
}
export default {
  tail(items) {
    for (const { entrypoint, durableObjectId, eventTimestamp, event } of items) {
      if (durableObjectId === undefined) continue;
      const key = JSON.stringify([entrypoint, durableObjectId, Math.floor(eventTimestamp / 1000), callOf(event)]);
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  },
  fetch() {
    const taken = [...counts].map(([key, calls]) => {
      const [kind, object, second, call] = JSON.parse(key);
      return { kind, object, second, call, calls };
    });
    counts.clear();
    return Response.json({ counts: taken });
  },
};
`;

/** The tail Worker, which hands the counts out on a port of its own. */
export function traceWorker(port: number): V4WorkerOptions {
  return { name: TRACE_WORKER, compatibilityDate: "2026-10-15", modules: true, script: SCRIPT, unsafeDirectSockets: [{ host: "127.0.0.1", port, proxy: false }] };
}

/** What was counted since the last time that somebody asked. */
export async function takeObjectCounts(port: number): Promise<readonly ObjectCount[]> {
  const response = await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(5_000) });
  return v.parse(COUNTS, await response.json()).counts;
}
