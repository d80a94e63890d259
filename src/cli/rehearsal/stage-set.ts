import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { stringify } from "smol-toml";
import type { DropConfig } from "../../config/store-config.ts";
import { rehearsedTable, type RehearsedTerms } from "../../rehearsal/compression.ts";
import { readStoreFile, type StoreFile } from "../store-file.ts";
import { mistakeText } from "../../config/store-from-vars.ts";

/** A folder of a rehearsal's own: the changed config and the data. Nothing of the creator's is touched. */
export interface StageSet {
  readonly folder: string;
  /** Writes the config of a night and answers its file. */
  configFor(name: string, terms: RehearsedTerms): string;
  dataFor(name: string): string;
  remove(): void;
}

/** Makes the folder for a drop of a store. */
export function stageSet({ vars }: StoreFile, { slug }: DropConfig): StageSet {
  const folder = mkdtempSync(path.join(tmpdir(), "tranche-rehearsal-"));
  const remove = () => rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  // A rehearsal that is broken off leaves nothing behind either.
  process.once("exit", remove);
  const table = `DROP_${slug.toUpperCase().replaceAll("-", "_")}`;
  return {
    folder,
    configFor(name, terms) {
      const surroundings = Object.fromEntries(Object.entries(vars).filter(([key]) => key === "STORE" || key.startsWith("REGION_")));
      const own = vars[table];
      // The file was read and checked, so that the drop's table is there.
      const drop = rehearsedTable(typeof own === "object" && own !== null ? { ...own } : {}, terms);
      const file = path.join(folder, `${name}.toml`);
      writeFileSync(file, stringify({ vars: { ...surroundings, [table]: drop } }));
      const read = readStoreFile(file, { isLocal: true });
      if (!read.ok) throw new Error(`The rehearsed config has mistakes:\n${read.rejection.map(mistakeText).join("\n")}`);
      return file;
    },
    dataFor: (name) => path.join(folder, name),
    remove,
  };
}
