import * as v from "valibot";

/** An RFC 9457 problem document. The facts that a code names stand beside these members. */
export const ProblemDocument = v.looseObject({
  type: v.string(),
  title: v.string(),
  status: v.number(),
  detail: v.string(),
  instance: v.string(),
  code: v.string(),
  /** Where in the body something is wrong (RFC 6901), with 422. */
  errors: v.optional(v.array(v.strictObject({ pointer: v.string(), detail: v.string() }))),
});
export type ProblemDocument = v.InferOutput<typeof ProblemDocument>;
