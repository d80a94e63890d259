import type { ApiPorts } from "../ports.ts";
import { refusal } from "./answers.ts";
import type { Handler } from "./resource.ts";
import { boundedBytes } from "../../http/bounded-body.ts";

/** Providers' events are a few kilobytes; the largest that any of them sends is well below this. */
const WEBHOOK_BYTES_MAX = 1024 * 1024;
const DESK_BYTES_MAX = 64 * 1024;

/** Hands a provider's webhook to settlement, byte for byte: its signature is over the bytes. */
export function forwardWebhook(ports: ApiPorts): Handler {
  return async (context) => {
    const { raw } = context.req;
    const bytes = await boundedBytes(raw, WEBHOOK_BYTES_MAX);
    if (bytes === null) return refusal({ code: "too_large" }, context);
    return ports.forward("settlement", new Request(raw.url, { method: "POST", headers: raw.headers, body: bytes }));
  };
}

/** Hands everything under /desk on; who may do what there is the desk's business. */
export function forwardToDesk(ports: ApiPorts): Handler {
  return async (context) => {
    const { raw } = context.req;
    if (raw.method === "GET" || raw.method === "HEAD") return ports.forward("desk", raw);
    const bytes = await boundedBytes(raw, DESK_BYTES_MAX);
    if (bytes === null) return refusal({ code: "too_large" }, context);
    const body = bytes.byteLength === 0 ? null : bytes;
    return ports.forward("desk", new Request(raw.url, { method: raw.method, headers: raw.headers, body }));
  };
}
