import * as v from "valibot";
import { nodeHashing } from "../../kernel/node-hashing.ts";
import { WaitingCrowd, type OwnPlace } from "../../rehearsal/line.ts";
import type { HttpClient } from "./http-client.ts";
import { type Surroundings, wait } from "./visitor.ts";

const LIVE = v.looseObject({
  asOf: v.string(),
  now: v.string(),
  phase: v.string(),
  stage: v.nullable(v.number()),
  available: v.number(),
  waiting: v.number(),
  nextStageAt: v.nullable(v.string()),
  seed: v.nullable(v.string()),
  thresholds: v.array(v.looseObject({ sku: v.string(), lane: v.string(), upTo: v.nullable(v.string()) })),
  items: v.array(v.looseObject({ sku: v.string(), available: v.number(), soldOut: v.nullable(v.picklist(["stage", "final"])) })),
  dpopNonce: v.string(),
});
export type Live = v.InferOutput<typeof LIVE>;

/** How often one reader asks for everybody: an edge's cache would be asked by all, and ask the store as often. */
const READ_EVERY_MS = 300;

export interface FeedCounts {
  readings: number;
  failedReadings: number;
  socketsOpened: number;
  socketMessages: number;
  /** The oldest state that was shown, in milliseconds, by the store's own clock. */
  oldestMs: number;
}

/**
 * The public state of the drop for the whole crowd. One reader stands for the
 * edge's cache, some sockets for browsers; nobody who waits asks for himself.
 */
export class LiveFeed {
  latest: Live | null = null;
  readonly counts: FeedCounts = { readings: 0, failedReadings: 0, socketsOpened: 0, socketMessages: 0, oldestMs: 0 };
  readonly #surroundings: Surroundings;
  readonly #crowd: WaitingCrowd<(isTurn: boolean) => void>;
  readonly #sockets = new Set<WebSocket>();
  #isOver = false;
  #reading: Promise<void> | null = null;

  constructor(surroundings: Surroundings, opensAt: number) {
    this.#surroundings = surroundings;
    this.#crowd = new WaitingCrowd(opensAt, nodeHashing);
  }

  get waiting(): number {
    return this.#crowd.length;
  }

  start(): void {
    this.#reading = this.#read();
  }

  /** True when the turn has come; false when the drop is over and it never will. */
  turnOf(place: OwnPlace): Promise<boolean> {
    if (this.#isOver || this.isGone(place.wants)) return Promise.resolve(false);
    return new Promise((resolve) => this.#crowd.stand(resolve, place));
  }

  /** Whether anything that is wanted can never be had any more. */
  isGone(wants: readonly { readonly sku: string }[]): boolean {
    const { latest } = this;
    if (latest === null) return false;
    return this.#isOver || wants.every((want) => latest.items.find(({ sku }) => sku === want.sku)?.soldOut === "final");
  }

  /** Whether any of it can be had at this moment. */
  isAvailable(wants: readonly { readonly sku: string }[]): boolean {
    return wants.some((want) => (this.latest?.items.find(({ sku }) => sku === want.sku)?.available ?? 0) > 0);
  }

  /** Opens sockets as browsers do; what they say is counted and heard like a reading. */
  listen(sockets: number): void {
    const { store, drop } = this.#surroundings;
    for (let index = 0; index < sockets; index++) {
      const socket = new WebSocket(`${store.replace("http", "ws")}/api/drops/${drop}/socket`);
      this.#sockets.add(socket);
      socket.addEventListener("open", () => this.counts.socketsOpened++);
      socket.addEventListener("message", () => this.counts.socketMessages++);
      // A socket that breaks in the crash of a rehearsal is not opened again: the reader goes on.
      socket.addEventListener("error", () => this.#sockets.delete(socket));
    }
  }

  async end(): Promise<void> {
    this.#finish();
    for (const socket of this.#sockets) socket.close();
    await this.#reading;
  }

  #finish(): void {
    this.#isOver = true;
    for (const resolve of this.#crowd.dismiss()) resolve(false);
  }

  async #read(): Promise<void> {
    const { store, drop, http } = this.#surroundings;
    while (!this.#isOver) {
      const live = await readLive(http, store, drop);
      if (live === null) this.counts.failedReadings++;
      else this.#take(live);
      await wait(READ_EVERY_MS);
    }
  }

  #take(live: Live): void {
    this.counts.readings++;
    this.counts.oldestMs = Math.max(this.counts.oldestMs, Date.parse(live.now) - Date.parse(live.asOf));
    if (this.latest !== null && live.asOf < this.latest.asOf) return;
    this.latest = live;
    this.#surroundings.nonce = live.dpopNonce;
    for (const resolve of this.#crowd.called(live)) resolve(true);
    const isFinal = live.items.every(({ soldOut }) => soldOut === "final");
    // The reading goes on until the rehearsal ends it: the drop still has to close.
    if (isFinal || live.phase === "closed" || live.phase === "cancelled") for (const resolve of this.#crowd.dismiss()) resolve(false);
  }
}

/** The live object, or null when the store does not answer. */
export async function readLive(http: HttpClient, store: string, drop: string): Promise<Live | null> {
  try {
    const reply = await http.ask({ route: "GET live", method: "GET", lane: "live", url: `${store}/api/drops/${drop}/live` });
    return reply.status === 200 ? v.parse(LIVE, JSON.parse(reply.text)) : null;
  } catch {
    return null;
  }
}
