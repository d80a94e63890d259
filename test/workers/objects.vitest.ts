import { generateKeyPairSync } from "node:crypto";
import path from "node:path";
import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

/* The objects alone in workerd; their only way out is the queue, which a test can hold in its hands. */

const pair = generateKeyPairSync("ed25519");
const headKey = { ...pair.privateKey.export({ format: "jwk" }), kid: "head-test", alg: "EdDSA" };
const publicKey = { ...pair.publicKey.export({ format: "jwk" }), kid: "head-test", alg: "EdDSA" };

export default defineConfig({
  plugins: [
    cloudflareTest({
      wrangler: { configPath: path.resolve(import.meta.dirname, "../../workers/objects/wrangler.toml") },
      miniflare: { bindings: { HEAD_KEY: JSON.stringify(headKey), TEST_PUBLIC_KEY: JSON.stringify(publicKey) } },
    }),
  ],
  test: {
    name: "objects",
    include: ["drop.test.ts", "lobby.test.ts", "door.test.ts", "sockets.test.ts"].map((file) => path.resolve(import.meta.dirname, file)),
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
});
