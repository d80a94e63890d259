import path from "node:path";
import { type SourceFile, sourceFiles } from "./support/sources.ts";

/*
 * The import fence. What runs in plain Node stays apart from what touches a
 * binding, and the pure cores stay free of clocks, chance, networks and logs,
 * so that every decision can be replayed from its arguments.
 */

/** Files in pure folders that are adapters: they may use the runtime, and no pure file may use them. */
const ADAPTERS_IN_PURE_FOLDERS = [
  // The hashing port on node:crypto.
  "src/kernel/node-hashing.ts",
  // Signatures are asynchronous and made by jose, outside of every decision.
  "src/coupon/signed-claims.ts",
  "src/coupon/voucher.ts",
  // The verifier's way to a store, whose answers have to be waited for.
  "src/verifier/reading.ts",
];

/** Whole folders of pure cores, and the pure files of folders that have adapters too. */
const PURE = [
  /^src\/(kernel|drop|lobby|coupon|checkout|verifier)\//,
  /^src\/settlement\/(card-in-drop|desk-decisions|ledger|lifecycle|order-book|order-event|order-view|port|split)\.ts$/,
  /^src\/payment\/provider\.ts$/,
  /^src\/gate\/(attestation|email-code|lane|mail|turnstile)\.ts$/,
];

/** What a pure core may take from outside the project. */
const PURE_PACKAGES = ["canonicalize", "@noble/curves/bls12-381.js"];

/**
 * The verifier stands beside the product: what it shared with it could not
 * contradict it. Beside itself it knows the shapes on the wire, the library that
 * reads them, and curves.
 */
const VERIFIER = "src/verifier/";
const VERIFIER_PACKAGES = ["valibot", "@noble/curves/ed25519.js", "@noble/curves/bls12-381.js"];
/** Who runs it: the command line and the browser, never the server. */
const VERIFIER_USERS = /^src\/(verifier|cli|storefront\/browser)\//;

/** Names whose use would make a decision depend on more than its arguments. */
const IMPURE_NAMES: readonly (readonly [RegExp, string])[] = [
  [/\bDate\.now\b/, "Date.now"],
  [/\bnew Date\(\s*\)/, "new Date()"],
  [/\bperformance\b/, "performance"],
  [/\bMath\.random\b/, "Math.random"],
  [/\bfetch\s*\(/, "fetch"],
  [/\bcrypto\b/, "crypto"],
  [/\bconsole\b/, "console"],
  [/\bprocess\./, "process"],
  [/\bset(Timeout|Interval)\b/, "a timer"],
  [/\basync\b|\bawait\b/, "an await, which would break a transaction in two"],
];

/** From each folder of src to the folders of src and the top level that it may import; the cores are judged by `PURE`. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  kernel: ["kernel"],
  drop: ["kernel", "drop", "lobby", "coupon", "checkout", "settlement"],
  lobby: ["kernel", "drop", "lobby"],
  coupon: ["kernel", "coupon"],
  gate: ["kernel", "drop", "lobby", "coupon", "gate", "schema"],
  checkout: ["kernel", "drop", "coupon", "checkout", "settlement"],
  payment: ["kernel", "checkout", "settlement", "payment"],
  settlement: ["kernel", "drop", "checkout", "payment", "settlement", "schema"],
  // What every door reads a request with.
  http: ["kernel", "http"],
  config: ["kernel", "drop", "coupon", "gate", "settlement", "config"],
  storefront: ["kernel", "http", "drop", "lobby", "coupon", "gate", "checkout", "settlement", "config", "storefront", "verifier", "schema", "static"],
  desk: ["kernel", "http", "config", "drop", "lobby", "coupon", "gate", "checkout", "settlement", "desk", "schema", "static"],
  // A stranger's books: what it shared with the product could not contradict it.
  sandbox: ["kernel", "sandbox"],
  rehearsal: ["kernel", "drop", "lobby", "coupon", "checkout", "settlement", "payment", "config", "rehearsal"],
  verifier: ["verifier", "schema"],
  cli: ["verifier", "kernel", "drop", "coupon", "config", "desk", "rehearsal", "cli"],
};

/** Time and chance come as parameters everywhere in src; the command line is a shell and may read the clock. */
const CLOCKLESS = /^src\/(?!cli\/|storefront\/browser\/)/;

export function fenceBreaches(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) => [...importBreaches(file), ...nameBreaches(file)]);
}

export function isPure(file: string): boolean {
  return !ADAPTERS_IN_PURE_FOLDERS.includes(file) && PURE.some((pattern) => pattern.test(file));
}

function importBreaches(file: SourceFile): string[] {
  const says = (imported: string, why: string) => `${file.path} imports ${imported}: ${why}`;
  return importsOf(file.text).flatMap((imported) => {
    if (file.path.startsWith("src/") && imported.startsWith("cloudflare:")) return [says(imported, "only workers/ touches the platform")];
    if (!imported.startsWith(".")) {
      if (file.path.startsWith(VERIFIER)) return VERIFIER_PACKAGES.includes(imported) ? [] : [says(imported, "the verifier has no other packages")];
      return isPure(file.path) && !PURE_PACKAGES.includes(imported) ? [says(imported, "a pure core has no packages")] : [];
    }
    const target = path.posix.join(path.posix.dirname(file.path), imported);
    if (!/\.(ts|tsx|mjs|json)$/.test(target)) return [says(imported, "imports name the file with its extension")];
    if (target.startsWith("test/") && !file.path.startsWith("test/")) return [says(imported, "the product does not know its tests")];
    if (target.startsWith(VERIFIER) && !VERIFIER_USERS.test(file.path) && !file.path.startsWith("test/")) return [says(imported, "the server shares no code with its verifier")];
    if (file.path.startsWith(VERIFIER) && target.startsWith("schema/wire/")) return [];
    if (file.path.startsWith(VERIFIER) && !target.startsWith(VERIFIER)) return [says(imported, "the verifier shares no code with the server but the shapes on the wire")];
    if (isPure(file.path) && !isPure(target)) return [says(imported, "a pure core imports only pure cores")];
    if (file.path.startsWith("src/") && target.startsWith("workers/")) return [says(imported, "imports point from workers/ to src/, never back")];
    if (file.path.startsWith("workers/") && target.startsWith("src/cli/")) return [says(imported, "a Worker has no command line")];
    if (file.path.startsWith("src/")) return folderBreach(file.path, target).map((why) => says(imported, why));
    return [];
  });
}

function folderBreach(from: string, target: string): string[] {
  const folder = from.split("/")[1] ?? "";
  const [top = "", inner = ""] = target.split("/");
  const allowed = MAY_IMPORT[folder];
  if (allowed === undefined) return [`src/${folder} has no row in the fence; add one that says what it may import`];
  return allowed.includes(top === "src" ? inner : top) ? [] : [`src/${folder} may import only ${allowed.join(", ")}`];
}

function nameBreaches(file: SourceFile): string[] {
  const isTimed = CLOCKLESS.test(file.path);
  if (!isTimed) return [];
  const code = withoutCommentsAndTexts(file.text);
  const names = isPure(file.path) ? IMPURE_NAMES : IMPURE_NAMES.filter(([, name]) => name === "Date.now" || name === "Math.random");
  // A port's methods are asynchronous because they cross from Worker to Worker; only code that decides must not wait.
  return names.filter(([pattern]) => pattern.test(code)).map(([, name]) => `${file.path} uses ${name}: pass it in as a parameter`);
}

function importsOf(text: string): string[] {
  const code = text.replace(/^\s*(\/\*[\s\S]*?\*\/|\/\/.*$|\*.*$)/gm, "");
  const found = code.matchAll(/(?:^\s*(?:import|export)\b[^;"'`]*?\bfrom\s*|^\s*import\s*|\bimport\s*\(\s*)["']([^"']+)["']/gm);
  return [...found].map((match) => match[1] ?? "");
}

/** Template texts stay, because what is between their braces is code. */
function withoutCommentsAndTexts(text: string): string {
  return text
    .replace(/\/\*[\s\S]*?\*\//g, "")
    .replace(/(^|[^:"'`\\])\/\/.*$/gm, "$1")
    .replace(/"(?:[^"\\\n]|\\.)*"/g, '""');
}

if (import.meta.main) {
  const files = sourceFiles("src", "workers", "schema");
  const breaches = fenceBreaches(files);
  for (const breach of breaches) process.stderr.write(`${breach}\n`);
  process.stdout.write(`${files.length} files, ${files.filter(({ path: file }) => isPure(file)).length} of them pure, ${breaches.length} breaches.\n`);
  if (breaches.length > 0) process.exitCode = 1;
}
