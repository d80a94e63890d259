import { solveChallenge } from "altcha-lib";
import { deriveKey } from "altcha-lib/algorithms/web/pbkdf2";
import type { WorkChallenge, WorkSolution } from "../../../schema/wire/ticket.ts";

/*
 * A worker thread that solves one proof-of-work challenge, so that the page
 * stays as quick as it is. It asks nobody for anything: the page hands it the
 * challenge, and ends it.
 */

export type WorkReport = { readonly solution: WorkSolution } | { readonly failed: true };

async function work(challenge: WorkChallenge): Promise<WorkReport> {
  // Without a time limit: what would it do but begin again?
  const solution = await solveChallenge({ challenge, deriveKey, timeout: 0 });
  return solution === null ? { failed: true } : { solution: { challenge, solution } };
}

addEventListener("message", ({ data }: MessageEvent<WorkChallenge>) => {
  void work(data)
    .catch((): WorkReport => ({ failed: true }))
    .then((report) => postMessage(report));
});
