import * as v from "valibot";
import type { FieldError, Problem } from "../kernel/problem.ts";
import { accepted, rejected, type Result } from "../kernel/result.ts";
import { strictJson } from "../kernel/strict-json.ts";
import { boundedBytes, textOfBytes } from "./bounded-body.ts";

/** No request of a shopper comes near this; a route that takes more says so. */
const BODY_BYTES_MAX = 16 * 1024;
const ERRORS_MAX = 20;

/** A request's JSON body in the shape that the route asks for, or why it is not. */
export async function strictBody<Schema extends v.GenericSchema>(request: Request, schema: Schema, bytesMax = BODY_BYTES_MAX): Promise<Result<v.InferOutput<Schema>, Problem>> {
  if (!isJson(request)) return rejected({ code: "unsupported_media_type" });
  const bytes = await boundedBytes(request, bytesMax);
  if (bytes === null) return rejected({ code: "too_large" });
  return shaped(bytes, schema);
}

/** The same for requests that may come without any body, which then stands for `{}`. */
export async function optionalBody<Schema extends v.GenericSchema>(request: Request, schema: Schema): Promise<Result<v.InferOutput<Schema>, Problem>> {
  const bytes = await boundedBytes(request, BODY_BYTES_MAX);
  if (bytes === null) return rejected({ code: "too_large" });
  if (bytes.byteLength === 0) return parsed(schema, {});
  return isJson(request) ? shaped(bytes, schema) : rejected({ code: "unsupported_media_type" });
}

function shaped<Schema extends v.GenericSchema>(bytes: Uint8Array, schema: Schema): Result<v.InferOutput<Schema>, Problem> {
  const text = textOfBytes(bytes);
  const json = text === null ? null : strictJson(text);
  if (json === null) return rejected({ code: "malformed_request" });
  // To valibot a list is an object without members, which would pass where every member is optional.
  return Array.isArray(json.value) ? rejected(invalidMembers({ pointer: "", detail: "This has to be an object." })) : parsed(schema, json.value);
}

/** A value in the shape that is asked for; every mistake is named with its place. */
export function parsed<Schema extends v.GenericSchema>(schema: Schema, value: unknown): Result<v.InferOutput<Schema>, Problem> {
  // One reason a member is enough: a quantity of 1e309 is not also "too large".
  const outcome = v.safeParse(schema, value, { abortPipeEarly: true });
  if (outcome.success) return accepted(outcome.output);
  return rejected({ code: "invalid_request", errors: outcome.issues.slice(0, ERRORS_MAX).map(fieldError) });
}

/** The refusal of members that have the right shape and still cannot be. */
export function invalidMembers(...errors: readonly FieldError[]): Problem {
  return { code: "invalid_request", errors };
}

function fieldError(mistake: v.BaseIssue<unknown>): FieldError {
  const pointer = (mistake.path ?? []).map((step) => `/${String(step.key).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
  return { pointer: pointer.slice(0, 200), detail: detailOf(mistake) };
}

/** In our words and without what was received: a refusal must not echo a credential into somebody's log. */
function detailOf(mistake: v.BaseIssue<unknown>): string {
  if (mistake.kind === "validation") return mistake.message;
  if (mistake.expected === "never") return "This member is not known here.";
  if (mistake.received === "undefined") return "This member is missing.";
  return `This has to be ${mistake.expected ?? "something else"}.`;
}

function isJson(request: Request): boolean {
  const encoding = request.headers.get("content-encoding");
  if (encoding !== null && encoding.toLowerCase() !== "identity") return false;
  return /^application\/json\s*(;\s*charset="?utf-8"?\s*)?$/i.test(request.headers.get("content-type") ?? "");
}
