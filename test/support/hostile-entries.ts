import { afterAll, expect, test } from "vitest";

/*
 * The numbered list of hostile inputs: what each group has, which of them are
 * tried over HTTP, and which are not and why. A number that is neither fails.
 */

export type Group = "Stock and queue" | "Bot protection" | "Money" | "Webhooks" | "Coupons and tokens" | "Web";

/** The first and the last number of each group. */
const NUMBERS: Readonly<Record<Group, readonly [first: number, last: number]>> = {
  "Stock and queue": [1, 16],
  "Bot protection": [17, 22],
  Money: [23, 33],
  Webhooks: [34, 42],
  "Coupons and tokens": [43, 53],
  Web: [54, 64],
};

const LEFT_OUT: Readonly<Record<number, string>> = {
  41: "a crash between acknowledgement and processing: taken up within 90 s by design, longer than these tests last; played with a movable clock in test/unit/settlement and test/simulation",
  42: "outgoing webhooks to inner addresses: there are no outgoing webhooks yet",
  50: "one QR on two offline devices: there is no offline staff scan yet",
  51: "a shared QR screenshot: there is no staff scan yet; the code of a pop-up is tried with the identities",
  52: "a staff device with a wrong clock: there are no staff devices yet",
  55: "stored XSS through an uploaded SVG: nothing can be uploaded yet",
  64: "Telegram updates: there is no bot yet",
};

/** Numbers whose tests need a store that is not that of their group, and the file where they stand. */
const APART: Readonly<Record<number, string>> = { 7: "hostile-gates", 14: "hostile-gates", 22: "hostile-forms", 58: "hostile-forms" };

const tried = new Map<number, number>();
let beyond = 0;

/** One hostile input of the list, as a test; several tests may be of one number. */
export function hostile(number: number, title: string, work: () => Promise<void>): void {
  tried.set(number, (tried.get(number) ?? 0) + 1);
  test(`hostile ${String(number).padStart(2, "0")}: ${title}`, work);
}

/** What an attacker of this product would try that is not on the list. */
export function hostileBeyond(title: string, work: () => Promise<void>): void {
  beyond++;
  test(`hostile, beyond the list: ${title}`, work);
}

/** Prints the counts of a file's groups at its end, and holds that no number was forgotten. Called after the last test is declared. */
export function countHostile(...groups: readonly Group[]): void {
  const numbersOf = (group: Group) => Array.from({ length: NUMBERS[group][1] - NUMBERS[group][0] + 1 }, (_, index) => NUMBERS[group][0] + index);
  test(`every hostile input of ${groups.join(", ")} is tried or is left out by name`, () => {
    const forgotten = groups.flatMap(numbersOf).filter((number) => tried.has(number) === (LEFT_OUT[number] !== undefined || APART[number] !== undefined));
    expect(forgotten).toEqual([]);
  });
  afterAll(() => {
    const lines = groups.flatMap((group) => {
      const numbers = numbersOf(group);
      const left = numbers.filter((number) => LEFT_OUT[number] !== undefined);
      return [`${group}: ${numbers.length - left.length} of ${numbers.length}`, ...left.map((number) => `  left out ${String(number).padStart(2, "0")}, ${LEFT_OUT[number]}`)];
    });
    process.stdout.write(`\n${[...lines, `Beyond the list: ${beyond}`].join("\n")}\n`);
  });
}

/** Holds that a file tries what other files leave to it. */
export function countApart(file: string): void {
  test("every hostile input that stands in this file apart from its group is tried", () => {
    const left = Object.entries(APART).filter(([number, name]) => name === file && !tried.has(Number(number)));
    expect(left).toEqual([]);
  });
}
