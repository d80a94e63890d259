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

/** A copy of the product with the changes in it. A change whose place is not there, or is there twice, is an error: it would prove nothing. */
export async function changedCopy(changes: readonly Change[]): Promise<Copy> {
  const folder = await mkdtemp(path.join(tmpdir(), "tranche-mutant-"));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    for (const name of COPIED) {
      // A build's lock belongs to whoever builds in the original.
      await cp(path.join(PROJECT, name), path.join(folder, name), { recursive: true, filter: (source) => !source.endsWith(path.join(".build", "lock")) });
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
