import { DropBook, type PendingWrite } from "../../src/drop/drop-book.ts";
import type { Decision, DropState, StoredDrop } from "../../src/drop/state.ts";
import type { Hashing } from "../../src/kernel/hashing.ts";
import { Fault } from "../../src/kernel/result.ts";
import type { Clock } from "../../src/kernel/time.ts";

export type Decide<Outcome> = (state: DropState, now: number, hashing: Hashing) => Decision<Outcome>;

/** Where a drop is kept: given back whole, written in one transaction. */
export interface BookStore {
  load(): StoredDrop;
  write(pending: PendingWrite): void;
}

interface Waiting {
  /** Decides, and answers how to tell the caller once that is written. */
  readonly decide: (book: DropBook, now: number) => () => void;
  readonly refuse: (fault: Fault) => void;
}

/** How long commands gather: the fsync is what costs, and one serves all of them. */
const GATHER_MS = 1;

/**
 * Admit, persist, publish: commands that arrive together are decided one after
 * the other, written in one transaction, and only then answered. Nothing waits
 * between the first decision and the write, so no command sees half of another.
 */
export class GroupCommit {
  readonly #store: BookStore;
  readonly #hashing: Hashing;
  readonly #clock: Clock;
  readonly #afterCommit: (state: DropState, written: PendingWrite | null, now: number) => void;
  #book: DropBook | null = null;
  #waiting: Waiting[] = [];

  constructor(store: BookStore, hashing: Hashing, clock: Clock, afterCommit: (state: DropState, written: PendingWrite | null, now: number) => void) {
    this.#store = store;
    this.#hashing = hashing;
    this.#clock = clock;
    this.#afterCommit = afterCommit;
  }

  /** `view` looks at the state right after the command, before any other one. */
  submit<Outcome, Answer>(decide: Decide<Outcome>, view: (outcome: Outcome, state: DropState, now: number) => Answer): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({
        decide: (book, now) => {
          const answer = view(book.perform(now, decide), book.state, now);
          return () => resolve(answer);
        },
        refuse: reject,
      });
      if (this.#waiting.length === 1) setTimeout(() => this.#commitWaiting(), GATHER_MS);
    });
  }

  #commitWaiting(): void {
    const group = this.#waiting;
    this.#waiting = [];
    try {
      this.#commit(group);
    } catch (cause) {
      this.#book = null;
      // A decision that throws is one command's: the others are decided again without it.
      if (group.length > 1 && !(cause instanceof Fault)) for (const waiting of group) this.#commitAlone(waiting);
      else for (const waiting of group) waiting.refuse(faultOf(cause));
    }
  }

  #commitAlone(waiting: Waiting): void {
    try {
      this.#commit([waiting]);
    } catch (cause) {
      this.#book = null;
      waiting.refuse(faultOf(cause));
    }
  }

  /** Throws a fault when storage fails, anything else when a decision does. Memory is spoiled then and must be made anew. */
  #commit(group: readonly Waiting[]): void {
    this.#book ??= new DropBook(this.#load(), this.#hashing);
    const book = this.#book;
    const now = book.timeOf(this.#clock());
    const answers = group.map((waiting) => waiting.decide(book, now));
    const pending = book.takePending();
    if (pending !== null) this.#write(pending);
    for (const answer of answers) answer();
    this.#afterCommit(book.state, pending, now);
  }

  #load(): StoredDrop {
    try {
      return this.#store.load();
    } catch (cause) {
      throw new Fault("the drop could not be read", { retryable: true, cause });
    }
  }

  #write(pending: PendingWrite): void {
    try {
      this.#store.write(pending);
    } catch (cause) {
      throw new Fault("the drop could not be written", { retryable: true, cause });
    }
  }
}

/** Nothing was written: another try with the same id is safe, unless we ourselves are wrong. */
function faultOf(cause: unknown): Fault {
  const fault = cause instanceof Fault ? cause : new Fault("the drop stopped this write: an invariant does not hold", { retryable: false, cause });
  const reason = fault.cause instanceof Error ? fault.cause.message : String(fault.cause);
  console.error(JSON.stringify({ event: fault.retryable ? "drop_storage_failed" : "drop_defect", detail: fault.message, reason }));
  return fault;
}
