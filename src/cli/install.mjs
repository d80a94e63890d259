/*
 * Makes node_modules complete. Plain JavaScript for the Node that happens to be
 * on the machine (20 or later): TypeScript and everything else is run by the
 * Node that this installs.
 *
 *   node src/cli/install.mjs          installs when something is missing
 *   node src/cli/install.mjs --mark   notes that an installation has just ended well
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, lstatSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const modules = join(root, "node_modules");
const marker = join(modules, ".installed-lockfile");
const lockfileHash = createHash("sha256").update(readFileSync(join(root, "package-lock.json"))).digest("hex");

/** The hash that was noted after the last installation that ended well; empty when none did. */
function installedHash() {
  // npm can end well without having run the step that puts Node in its place.
  if (!existsSync(marker) || !existsSync(join(modules, ".bin", "node"))) return "";
  return readFileSync(marker, "utf8").trim();
}

if (process.argv.includes("--mark")) {
  writeFileSync(marker, `${lockfileHash}\n`);
} else if (installedHash() !== lockfileHash) {
  // npm empties the folder before it fills it: through a link that would be another project's.
  if (lstatSync(modules, { throwIfNoEntry: false })?.isSymbolicLink() === true) {
    process.stderr.write("node_modules is a link to another folder, which does not fit package-lock.json. Remove the link; nothing was installed.\n");
    process.exit(1);
  }
  const reason = existsSync(modules) ? "package-lock.json has changed or the last installation did not end well" : "there is no node_modules yet";
  // On standard error: standard output belongs to the command that comes next.
  process.stderr.write(`Installing the dependencies, because ${reason}. This takes about half a minute.\n`);
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  const { status, error } = spawnSync(npm, ["ci", "--no-audit", "--no-fund", "--loglevel=error"], { cwd: root, stdio: ["ignore", 2, 2], shell: process.platform === "win32" });
  if (status !== 0) {
    process.stderr.write(`npm ci did not end well${error ? `: ${error.message}` : ""}. Nothing was started.\n`);
    process.exit(status || 1);
  }
  writeFileSync(marker, `${lockfileHash}\n`);
  process.stderr.write("Installed.\n");
}
