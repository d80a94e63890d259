import { defineConfig } from "vitest/config";

/** Tests in plain Node. The ones inside workerd have configs of their own: test/workers/*.vitest.ts. */
const node = (name: string, extra: Record<string, unknown> = {}) => ({
  test: { name, include: [`test/${name}/**/*.test.ts`, `test/${name}/**/*.test.tsx`], environment: "node", ...extra },
});

/** Tests that play with the served product, each file with its own: two at a time, because most of them wait for the clock. */
const served = { maxWorkers: 2, testTimeout: 120_000, hookTimeout: 180_000 };

export default defineConfig({
  test: {
    projects: [
      node("unit"),
      node("contract", { testTimeout: 60_000, hookTimeout: 120_000 }),
      node("simulation", { testTimeout: 60_000 }),
      node("http", served),
      node("browser", served),
    ],
  },
});
