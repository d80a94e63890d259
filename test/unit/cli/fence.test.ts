import { expect, test } from "vitest";
import { fenceBreaches, isPure } from "../../fence.ts";
import { longFiles } from "../../file-length.ts";

const breachesOf = (path: string, text: string) => fenceBreaches([{ path, text }]);

test.each([
  ["src/desk/app.ts", 'import { env } from "cloudflare:workers";', "only workers/ touches the platform"],
  ["src/desk/app.ts", 'const module = await import("cloudflare:workers");', "only workers/ touches the platform"],
  ["src/drop/holds.ts", 'import * as v from "valibot";', "a pure core has no packages"],
  ["src/drop/holds.ts", 'import { createHash } from "node:crypto";', "a pure core has no packages"],
  ["src/drop/holds.ts", 'import { nodeHashing } from "../kernel/node-hashing.ts";', "a pure core imports only pure cores"],
  ["src/drop/holds.ts", 'import { app } from "../storefront/app.ts";', "a pure core imports only pure cores"],
  ["src/drop/holds.ts", 'export type { Store } from "../storefront/ports.ts";', "a pure core imports only pure cores"],
  ["src/drop/holds.ts", "const at = Date.now();", "Date.now"],
  ["src/drop/holds.ts", "const at = new Date();", "new Date()"],
  ["src/lobby/draw.ts", "const luck = Math.random();", "Math.random"],
  ["src/kernel/chain.ts", "const id = crypto.randomUUID();", "crypto"],
  ["src/checkout/quote.ts", "console.log(total);", "console"],
  ["src/checkout/quote.ts", "export async function quote() {}", "await"],
  ["src/settlement/ledger.ts", "return fetch(url);", "fetch"],
  ["src/storefront/app.ts", "const at = Date.now();", "Date.now"],
  ["src/storefront/app.ts", 'import { app } from "../desk/app.ts";', "src/storefront may import only"],
  ["src/sandbox/api.ts", 'import { splitGoods } from "../settlement/split.ts";', "src/sandbox may import only"],
  ["src/storefront/app.ts", 'import worker from "../../workers/storefront/index.ts";', "never back"],
  ["src/storefront/app.ts", 'import { storeVars } from "../../test/support/store-config.ts";', "does not know its tests"],
  ["workers/desk/index.ts", 'import { startLocalRuntime } from "../../src/cli/local-runtime.ts";', "no command line"],
  ["src/desk/app.ts", 'import { door } from "./door";', "with its extension"],
  ["src/verifier/chain.ts", 'import { linkHash } from "../kernel/chain.ts";', "shares no code with the server"],
  ["src/verifier/chain.ts", 'import { orders } from "../../schema/orders.ts";', "shares no code with the server"],
  ["src/verifier/chain.ts", 'import canonicalize from "canonicalize";', "the verifier has no other packages"],
  ["src/verifier/chain.ts", 'import { readDrop } from "./reading.ts";', "a pure core imports only pure cores"],
  ["src/verifier/chain.ts", "const at = Date.now();", "Date.now"],
  ["src/storefront/api/record.ts", 'import { merkleRoot } from "../../verifier/merkle.ts";', "the server shares no code with its verifier"],
  ["workers/objects/drop-object.ts", 'import { merkleRoot } from "../../src/verifier/merkle.ts";', "the server shares no code with its verifier"],
  ["src/parcels/label.ts", 'import { assert } from "../kernel/result.ts";', "no row in the fence"],
])("the fence refuses in %s: %s", (path, text, why) => {
  expect(breachesOf(path, text)).toEqual([expect.stringContaining(why)]);
});

test("the fence lets through what only looks like a breach", () => {
  expect(breachesOf("src/drop/holds.ts", '/* Date.now() and fetch() stay out. */\n// import "cloudflare:workers"\nimport type { Plan } from "./plan.ts";\nconst text = "await Math.random()";\nnew Date(at).toISOString();\n')).toEqual([]);
  expect(breachesOf("src/kernel/canonical.ts", 'import canonicalize from "canonicalize";')).toEqual([]);
  expect(breachesOf("src/cli/start.ts", "const at = Date.now();")).toEqual([]);
});

test("the cores are pure by the fence's own list", () => {
  expect(["src/drop/plan.ts", "src/lobby/draw.ts", "src/settlement/split.ts", "src/checkout/quote.ts"].every(isPure)).toBe(true);
  expect(["src/kernel/node-hashing.ts", "src/settlement/drizzle-order-store.ts", "src/payment/stripe.ts"].some(isPure)).toBe(false);
});

test("a file past 400 lines is named and one past 600 is refused", () => {
  const file = (lines: number) => ({ path: `src/kernel/${lines}.ts`, text: "x\n".repeat(lines) });
  expect(longFiles([file(400), file(401), file(600), file(601)])).toEqual([
    { path: "src/kernel/401.ts", lines: 401, isTooLong: false },
    { path: "src/kernel/600.ts", lines: 600, isTooLong: false },
    { path: "src/kernel/601.ts", lines: 601, isTooLong: true },
  ]);
});
