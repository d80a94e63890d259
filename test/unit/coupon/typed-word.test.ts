import { describe, expect, test } from "vitest";
import type { CampaignTerms } from "../../../src/coupon/campaign.ts";
import { couponOfWord } from "../../../src/coupon/typed-word.ts";

const campaign = (change: Partial<CampaignTerms> = {}): CampaignTerms => ({
  id: "berlin-night", percentOff: 10, region: "berlin", validFrom: 1_000, validUntil: 2_000, uses: 50, typed: "BERLIN", ...change,
});
const here = { region: "berlin", now: 1_500 };

describe("a typed word", () => {
  test("stands for its campaign in any case, with spaces around it and in full-width letters", () => {
    for (const word of ["BERLIN", "berlin", " Berlin ", "ＢＥＲＬＩＮ", "berlin\u00a0"]) {
      expect(couponOfWord(word, [campaign()], here)).toEqual({ campaign: "berlin-night", voucher: "typed", voucherUses: null, region: "berlin" });
    }
    expect(couponOfWord("STRASSE", [campaign({ typed: "Straße" })], here)).not.toBeNull();
  });

  test("that is unknown, of another region or out of its time gets the same null", () => {
    expect(couponOfWord("BERLIN2", [campaign()], here)).toBeNull();
    expect(couponOfWord("BERLIN", [campaign({ region: "lisbon" })], here)).toBeNull();
    expect(couponOfWord("BERLIN", [campaign()], { ...here, now: 999 })).toBeNull();
    expect(couponOfWord("BERLIN", [campaign()], { ...here, now: 2_000 })).toBeNull();
  });

  test("is valid from the first millisecond to the one before the end", () => {
    expect(couponOfWord("BERLIN", [campaign()], { ...here, now: 1_000 })).not.toBeNull();
    expect(couponOfWord("BERLIN", [campaign()], { ...here, now: 1_999 })).not.toBeNull();
  });

  test("never meets a campaign without a word, an empty word or a flood", () => {
    expect(couponOfWord("null", [campaign({ typed: null })], here)).toBeNull();
    expect(couponOfWord("  ", [campaign({ typed: "" })], here)).toBeNull();
    expect(couponOfWord("B".repeat(100_000), [campaign({ typed: "B".repeat(100_000) })], here)).toBeNull();
  });

  test("that two regions share means the campaign of the region it is typed in", () => {
    const both = [campaign(), campaign({ id: "lisbon-night", region: "lisbon" }), campaign({ id: "anywhere", region: null, typed: "NIGHT" })];
    expect(couponOfWord("berlin", both, { ...here, region: "lisbon" })?.campaign).toBe("lisbon-night");
    expect(couponOfWord("night", both, { ...here, region: "porto" })).toMatchObject({ campaign: "anywhere", region: "porto" });
  });
});
