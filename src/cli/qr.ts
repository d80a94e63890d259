import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { renderSVG } from "uqr";
import type { StoreConfig } from "../config/store-config.ts";
import { mistakeText } from "../config/store-from-vars.ts";
import { couponKeyFromJson, VOUCHER_USES_MAX, type CouponKey } from "../coupon/voucher.ts";
import { mintVouchers, type MintedVoucher, type MintRejection } from "../desk/mint-vouchers.ts";
import { accepted, rejected, unreachable, type Result } from "../kernel/result.ts";
import { instantToWire } from "../kernel/time.ts";
import { projectPath } from "./project.ts";
import { STORE_ADDRESS_NEEDED, storeOrigin } from "./store-address.ts";
import { readStoreFile } from "./store-file.ts";

const COUNT_MAX = 5_000;

const USAGE = `npm run qr -- --drop DROP --campaign CAMPAIGN --out FOLDER [--count N] [--uses N] [--store ORIGIN] [--config FILE] [--data FOLDER]

Mints N vouchers (default 1, each good for --uses purchases, default 1) and writes
a QR code for each as SVG, and vouchers.csv with their addresses. The key is
COUPON_KEY of the environment, else the one that npm start made in its data folder.`;

export interface QrRequest {
  readonly drop: string;
  readonly campaign: string;
  readonly count: number;
  readonly uses: number;
  /** The store's origin, which the codes lead to. */
  readonly origin: string;
}

/** A file to be written, by its name in the output folder. */
export interface QrFile {
  readonly name: string;
  readonly content: string;
}

/** The QR codes of freshly minted vouchers and their list; a refusal is a sentence for the terminal. */
export async function qrFiles(request: QrRequest, store: StoreConfig, key: CouponKey, now: number): Promise<Result<readonly QrFile[], string>> {
  const drop = store.drops.find(({ slug }) => slug === request.drop);
  if (drop === undefined) return rejected(`There is no drop "${request.drop}" in the config. ${namesOf("Drops", store.drops.map(({ slug }) => slug))}`);
  const { campaigns } = drop.source;
  const minted = await mintVouchers(request, campaigns, { key, now, randomBytes: (count) => new Uint8Array(randomBytes(count)) });
  if (!minted.ok) return rejected(mintSentence(minted.rejection, request, campaigns.map(({ id }) => id)));
  const codes = minted.value.map((voucher, index) => ({
    name: `${String(index + 1).padStart(4, "0")}-${voucher.voucher}.svg`,
    // Medium correction: printed on paper, folded in a pocket, read by a cheap camera.
    content: renderSVG(landingUrl(request.origin, voucher), { ecc: "M", border: 4 }),
  }));
  const rows = minted.value.map((voucher) => [voucher.voucher, request.uses, instantToWire(voucher.expiresAt), landingUrl(request.origin, voucher)].join(","));
  return accepted([...codes, { name: "vouchers.csv", content: `${["voucher,uses,expiresAt,url", ...rows].join("\n")}\n` }]);
}

function landingUrl(origin: string, voucher: MintedVoucher): string {
  return `${origin}/q/${voucher.token}`;
}

function mintSentence(rejection: MintRejection, request: QrRequest, campaigns: readonly string[]): string {
  switch (rejection.code) {
    case "campaign_unknown":
      return `The drop "${request.drop}" has no campaign "${request.campaign}". ${namesOf("Campaigns", campaigns)}`;
    case "campaign_over":
      return `The campaign "${request.campaign}" is over; a voucher for it would never be valid.`;
    case "uses_above_campaign":
      return `A voucher cannot be good for ${request.uses} purchases: the whole campaign has ${rejection.max}.`;
    default:
      return unreachable(rejection);
  }
}

function namesOf(what: string, names: readonly string[]): string {
  return names.length === 0 ? `${what}: none.` : `${what}: ${names.join(", ")}.`;
}

/** Reads the command line: what is asked for, and where things are; a refusal is a sentence. */
function readCommand(argv: readonly string[]): Result<QrRequest & { readonly out: string; readonly config: string; readonly data: string }, string> {
  let values: Record<string, string | undefined>;
  const text = { type: "string" } as const;
  try {
    values = parseArgs({ args: [...argv], options: { drop: text, campaign: text, count: text, uses: text, out: text, store: text, config: text, data: text } }).values;
  } catch (error) {
    return rejected(error instanceof Error ? error.message : "The options cannot be read.");
  }
  const { drop, campaign, out } = values;
  if (drop === undefined || campaign === undefined || out === undefined) return rejected("A drop, a campaign and a folder for the codes are needed.");
  const count = wholeNumber(values["count"] ?? "1", COUNT_MAX);
  if (count === null) return rejected(`--count is a whole number from 1 to ${COUNT_MAX}.`);
  const uses = wholeNumber(values["uses"] ?? "1", VOUCHER_USES_MAX);
  if (uses === null) return rejected(`--uses is a whole number from 1 to ${VOUCHER_USES_MAX}.`);
  const origin = storeOrigin(values["store"] ?? "http://127.0.0.1:8787");
  if (origin === null) return rejected(STORE_ADDRESS_NEEDED);
  return accepted({ drop, campaign, count, uses, origin, out: path.resolve(out), config: path.resolve(values["config"] ?? projectPath("wrangler.toml")), data: path.resolve(values["data"] ?? projectPath(".data")) });
}

function wholeNumber(text: string, max: number): number | null {
  const number = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  return number >= 1 && number <= max ? number : null;
}

function readCouponKey(dataFolder: string): Result<CouponKey, string> {
  const fromEnvironment = process.env["COUPON_KEY"];
  if (fromEnvironment !== undefined) {
    const key = couponKeyFromJson(fromEnvironment);
    return key === null ? rejected("COUPON_KEY in the environment is not a private Ed25519 JWK with a kid that begins with coupon-.") : accepted(key);
  }
  const file = path.join(dataFolder, "keys.json");
  if (!existsSync(file)) return rejected(`There is no key: set COUPON_KEY, or run npm start once so that it makes ${file}.`);
  const stored = storedText(readFileSync(file, "utf8"), "COUPON_KEY");
  const key = couponKeyFromJson(stored);
  return key === null ? rejected(`${file} holds no COUPON_KEY that can be used.`) : accepted(key);
}

function storedText(json: string, name: string): string | undefined {
  try {
    const value: unknown = JSON.parse(json);
    const member: unknown = typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
    return typeof member === "string" ? member : undefined;
  } catch {
    return undefined;
  }
}

/** The whole command; answers the process's exit code. */
export async function runQr(argv: readonly string[], now: number, say: (text: string) => void): Promise<0 | 1> {
  const command = readCommand(argv);
  if (!command.ok) {
    say(`${command.rejection}\n\n${USAGE}`);
    return 1;
  }
  // Relative times are read, too: the codes of a local rehearsal are codes as well.
  const file = readStoreFile(command.value.config, { isLocal: true });
  if (!file.ok) {
    say(file.rejection.map(mistakeText).join("\n"));
    return 1;
  }
  const key = readCouponKey(command.value.data);
  const files = key.ok ? await qrFiles(command.value, file.value.store, key.value, now) : key;
  if (!files.ok) {
    say(files.rejection);
    return 1;
  }
  mkdirSync(command.value.out, { recursive: true });
  for (const { name, content } of files.value) writeFileSync(path.join(command.value.out, name), content);
  say(`${files.value.length - 1} QR codes and vouchers.csv are in ${command.value.out}.`);
  return 0;
}

if (import.meta.main) process.exitCode = await runQr(process.argv.slice(2), Date.now(), (text) => console.log(text));
