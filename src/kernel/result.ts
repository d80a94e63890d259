/**
 * The outcome of a decision. A rejection is a value with facts, not an
 * exception: error classes do not survive a call between Workers, and a refusal
 * is an ordinary answer that the caller must look at.
 */
export type Result<Value, Rejection> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly rejection: Rejection };

export function accepted<Value>(value: Value): { readonly ok: true; readonly value: Value } {
  return { ok: true, value };
}

export function rejected<Rejection>(rejection: Rejection): { readonly ok: false; readonly rejection: Rejection } {
  return { ok: false, rejection };
}

/** We failed: an invariant, stated in words, does not hold. Whoever catches it stops writing. */
export class Defect extends Error {
  override readonly name = "Defect";
}

/** The world failed: a provider, a database, an overloaded object. */
export class Fault extends Error {
  override readonly name = "Fault";
  readonly retryable: boolean;

  constructor(message: string, options: { retryable: boolean; cause?: unknown }) {
    super(message, { cause: options.cause });
    this.retryable = options.retryable;
  }
}

/** On in production too: a sale that breaks an invariant must stop, not go on. */
export function assert(condition: boolean, invariant: string): asserts condition {
  if (!condition) throw new Defect(invariant);
}

/** Makes a `switch` over a union fail to compile when a member is not handled. */
export function unreachable(value: never): never {
  throw new Defect(`a case that the types exclude: ${JSON.stringify(value)}`);
}
