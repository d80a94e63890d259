import { readDrop, readProof, Unreadable, type Way } from "../../verifier/reading.ts";
import { ownHashing } from "../../verifier/sha256.ts";
import { verifyDrop } from "../../verifier/verify.ts";
import { findingTexts, progressText, verdictText } from "../../verifier/words.ts";
import type { CheckRequest, FromWorker, ToWorker } from "./record-wire.ts";

/* The module that checks a record beside its page, so that the page stays alive. */

type Answer = { readonly status: number; readonly text: string };

const asked = new Map<number, { readonly resolve: (answer: Answer) => void; readonly reject: (error: Error) => void }>();
let questions = 0;

function tell(message: FromWorker): void {
  postMessage(message);
}

const NEWS_EVERY_MS = 100;
let toldAt = 0;

const way: Way = {
  get: (path) =>
    new Promise((resolve, reject) => {
      questions++;
      asked.set(questions, { resolve, reject });
      tell({ kind: "get", id: questions, path });
    }),
  wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  progress(step, done, total) {
    if (performance.now() - toldAt < NEWS_EVERY_MS) return;
    toldAt = performance.now();
    tell({ kind: "progress", text: progressText(step, done, total), done, total });
  },
};

async function check({ drop, witnessed, ticket }: CheckRequest): Promise<void> {
  try {
    const material = await readDrop(drop, way);
    const question = ticket === null ? null : { ticket, proof: await readProof(drop, ticket, way) };
    const report = verifyDrop(material, { witnessed, ticket: question }, { hashing: ownHashing, progress: (...news) => way.progress(...news) });
    const { verdict, checked, unchecked, untold } = report;
    tell({ kind: "report", report: { verdict, sentence: verdictText(report), wrong: findingTexts(report), checked, unchecked, untold, ticket: report.ticket } });
  } catch (error) {
    tell({ kind: "unreadable", why: error instanceof Unreadable ? error.message : "the store does not answer" });
  }
}

addEventListener("message", (event: MessageEvent<ToWorker>) => {
  const message = event.data;
  if (message.kind === "check") void check(message);
  else {
    const waiting = asked.get(message.id);
    asked.delete(message.id);
    if (message.kind === "got") waiting?.resolve({ status: message.status, text: message.text });
    else waiting?.reject(new Error("the store does not answer"));
  }
});
