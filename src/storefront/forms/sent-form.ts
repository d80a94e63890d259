import { boundedBytes, textOfBytes } from "../../http/bounded-body.ts";
import type { Problem } from "../../kernel/problem.ts";
import { accepted, rejected, type Result } from "../../kernel/result.ts";
import { refuseUnknownOrigin } from "../api/origin.ts";
import type { FormStamp } from "../cookie-credentials.ts";
import { GUARD } from "../pages/without-script/frame.tsx";
import type { Visit } from "./visit.ts";

export type Fields = ReadonlyMap<string, string>;

/** A form that was sent from one of our pages, by somebody who took the time to see it. */
export interface SentForm {
  readonly fields: Fields;
  readonly stamp: FormStamp;
}

export type FormRefusal =
  | { readonly kind: "refused"; readonly problem: Problem }
  /** Nothing is wrong with what it says, only with how it was sent: it may be sent once more. */
  | { readonly kind: "again"; readonly fields: Fields };

/** Nobody reads and sends a form in less. */
const READING_MS_MIN = 300;
const FORM_BYTES_MAX = 16 * 1024;
const FIELDS_MAX = 120;

/**
 * Reads a form. Where it comes from is judged first and refused for good. A
 * field that nobody sees and that was filled in, or a form that was answered
 * faster than it can be read, is a program's work as a rule, and somebody's
 * password keeper now and then: it is noted, and can be sent again by hand.
 */
export async function readForm(visit: Visit): Promise<Result<SentForm, FormRefusal>> {
  const { ports, request, drop, now } = visit;
  const foreign = refuseUnknownOrigin(request);
  if (foreign !== null) return refuse(foreign);
  if (!/^application\/x-www-form-urlencoded\s*(;\s*charset="?utf-8"?\s*)?$/i.test(request.headers.get("content-type") ?? "")) return refuse({ code: "unsupported_media_type" });
  const bytes = await boundedBytes(request, FORM_BYTES_MAX);
  if (bytes === null) return refuse({ code: "too_large" });
  const fields = fieldsOf(textOfBytes(bytes));
  if (fields === null) return refuse({ code: "malformed_request" });
  const stamp = await ports.credentials.cookies.readStamp(fields.get(GUARD.stamp) ?? "", drop.plan.drop, now);
  const why = (fields.get(GUARD.trap) ?? "") !== "" ? "trap" : stamp === null ? "stamp" : now - stamp.madeAt < READING_MS_MIN ? "too_fast" : null;
  if (stamp !== null && why === null) return accepted({ fields, stamp });
  ports.log({ code: "form_refused", why, drop: drop.plan.drop, path: new URL(request.url).pathname });
  return rejected({ kind: "again", fields });
}

function refuse(problem: Problem): Result<never, FormRefusal> {
  return rejected({ kind: "refused", problem });
}

/** Every field once; null for what is no form, or one that says something twice. */
function fieldsOf(text: string | null): Fields | null {
  if (text === null) return null;
  const fields = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(text)) {
    if (fields.has(name) || fields.size >= FIELDS_MAX) return null;
    fields.set(name, value);
  }
  return fields;
}
