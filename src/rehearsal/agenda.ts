import { assert } from "../kernel/result.ts";

/** Something that will happen at an instant of virtual time. */
export interface Appointment {
  /** Epoch milliseconds. */
  readonly at: number;
  /** What it is, in words that a trace can be read by. */
  readonly label: string;
  readonly run: () => void;
}

/**
 * What is still going to happen, by time; what is due in the same millisecond
 * happens in the order in which it was arranged. Time jumps from one
 * appointment to the next, so that a day is rehearsed in milliseconds.
 */
export class Agenda {
  #heap: (Appointment & { readonly order: number })[] = [];
  #arranged = 0;
  #now: number;

  constructor(startsAt: number) {
    this.#now = startsAt;
  }

  /** True time: it never goes back, whatever the clocks in the rehearsal show. */
  get now(): number {
    return this.#now;
  }

  get length(): number {
    return this.#heap.length;
  }

  /** When the next appointment is, or null when nothing is left. */
  get nextAt(): number | null {
    return this.#heap[0]?.at ?? null;
  }

  /** What lies in the past is due at once. */
  arrange(at: number, label: string, run: () => void): void {
    assert(Number.isFinite(at), "an appointment has a time");
    this.#heap.push({ at: Math.max(at, this.#now), label, run, order: this.#arranged++ });
    this.#rise(this.#heap.length - 1);
  }

  after(delayMs: number, label: string, run: () => void): void {
    this.arrange(this.#now + delayMs, label, run);
  }

  /** Moves time to the next appointment and answers it without running it; null when nothing is left. */
  next(): Appointment | null {
    const first = this.#heap[0];
    if (first === undefined) return null;
    const last = this.#heap.pop();
    if (last !== undefined && this.#heap.length > 0) {
      this.#heap[0] = last;
      this.#sink(0);
    }
    this.#now = first.at;
    return first;
  }

  #rise(from: number): void {
    let index = from;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!this.#isBefore(index, parent)) return;
      this.#swap(index, parent);
      index = parent;
    }
  }

  #sink(from: number): void {
    let index = from;
    for (;;) {
      let earliest = index;
      for (const child of [2 * index + 1, 2 * index + 2]) if (child < this.#heap.length && this.#isBefore(child, earliest)) earliest = child;
      if (earliest === index) return;
      this.#swap(index, earliest);
      index = earliest;
    }
  }

  #isBefore(left: number, right: number): boolean {
    const [a, b] = [this.#heap[left], this.#heap[right]];
    assert(a !== undefined && b !== undefined, "the agenda compares appointments that it has");
    return a.at === b.at ? a.order < b.order : a.at < b.at;
  }

  #swap(left: number, right: number): void {
    const [a, b] = [this.#heap[left], this.#heap[right]];
    assert(a !== undefined && b !== undefined, "the agenda swaps appointments that it has");
    this.#heap[left] = b;
    this.#heap[right] = a;
  }
}
