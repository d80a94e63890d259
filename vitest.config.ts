import { defineConfig } from "vitest/config";

const node = (name: string, extra: Record<string, unknown> = {}) => ({
  test: { name, include: [`test/${name}/**/*.test.ts`, `test/${name}/**/*.test.tsx`], environment: "node", ...extra },
});

export default defineConfig({
  test: {
    projects: [node("unit"), node("contract", { testTimeout: 60_000, hookTimeout: 120_000 }), node("simulation", { testTimeout: 60_000 })],
  },
});
