import { describe, expect, test } from "vitest";
import { destinationText } from "../../../src/checkout/destination.ts";
import type { Address } from "../../../src/checkout/placed-order.ts";

const HOME: Address = { name: "Ana Lindt", line1: "Weserstraße 12a", line2: null, postalCode: "12047", city: "Berlin", country: "DE" };
const text = (changes: Partial<Address>) => destinationText({ ...HOME, ...changes });

describe("an address, for counting what is sent there,", () => {
  test.each<Partial<Address>>([
    { name: "Ben Lindt" }, { city: "BERLIN-Neukölln" }, { line1: "weserstraße 12a" }, { line1: "WESERSTRASSE 12A" }, { line1: "Weserstr. 12 a" }, { line1: "Weser-Str. 12-A" },
    { line1: "  Weser   Straße,  12 a." }, { line1: "Weserstraße", line2: "12a" }, { line1: "Weserstraße 12a", line2: "-" }, { postalCode: " 12 047" }, { postalCode: "１２０４７" },
  ])("is the same written as %o", (changes) => {
    expect(text(changes)).toBe(text({}));
  });

  test.each<Partial<Address>>([
    { line1: "Weserstraße 12b" }, { line1: "Weserstraße 2a" }, { line1: "Weserplatz 12a" }, { postalCode: "12045" }, { country: "AT" }, { line2: "Hinterhaus" },
  ])("is another as %o", (changes) => {
    expect(text(changes)).not.toBe(text({}));
  });

  test("never has two numbers run into one", () => {
    expect(text({ line1: "Flat 1, 12 Elm Road" })).not.toBe(text({ line1: "Flat 11, 2 Elm Road" }));
    expect(text({ line1: "Elm Road 1", line2: "2" })).not.toBe(text({ line1: "Elm Road 12" }));
  });

  test("is told from others in scripts of any kind, and in either encoding of an accent", () => {
    expect(text({ line1: "Allée du Lac 5" })).toBe(text({ line1: "Alle\u0301e du Lac 5" }));
    expect(text({ line1: "東京都千代田区1-1" })).not.toBe(text({ line1: "東京都千代田区1-2" }));
    expect(text({ line1: "कमल मार्ग 4" })).not.toBe(text({ line1: "कमला मार्ग 4" }));
  });
});
