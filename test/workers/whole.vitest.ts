import { generateKeyPairSync, randomBytes } from "node:crypto";
import path from "node:path";
import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-plugin";
import { parse } from "smol-toml";
import { defineConfig } from "vitest/config";
import { MOVED_SCENARIOS } from "../support/state-scenarios.ts";
import { storeVars } from "../support/store-config.ts";

/* All Workers in one isolate, with one clock that the tests move. */

const one = [{ sku: "ONE", priceMinor: 4200, quantity: 1 }];
const { vars } = parse(
  storeVars(
    { slug: "flow", items: [{ sku: "FLOW", priceMinor: 4200, quantity: 200 }], closesAfter: "3h" },
    { slug: "late-free", items: one, closesAfter: "3h" },
    { slug: "late-gone", items: one, closesAfter: "3h" },
    { slug: "till", items: one, closesAfter: "3h" },
    { slug: "tabs", items: one, closesAfter: "3h" },
    { slug: "unpaid", items: one, closesAfter: "3h" },
    { slug: "permutations", items: [{ sku: "PERMUTATIONS", priceMinor: 4200, quantity: 500 }], closesAfter: "3h" },
    ...MOVED_SCENARIOS.map(({ drop }) => drop),
  ),
) as { vars: Record<string, unknown> };

function signingKey(prefix: string): { privateJwk: Record<string, unknown>; publicJwk: Record<string, unknown> } {
  const pair = generateKeyPairSync("ed25519");
  const kid = `${prefix}-${randomBytes(4).toString("hex")}`;
  return {
    privateJwk: { ...pair.privateKey.export({ format: "jwk" }), kid, alg: "EdDSA" },
    publicJwk: { ...pair.publicKey.export({ format: "jwk" }), kid, alg: "EdDSA", use: "sig" },
  };
}

const receipt = signingKey("receipt");
const head = signingKey("head");
const coupon = signingKey("coupon");

export default defineConfig({
  plugins: [
    cloudflareTest(async () => ({
      wrangler: { configPath: path.resolve(import.meta.dirname, "whole.toml") },
      miniflare: {
        bindings: {
          ...JSON.parse(JSON.stringify(vars)),
          MIGRATIONS: await readD1Migrations(path.resolve(import.meta.dirname, "../../migrations")),
          TICKET_KEYS: JSON.stringify([{ kid: "t1", key: randomBytes(32).toString("base64url") }]),
          RECEIPT_KEY: JSON.stringify(receipt.privateJwk),
          HEAD_KEY: JSON.stringify(head.privateJwk),
          COUPON_KEY: JSON.stringify(coupon.privateJwk),
          PUBLIC_KEYS: JSON.stringify({ keys: [receipt.publicJwk, head.publicJwk, coupon.publicJwk] }),
        },
      },
    })),
  ],
  test: { name: "whole", include: ["money", "states", "permutations"].map((name) => path.resolve(import.meta.dirname, `${name}.test.ts`)), testTimeout: 60_000, hookTimeout: 60_000 },
});
