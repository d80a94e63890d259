import { raiseAlarm } from "./alarm.ts";
import { fill, find, make, pageData, show } from "./dom.ts";
import type { FromWorker, ShownReport, ToWorker } from "./record-wire.ts";
import { memoryKey, recall } from "./storage.ts";
import { bearWitness, complaintAbout, headsOf, recallSeen, type SeenHead } from "./witness.ts";
import { startWorker } from "./worker-start.ts";

/* The module of a drop's record: checks it here, and against what this browser saw before. */

/** What the page hands over; the server wrote it into the same page. */
export interface RecordPageData {
  readonly drop: string;
  readonly planHash: string;
  readonly head: SeenHead;
  readonly isDrawn: boolean;
  /** The address of the module that checks. */
  readonly worker: string;
}

const ROWS_A_PAGE = 1_000;
const READ_TIMEOUT_MS = 30_000;

const VERDICTS: Readonly<Record<ShownReport["verdict"], string>> = { right: "Right", wrong: "Wrong", unclear: "Not checked whole" };

/** Never out of a cache: a page that was kept for a second would lack rows that this browser has seen. */
async function get(path: string): Promise<Response> {
  return fetch(path, { cache: "no-store", signal: AbortSignal.timeout(READ_TIMEOUT_MS) });
}

/** The hash of the plan for which a ticket was given; it stands in the ticket's public middle part. */
function planOf(ticket: string): string | null {
  try {
    const claims: unknown = JSON.parse(atob((ticket.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/")));
    return typeof claims === "object" && claims !== null && "plan" in claims && typeof claims.plan === "string" ? claims.plan : null;
  } catch {
    return null;
  }
}

/** Compares what this browser saw before with the record as it is now. */
async function recallAndCompare(drop: string): Promise<string | null> {
  const seen = recallSeen(drop);
  const byPage = new Map<number, SeenHead[]>();
  for (const head of seen === null ? [] : headsOf(seen)) {
    const from = Math.floor((head.seq - 1) / ROWS_A_PAGE) * ROWS_A_PAGE + 1;
    byPage.set(from, [...(byPage.get(from) ?? []), head]);
  }
  for (const [from, heads] of byPage) {
    const response = await get(`/api/drops/${drop}/record?from=${from}`);
    if (!response.ok) return null;
    const lines = (await response.text()).split("\n");
    for (const head of heads) {
      const row: unknown = JSON.parse(lines[head.seq - from] ?? "null");
      const hash = typeof row === "object" && row !== null && "hash" in row ? row.hash : null;
      if (hash !== head.hash) return complaintAbout(head, hash === null ? "there is no such row now" : "that row is another one now");
    }
  }
  return null;
}

class Check {
  readonly #page: RecordPageData;
  #isRunning = false;

  constructor(page: RecordPageData) {
    this.#page = page;
  }

  start(): void {
    show('[data-panel="check"]', true);
    find<HTMLButtonElement>('[data-do="check"]')?.addEventListener("click", () => this.#run());
    void this.#compare();
  }

  async #compare(): Promise<void> {
    const { drop, planHash, head, isDrawn } = this.#page;
    try {
      const before = recallSeen(drop);
      const complaint = bearWitness(drop, { planHash, head, isDrawn }) ?? (await recallAndCompare(drop));
      if (complaint !== null) raiseAlarm(complaint, drop);
      else if (before?.first == null || before.planHash !== planHash) fill("witness", "From now on this browser remembers what it was shown of this record, and compares it with every later visit.");
      else fill("witness", `This browser keeps ${headsOf(before).length} of the heads that it was shown since ${before.first.at}. The record still contains them.`);
    } catch {
      // The store does not answer now; the next visit compares again.
    }
  }

  #run(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#set(true);
    fill("check-state", "Reading the record…");
    show('[data-panel="report"]', false);
    const worker = startWorker(this.#page.worker);
    const tell = (message: ToWorker) => worker.postMessage(message);
    const end = (words: string) => {
      worker.terminate();
      this.#isRunning = false;
      this.#set(false);
      fill("check-state", words);
    };
    worker.addEventListener("error", () => end("This browser could not run the check. npm run verify, as described below, does the same."));
    worker.addEventListener("message", (event: MessageEvent<FromWorker>) => {
      const message = event.data;
      if (message.kind === "get") void this.#fetchFor(message.id, message.path, tell);
      else if (message.kind === "progress") this.#progress(message.text, message.done, message.total);
      else if (message.kind === "unreadable") end(`It could not be checked: ${message.why}.`);
      else {
        end("");
        this.#showReport(message.report);
      }
    });
    const seen = recallSeen(this.#page.drop);
    const { ticketId, ticket } = recall(memoryKey(this.#page.drop, this.#page.planHash));
    const plan = ticket === null ? null : planOf(ticket.ticket);
    const heads = seen === null ? [] : headsOf(seen).map(({ seq, hash }) => ({ seq, hash }));
    tell({ kind: "check", drop: this.#page.drop, witnessed: plan === null ? heads : [{ seq: 1, hash: plan }, ...heads], ticket: ticketId });
  }

  #set(isBusy: boolean): void {
    const button = find<HTMLButtonElement>('[data-do="check"]');
    // Not disabled: that would take the focus from whoever pressed it by key.
    button?.setAttribute("aria-disabled", String(isBusy));
    show("[data-progress]", isBusy);
  }

  async #fetchFor(id: number, path: string, tell: (message: ToWorker) => void): Promise<void> {
    try {
      const response = await get(path);
      tell({ kind: "got", id, status: response.status, text: await response.text() });
    } catch {
      tell({ kind: "lost", id });
    }
  }

  /** Seen at every step, and read out only when the step is another one. */
  #progress(text: string, done: number, total: number): void {
    fill("check-count", text);
    fill("check-state", `${text.split(":")[0] ?? text}…`);
    const bar = find<HTMLProgressElement>("[data-progress] progress");
    if (bar === null) return;
    if (total > 0) {
      bar.max = total;
      bar.value = done;
    } else bar.removeAttribute("value");
  }

  #showReport({ verdict, sentence, wrong, checked, unchecked, untold, ticket }: ShownReport): void {
    fill("verdict", VERDICTS[verdict]);
    fill("verdict-sentence", sentence);
    fill("ticket", ticket ?? "");
    for (const [name, sentences] of Object.entries({ wrong, checked, unchecked, untold })) {
      show(`[data-part="${name}"]`, sentences.length > 0);
      find(`[data-part="${name}"] ul`)?.replaceChildren(...sentences.map((words) => make("li", {}, words)));
    }
    const report = find('[data-panel="report"]');
    report?.setAttribute("data-verdict", verdict);
    show('[data-panel="report"]', true);
    find('[data-panel="report"] h3')?.focus();
  }
}

const data = pageData();
// The server wrote this into the same page; its shape is the type that both are built from.
if (data !== null) new Check(data as RecordPageData).start();
