import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { projectPath } from "./project.ts";

/** The pages that have a browser module of their own, and the modules that work beside a page. */
const PAGES = ["drop", "order", "record", "record-worker", "home", "door", "work", "friends"];
/** The desk's own; they lie with the desk. */
const DESK_PAGES = ["presence"];

/** From a file's plain name, such as `drop.js`, to its address with the hash of its content. */
export type BuiltAssets = Readonly<Record<string, string>>;

/**
 * Bundles the browser modules and the style sheets of `static/` into
 * `static/built/`, each under the hash of its content, so that the edge and the
 * browsers may keep them for ever; `manifest.json` says which is which.
 */
export async function buildBrowserFiles(): Promise<BuiltAssets> {
  const folder = projectPath("static", "built");
  const styles = readdirSync(projectPath("static")).filter((name) => name.endsWith(".css"));
  const modules = [...PAGES.map((page) => ["storefront", page] as const), ...DESK_PAGES.map((page) => ["desk", page] as const)]
    .map(([owner, page]) => ({ in: projectPath("src", owner, "browser", `${page}.ts`), out: page }))
    .filter(({ in: file }) => existsSync(file));
  // Imported here, because most starts find everything built already and esbuild costs a process.
  const { build } = await import("esbuild");
  const { outputFiles } = await build({
    entryPoints: [
      ...modules,
      ...styles.map((name) => ({ in: projectPath("static", name), out: path.parse(name).name })),
    ],
    absWorkingDir: projectPath(),
    outdir: folder,
    bundle: true,
    write: false,
    minify: true,
    format: "esm",
    target: "es2022",
    jsx: "automatic",
    jsxImportSource: "hono/jsx/dom",
    external: ["*.woff2", "*.svg", "*.png"],
    legalComments: "none",
    logLevel: "error",
  });
  mkdirSync(folder, { recursive: true });
  const manifest: Record<string, string> = {};
  const written = new Set(["manifest.json"]);
  for (const file of outputFiles) {
    const { name, ext } = path.parse(file.path);
    const hashed = `${name}-${createHash("sha256").update(file.contents).digest("hex").slice(0, 10)}${ext}`;
    writeWhenNew(path.join(folder, hashed), file.contents);
    manifest[`${name}${ext}`] = `/built/${hashed}`;
    written.add(hashed);
  }
  writeWhenNew(path.join(folder, "manifest.json"), Buffer.from(`${JSON.stringify(manifest, Object.keys(manifest).toSorted(), 2)}\n`));
  for (const old of readdirSync(folder)) if (!written.has(old)) rmSync(path.join(folder, old));
  return manifest;
}

function writeWhenNew(file: string, contents: Uint8Array): void {
  if (existsSync(file) && readFileSync(file).equals(contents)) return;
  writeFileSync(file, contents);
}
