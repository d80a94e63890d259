import { existsSync } from "node:fs";

export interface ChromiumLaunch {
  readonly executablePath: string;
  readonly args: string[];
}

/** Without a sandbox of its own, because tests run as root in containers; the pages they open are ours. */
const ARGUMENTS = ["--no-sandbox", "--disable-dev-shm-usage"];

/**
 * A Chromium to test with: the one that `CHROMIUM` names, the system's, or one
 * that the project's own dependencies unpack, which needs nothing installed.
 */
export async function findChromium(): Promise<ChromiumLaunch> {
  const named = process.env["CHROMIUM"] ?? "";
  if (named !== "") return { executablePath: named, args: ARGUMENTS };
  if (existsSync("/usr/bin/chromium")) return { executablePath: "/usr/bin/chromium", args: ARGUMENTS };
  // Read once while the module loads: it decides whether the system's libraries are brought along.
  process.env["AWS_EXECUTION_ENV"] = "AWS_Lambda_nodejs24.x";
  const { default: chromium } = await import("@sparticuz/chromium");
  return { executablePath: await chromium.executablePath(), args: [...chromium.args, ...ARGUMENTS] };
}
