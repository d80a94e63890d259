import { expect, test } from "vitest";
import { Timetable } from "../../../src/drop/timetable.ts";

test("entries come out by their time, whatever the order in which they were entered", () => {
  const timetable = new Timetable();
  const times = Array.from({ length: 500 }, (_, index) => (index * 7_919) % 211);
  for (const [index, at] of times.entries()) timetable.enter(`hold ${index}`, at);
  for (const now of [-1, 0, 100, 210]) {
    expect(timetable.dueBy(now).map(({ at }) => at).toSorted((a, b) => a - b)).toEqual(times.filter((at) => at <= now).toSorted((a, b) => a - b));
  }
  const left: number[] = [];
  for (let first = timetable.first; first !== null; first = timetable.first) {
    left.push(first.at);
    timetable.dropFirst();
  }
  expect(left).toEqual(times.toSorted((a, b) => a - b));
  timetable.dropFirst();
  expect(timetable.dueBy(1_000)).toEqual([]);
});
