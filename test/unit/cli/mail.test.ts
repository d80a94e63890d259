import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readOrMakeKeys } from "../../../src/cli/keys.ts";
import { readStoreFile } from "../../../src/cli/store-file.ts";

let folder = "";
beforeEach(() => { folder = mkdtempSync(path.join(tmpdir(), "tranche-mail-")); });
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const vars = (sender: string, gates: string) => `
[vars]
ENVIRONMENT = "production"
${sender}
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
shipsTo = ["DE"]
[vars.DROP_MOTH_TEE]
title = "Moth tee"
announceAt = "2026-11-27T18:00:00Z"
lobbyOpensAt = "2026-12-04T17:30:00Z"
opensAt = "2026-12-04T18:00:00Z"
closesAt = "2026-12-04T22:00:00Z"
${gates}
items = [ { sku = "MOTH-S", title = "Moth tee, S", priceMinor = 4200, quantity = 80 } ]
`;

function mistakes(sender: string, gates: string, isLocal: boolean): readonly string[] {
  const file = path.join(folder, "store.toml");
  writeFileSync(file, vars(sender, gates));
  const read = readStoreFile(file, { isLocal });
  return read.ok ? [] : read.rejection.map(({ table, field }) => `${table}.${field}`);
}

test("a drop that asks for e-mail codes is deployed only with a sender of its mails", () => {
  const asks = "gates = { email = true }";
  expect(mistakes("", asks, false)).toEqual(["vars.MAIL_FROM"]);
  for (const wrong of ["codes", "codes@localhost", "Nightjar <codes@nightjar.example", "codes@nightjar.example, other@nightjar.example"]) expect(mistakes(`MAIL_FROM = "${wrong}"`, asks, false), wrong).toEqual(["vars.MAIL_FROM"]);
  for (const right of ["codes@nightjar.example", "Nightjar Supply <codes@nightjar.example>"]) expect(mistakes(`MAIL_FROM = "${right}"`, asks, false), right).toEqual([]);
  // Without the gate nobody is written to, and locally the sandbox takes the mail whoever sends it.
  expect(mistakes("", "", false)).toEqual([]);
  expect(mistakes("", asks, true)).toEqual([]);
});

test("the mail key in the file is a mistake: a committed secret is public", () => {
  expect(mistakes('MAIL_KEY = "re_123"\nMAIL_FROM = "codes@nightjar.example"', "gates = { email = true }", false)).toEqual(["vars.MAIL_KEY"]);
});

test("a data folder of an older version keeps its keys and gets the one that it lacks, once", () => {
  const made = readOrMakeKeys(folder);
  const file = path.join(folder, "keys.json");
  const { MAIL_KEY: _newer, ...older } = made;
  writeFileSync(file, JSON.stringify(older));
  const completed = readOrMakeKeys(folder);
  expect(completed).toMatchObject(older);
  expect(completed.MAIL_KEY).toMatch(/^re_/);
  expect(readOrMakeKeys(folder)).toEqual(completed);
  expect(JSON.parse(readFileSync(file, "utf8"))).toEqual(completed);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});
