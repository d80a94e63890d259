/** Something that is due at an instant. */
interface Due {
  readonly id: string;
  readonly at: number;
}

/**
 * What is due when, the earliest first: a binary heap. Thousands of holds end
 * within the same few seconds in which thousands of others are made; looking
 * through all of them for each would cost more than the sale itself.
 *
 * Nothing is taken out when its time changes; it is entered once more, and
 * whoever reads leaves out what no longer holds.
 */
export class Timetable {
  readonly #heap: Due[] = [];

  get first(): Due | null {
    return this.#heap[0] ?? null;
  }

  enter(id: string, at: number): void {
    const heap = this.#heap;
    let place = heap.length;
    while (place > 0) {
      const above = (place - 1) >> 1;
      const parent = heap[above];
      if (parent === undefined || parent.at <= at) break;
      heap[place] = parent;
      place = above;
    }
    heap[place] = { id, at };
  }

  dropFirst(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let place = 0;
    for (;;) {
      const left = heap[2 * place + 1];
      const right = heap[2 * place + 2];
      const isRightEarlier = right !== undefined && left !== undefined && right.at < left.at;
      const child = isRightEarlier ? right : left;
      if (child === undefined || last.at <= child.at) break;
      heap[place] = child;
      place = 2 * place + (isRightEarlier ? 2 : 1);
    }
    heap[place] = last;
  }

  /** Everything that is due at `now`, in no order; it stays entered. */
  dueBy(now: number): Due[] {
    const due: Due[] = [];
    const places = [0];
    for (let place = places.pop(); place !== undefined; place = places.pop()) {
      const entry = this.#heap[place];
      if (entry === undefined || entry.at > now) continue;
      due.push(entry);
      places.push(2 * place + 1, 2 * place + 2);
    }
    return due;
  }
}
