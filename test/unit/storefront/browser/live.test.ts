import { describe, expect, it } from "vitest";
import { pollDelayMs } from "../../../../src/storefront/browser/live.ts";

describe("reading the live state without a socket", () => {
  it("is frequent near an opening and while stock moves, and rare long before", () => {
    expect(pollDelayMs(false, 29_999, "lobby")).toBeLessThanOrEqual(2_000);
    expect(pollDelayMs(false, 1_000_000, "open")).toBeLessThanOrEqual(2_000);
    expect(pollDelayMs(false, 3_600_000, "announced")).toBeGreaterThanOrEqual(15_000);
    expect(pollDelayMs(false, null, "closed")).toBeGreaterThanOrEqual(60_000);
  });

  it("is only a heartbeat beside an open socket, even at the opening", () => {
    expect(pollDelayMs(true, 0, "lobby")).toBeGreaterThanOrEqual(15_000);
  });
});
