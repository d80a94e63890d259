import type { Context, Hono } from "hono";
import { refusal } from "./answers.ts";

export type Handler = (context: Context) => Response | Promise<Response>;
export type Handlers = Readonly<Partial<Record<"GET" | "PUT" | "POST" | "DELETE", Handler>>>;

/** One address with all that it can do; any other method is told which there are. HEAD comes with GET. */
export function resource(app: Hono, path: string, handlers: Handlers): void {
  const allowed: string[] = [];
  for (const [method, handler] of Object.entries(handlers)) {
    app.on(method, path, handler);
    allowed.push(...(method === "GET" ? ["GET", "HEAD"] : [method]));
  }
  app.all(path, (context) => refusal({ code: "method_not_allowed" }, context, { allow: allowed.join(", ") }));
}
