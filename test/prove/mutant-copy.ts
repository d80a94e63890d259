import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { PROJECT } from "../support/sources.ts";

/** One change of a shipped file: exactly one place reads `from`. */
export interface Change {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

export interface Copy {
  readonly folder: string;
  remove(): Promise<void>;
}

/** What the product is made of; the dependencies are linked. */
const COPIED = ["src", "workers", "schema", "migrations", "static", ".build", "wrangler.toml", "package.json", "package-lock.json", "tsconfig.json"];

/** What belongs to whoever builds or serves in the original, and may be gone in the middle of a copy. */
const NOT_COPIED: ReadonlySet<string> = new Set(["lock", "compiled", "dev"].map((name) => path.join(".build", name)));

/** A copy of the product with the changes in it. A change whose place is not there, or is there twice, is an error: it would prove nothing. */
export async function changedCopy(changes: readonly Change[]): Promise<Copy> {
  const folder = await mkdtemp(path.join(tmpdir(), "tranche-mutant-"));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    for (const name of COPIED) {
      await cp(path.join(PROJECT, name), path.join(folder, name), { recursive: true, filter: (source) => !NOT_COPIED.has(path.relative(PROJECT, source)) });
    }
    await symlink(path.join(PROJECT, "node_modules"), path.join(folder, "node_modules"));
    for (const { file, from, to } of changes) {
      const target = path.join(folder, file);
      const text = await readFile(target, "utf8");
      const places = text.split(from).length - 1;
      if (places !== 1) throw new Error(`${file} has ${places} places that read: ${from}`);
      await writeFile(target, text.replace(from, () => to));
    }
    return { folder, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}
