import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { renderSVG } from "uqr";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { runQr } from "../../../src/cli/qr.ts";
import { readOrMakeKeys } from "../../../src/cli/keys.ts";
import { verifyVoucher } from "../../../src/coupon/voucher.ts";

const now = Date.parse("2026-12-04T18:00:00Z");
const config = `
[vars]
ENVIRONMENT = "production"
[vars.STORE]
name = "Nightjar Supply"
currency = "EUR"
support = "help@nightjar.example"
brand = { mark = "N", ink = "#17130f", paper = "#f4efe6", accent = "#9a3412" }
[vars.REGION_BERLIN]
label = "Berlin"
country = "DE"
near = { lat = 52.52, lon = 13.405 }
locale = "de-DE"
pickup = [ { id = "kiosk-k", label = "Kiosk K" } ]
[vars.DROP_MOTH_TEE]
title = "Moth tee"
story = "One run."
announceAt = "2026-11-27T18:00:00Z"
lobbyOpensAt = "2026-12-04T17:30:00Z"
opensAt = "2026-12-04T18:00:00Z"
closesAt = "2026-12-04T22:00:00Z"
limitPerPerson = 2
hold = "8m"
items = [ { sku = "MOTH-S", title = "Moth tee, S", priceMinor = 4200, quantity = 80 } ]
splits = [ { party = "platform", remainder = true } ]
campaigns = [
  { id = "berlin-night", percentOff = 10, region = "berlin", validFrom = "2026-12-04T17:00:00Z", validUntil = "2026-12-04T22:00:00Z", uses = 50, typed = "BERLIN" },
]
`;

let folder = "";
let said: string[] = [];
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "tranche-qr-"));
  said = [];
  writeFileSync(path.join(folder, "wrangler.toml"), config);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const run = (...options: string[]) =>
  runQr(["--config", path.join(folder, "wrangler.toml"), "--data", folder, "--out", path.join(folder, "codes"), ...options], now, (text) => said.push(text));
const written = () => (readdirSync(folder).includes("codes") ? readdirSync(path.join(folder, "codes")).toSorted() : []);

describe("the QR codes of a campaign", () => {
  test("each hold a voucher of their own that the edge accepts, under the store's address, and are listed", async () => {
    const keys = readOrMakeKeys(folder);
    expect([await run("--drop", "moth-tee", "--campaign", "berlin-night", "--count", "3", "--uses", "2", "--store", "https://nightjar.example"), ...said]).toEqual([0, `3 QR codes and vouchers.csv are in ${path.join(folder, "codes")}.`]);
    const [header, ...rows] = readFileSync(path.join(folder, "codes", "vouchers.csv"), "utf8").trim().split("\n");
    expect(header).toBe("voucher,uses,expiresAt,url");
    expect(written()).toHaveLength(4);
    const publicKeys: { keys: Record<string, unknown>[] } = JSON.parse(keys.PUBLIC_KEYS);
    for (const [index, row] of rows.entries()) {
      const [voucher = "", uses, expiresAt, url = ""] = row.split(",");
      expect([uses, expiresAt, url.startsWith("https://nightjar.example/q/")]).toEqual(["2", "2026-12-04T22:00:00.000Z", true]);
      const token = url.slice("https://nightjar.example/q/".length);
      expect(await verifyVoucher(token, publicKeys, { drop: "moth-tee", region: "berlin", now })).toMatchObject({ voucher, voucherUses: 2, campaign: "berlin-night" });
      expect(readFileSync(path.join(folder, "codes", `000${index + 1}-${voucher}.svg`), "utf8")).toBe(renderSVG(url, { ecc: "M", border: 4 }));
    }
  });

  test("are not made for an unknown drop or campaign, which a sentence names beside those that exist", async () => {
    readOrMakeKeys(folder);
    expect(await run("--drop", "owl", "--campaign", "berlin-night")).toBe(1);
    expect(await run("--drop", "moth-tee", "--campaign", "nobody")).toBe(1);
    expect(said).toEqual(['There is no drop "owl" in the config. Drops: moth-tee.', 'The drop "moth-tee" has no campaign "nobody". Campaigns: berlin-night.']);
    expect(written()).toEqual([]);
  });

  test("are not made without a key, with numbers that are none, or from a config that cannot be read", async () => {
    expect(await run("--drop", "moth-tee", "--campaign", "berlin-night")).toBe(1);
    expect(said[0]).toContain("run npm start once");
    readOrMakeKeys(folder);
    for (const count of ["0", "-1", "1.5", "1e3", "5001", "many"]) expect(await run("--drop", "moth-tee", "--campaign", "berlin-night", `--count=${count}`)).toBe(1);
    expect(await run("--drop", "moth-tee", "--campaign", "berlin-night", "--uses", "51")).toBe(1);
    expect(said.at(-1)).toContain("the whole campaign has 50");
    for (const store of ["nightjar.example", "ftp://nightjar.example", "https://nightjar.example/shop"]) expect(await run("--drop", "moth-tee", "--campaign", "berlin-night", "--store", store)).toBe(1);
    expect(await run("--drop", "moth-tee")).toBe(1);
    expect(await run("--drop", "moth-tee", "--campaign", "berlin-night", "--percent", "90")).toBe(1);
    writeFileSync(path.join(folder, "wrangler.toml"), config.replace("quantity = 80", "quantity = 8.5"));
    expect(await run("--drop", "moth-tee", "--campaign", "berlin-night")).toBe(1);
    expect(said.at(-1)).toContain("DROP_MOTH_TEE");
    expect(written()).toEqual([]);
  });
});
