import type { Context, Hono } from "hono";
import { refusal } from "./door.ts";

export type Handler = (context: Context) => Promise<Response>;

/** One address with all it can do; any other method is told which there are. */
export function resource(app: Hono, path: string, handlers: Readonly<Partial<Record<"GET" | "POST" | "DELETE", Handler>>>): void {
  const methods = Object.keys(handlers);
  for (const [method, handler] of Object.entries(handlers)) app.on(method, path, handler);
  const allow = methods.map((method) => (method === "GET" ? "GET, HEAD" : method)).join(", ");
  app.all(path, (context) => refusal({ code: "method_not_allowed" }, context.req.raw, { allow }));
}
