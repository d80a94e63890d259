import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { describe, expect, it } from "vitest";
import { PROJECT } from "../../../support/sources.ts";
import { liveAt, MINUTE_MS, OPENS_AT, shopPages } from "./shop.ts";

/* What a phone downloads before it can buy: the page, its sheets, its mark and its module, as an edge compresses them. */

const BYTES_MAX = 50_000;

/** A browser file as the build makes it, in memory: other tests may be building at the same time. */
async function builtFile(file: string): Promise<string> {
  const { outputFiles } = await build({ entryPoints: [file], absWorkingDir: PROJECT, bundle: true, write: false, minify: true, format: "esm", target: "es2022", external: ["*.woff2", "*.svg", "*.png"], legalComments: "none", logLevel: "error" });
  return outputFiles[0]?.text ?? "";
}

describe("the first view of a drop", () => {
  it("weighs less than 50 KB with everything that it loads", async () => {
    const shop = shopPages({ live: liveAt("open", OPENS_AT + MINUTE_MS) });
    const texts = new Map<string, string>();
    for (const path of ["/berlin/moth-tee", "/brand.css", "/mark.svg"]) texts.set(path, await (await shop.request(path)).text());
    for (const file of ["static/store.css", "src/storefront/browser/drop.ts"]) texts.set(file, await builtFile(file));
    const bytes = [...texts].map(([name, text]) => [name, gzipSync(text).byteLength] as const);
    // A page that fails or a module that came out empty would weigh nothing and pass.
    for (const [name, size] of bytes) expect(size, name).toBeGreaterThan(50);
    // Nothing else may be loaded by the page than what is weighed here.
    const links = [...(texts.get("/berlin/moth-tee") ?? "").matchAll(/<(?:link rel="(?:stylesheet|icon|preload|modulepreload)"[^>]*href|script type="module" src|img[^>]* src)="([^"]+)"/g)].map(([, address]) => address ?? "");
    expect(links.toSorted()).toEqual(["/brand.css", "/built/drop.js", "/built/store.css", "/mark.svg"]);
    expect(bytes.reduce((sum, [, size]) => sum + size, 0), JSON.stringify(bytes)).toBeLessThan(BYTES_MAX);
  });
});
