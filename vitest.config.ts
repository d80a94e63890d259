import path from "node:path";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/**
 * Tests in plain Node. The ones inside workerd have configs of their own:
 * test/workers/*.vitest.ts. Files share their process: what they test keeps
 * nothing in a module but what follows from its key, and a process a file costs
 * as much as the tests do.
 */
const node = (name: string, extra: Record<string, unknown> = {}) => ({
  // The names of built files are the build's business: with an empty manifest every file has its plain name.
  resolve: { alias: [{ find: /.*\/static\/built\/manifest\.json$/, replacement: path.resolve(import.meta.dirname, "test/support/unbuilt-manifest.json") }] },
  test: { name, include: [`test/${name}/**/*.test.ts`, `test/${name}/**/*.test.tsx`], environment: "node", isolate: false, ...extra },
});

/**
 * Tests that play with the served product, each file with its own: four at a
 * time, because most of them wait for the clock. They count in modules what they
 * have tried, so that no two files share a process.
 */
const served = { isolate: true, maxWorkers: 4, testTimeout: 120_000, hookTimeout: 180_000 };

/** What waits for the clock the longest begins first, or everything waits for it in the end; the rest follows in any order. */
const LONGEST = ["without-script", "story", "hostile-forms", "identity", "controls", "states", "lanes", "hostile-stock"];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => {
      const known = LONGEST.indexOf(path.basename(moduleId, ".test.ts"));
      return known < 0 ? LONGEST.length : known;
    };
    return files.toSorted((one, other) => place(one) - place(other));
  }
}

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      node("unit", { testTimeout: 30_000 }),
      node("contract", { testTimeout: 60_000, hookTimeout: 120_000 }),
      node("simulation", { testTimeout: 60_000 }),
      node("http", served),
      node("browser", served),
    ],
  },
});
