import type { ChallengeAnswer, WorkChallenge } from "../../../schema/wire/ticket.ts";
import { jitter } from "./api.ts";
import type { Prepared, WorkThread } from "./work-ahead.ts";
import type { WorkReport } from "./work.ts";
import { startWorker } from "./worker-start.ts";

const PAUSE_MAX_MS = 15_000;

/** Fetches a challenge for one ticket and has a worker solve it. Nobody waits for it yet, so that what goes wrong is tried again without a word. */
export function workThread({ path, worker: address }: { readonly path: string; readonly worker: string }, ticket: string): WorkThread {
  const ended = new AbortController();
  let worker: Worker | null = null;
  return {
    onReport(hear) {
      const solve = (challenge: WorkChallenge) => {
        worker = startWorker(address);
        worker.addEventListener("message", ({ data }: MessageEvent<WorkReport>) => hear("failed" in data ? "failed" : data.solution));
        worker.addEventListener("error", () => hear("failed"));
        worker.postMessage(challenge);
      };
      void fetchChallenge(path, ticket, ended.signal)
        .then((fetched) => {
          if (ended.signal.aborted) return;
          if (fetched === null || fetched === "failed") hear(fetched);
          else solve(fetched);
        })
        .catch(() => hear("failed"));
    },
    end() {
      ended.abort();
      worker?.terminate();
    },
  };
}

/** However often the store has to be asked; null where the drop asks for no work after all. */
async function fetchChallenge(path: string, ticket: string, signal: AbortSignal): Promise<WorkChallenge | Extract<Prepared, null | "failed">> {
  for (let attempt = 0; !signal.aborted; attempt++) {
    const response = await fetch(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ ticket }), cache: "no-store", signal }).catch(() => null);
    if (response?.ok === true) return (await response.json<ChallengeAnswer>()).challenge;
    if (response !== null && response.status !== 429 && response.status < 500) return "failed";
    const askedMs = Number(response?.headers.get("retry-after") ?? "0") * 1_000;
    await new Promise((resolve) => setTimeout(resolve, Math.max(askedMs, Math.min(PAUSE_MAX_MS, 500 * 2 ** attempt)) * jitter()));
  }
  return "failed";
}
