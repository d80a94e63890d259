import type { RandomSource } from "./random.ts";

/**
 * What goes wrong in a rehearsal, how often, and how often it did. A rehearsal
 * in which a fault never struck has proved nothing about it, so every strike is
 * counted.
 */
export class FaultPlan<Name extends string> {
  readonly #probabilities: Readonly<Record<Name, number>>;
  readonly #random: RandomSource;
  readonly #struck = new Map<Name, number>();
  #isHealed = false;

  /** `probabilities` are from 0 to 1, per opportunity. */
  constructor(probabilities: Readonly<Record<Name, number>>, random: RandomSource) {
    this.#probabilities = probabilities;
    this.#random = random;
  }

  /** Whether the fault strikes at this opportunity. */
  strikes(name: Name): boolean {
    // Drawn before it is judged: healing must not move what is drawn later.
    const isDrawn = this.#random.chance(this.#probabilities[name]);
    if (!isDrawn || this.#isHealed) return false;
    this.note(name);
    return true;
  }

  /** Counts a fault that was caused elsewhere. */
  note(name: Name): void {
    this.#struck.set(name, this.struck(name) + 1);
  }

  struck(name: Name): number {
    return this.#struck.get(name) ?? 0;
  }

  /** From now on nothing goes wrong: what is still open must end by itself. */
  heal(): void {
    this.#isHealed = true;
  }

  get isHealed(): boolean {
    return this.#isHealed;
  }
}
