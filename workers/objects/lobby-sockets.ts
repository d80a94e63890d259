import { socketsMaxOf } from "../../src/drop/network-budgets.ts";
import type { Plan } from "../../src/drop/plan.ts";
import { shardPart } from "../../src/lobby/join-budget.ts";
import type { LobbyLive } from "../../src/lobby/port.ts";
import { liveFingerprint, liveToWire } from "../../src/lobby/live-wire.ts";
import { type ProblemCode, problemDocument, PROBLEMS } from "../../src/kernel/problem.ts";
import type { Clock } from "../../src/kernel/time.ts";

/** A broadcast costs about 45 microseconds a socket: this many still leave the object most of its second. */
const SOCKETS_MAX = 5_000;
const FRAME_BYTES_MAX = 1_024;
const FRAMES_PER_SECOND_MAX = 5;
/**
 * Of all sockets of a network together. Browsers send nothing at all, so that
 * whoever is closed for what the network sends is one of those who send it.
 */
const NETWORK_FRAMES_PER_SECOND_MAX = 100;
const PUBLISH_INTERVAL_MS = 250;

// The close codes of RFC 6455 that are used here.
const NORMAL = 1000;
const POLICY_VIOLATION = 1008;
const TOO_BIG = 1009;

/** What came in within one second. */
interface Frames {
  readonly since: number;
  count: number;
}

/** The browsers that listen to one shard. They only listen: nothing that they send is ever read for its meaning. */
export class LobbySockets {
  readonly #context: DurableObjectState;
  readonly #clock: Clock;
  readonly #frames = new WeakMap<WebSocket, Frames>();
  /** The frames of this second by network; the next second begins with none. */
  #byNetwork = { since: 0, counts: new Map<string, number>() };
  #published: string | null = null;
  #publishedAt = 0;
  #next: LobbyLive | null = null;

  constructor(context: DurableObjectState, clock: Clock) {
    this.#context = context;
    this.#clock = clock;
  }

  get count(): number {
    return this.#context.getWebSockets().length;
  }

  get isFull(): boolean {
    return this.count >= SOCKETS_MAX;
  }

  /**
   * Whether a network, by its keyed hash, has as many sockets here as it may:
   * one machine could take every place of the shard otherwise. The runtime keeps
   * the count with the sockets, so that it outlives a hibernation.
   */
  isFullFor(network: string, plan: Plan): boolean {
    return this.#context.getWebSockets(network).length >= shardPart(socketsMaxOf(plan, network), plan.shards);
  }

  /** Takes a browser of a network in and tells it the state at once. */
  accept(live: LobbyLive, network: string): Response {
    const pair = new WebSocketPair();
    const [browser, ours] = [pair[0], pair[1]];
    this.#context.acceptWebSocket(ours, [network]);
    ours.send(JSON.stringify(liveToWire(live, this.#clock())));
    return new Response(null, { status: 101, webSocket: browser });
  }

  /** Tells everybody of a change, at most four times a second; what changes in between is told together. */
  publish(live: LobbyLive): void {
    if (this.count === 0) return;
    const isWaiting = this.#next !== null;
    this.#next = live;
    if (isWaiting) return;
    // After a clock was set back the last publication lies in the future: nobody waits for that moment.
    const waitMs = Math.min(PUBLISH_INTERVAL_MS, this.#publishedAt + PUBLISH_INTERVAL_MS - this.#clock());
    if (waitMs <= 0) this.#broadcast();
    else setTimeout(() => this.#broadcast(), waitMs);
  }

  /** The drop is over: says so for the last time and lets everybody go. */
  dismiss(live: LobbyLive): void {
    this.#next = live;
    this.#broadcast();
    const reason = live.live.phase === "cancelled" ? "the drop was cancelled" : "the drop is closed";
    for (const socket of this.#context.getWebSockets()) close(socket, NORMAL, reason);
  }

  /** Judges a frame by its size and its frequency alone. */
  receive(socket: WebSocket, frame: string | ArrayBuffer): void {
    // A character takes up to three bytes in UTF-8, so a short string needs no counting.
    const bytes = typeof frame !== "string" ? frame.byteLength : frame.length * 3 <= FRAME_BYTES_MAX ? frame.length : new TextEncoder().encode(frame).byteLength;
    if (bytes > FRAME_BYTES_MAX) return close(socket, TOO_BIG, "a frame has at most 1 KB");
    const now = this.#clock();
    const own = counted(this.#frames.get(socket), now);
    this.#frames.set(socket, own);
    if (own.count > FRAMES_PER_SECOND_MAX) return close(socket, POLICY_VIOLATION, "too many frames");
    const [network = ""] = this.#context.getTags(socket);
    if (!isWithinSecond(this.#byNetwork, now)) this.#byNetwork = { since: now, counts: new Map() };
    const together = (this.#byNetwork.counts.get(network) ?? 0) + 1;
    this.#byNetwork.counts.set(network, together);
    if (together > NETWORK_FRAMES_PER_SECOND_MAX) close(socket, POLICY_VIOLATION, "too many frames from this network");
  }

  #broadcast(): void {
    const live = this.#next;
    this.#next = null;
    if (live === null) return;
    const fingerprint = liveFingerprint(live);
    if (fingerprint === this.#published) return;
    const now = this.#clock();
    this.#published = fingerprint;
    this.#publishedAt = now;
    const text = JSON.stringify(liveToWire(live, now));
    for (const socket of this.#context.getWebSockets()) {
      try {
        socket.send(text);
      } catch {
        // It is closing already; its close event follows.
      }
    }
  }
}

/** A second that would begin in the future is from before a clock was set back, and over. */
function isWithinSecond({ since }: { readonly since: number }, now: number): boolean {
  return since <= now && now < since + 1_000;
}

/** One frame more. */
function counted(frames: Frames | undefined, now: number): Frames {
  if (frames === undefined || !isWithinSecond(frames, now)) return { since: now, count: 1 };
  frames.count++;
  return frames;
}

function close(socket: WebSocket, code: number, reason: string): void {
  try {
    socket.close(code, reason);
  } catch {
    // Closed by the other side in the meantime.
  }
}

/** Why a browser gets no socket; it can go on by asking for the live object. */
export function socketRefusal(code: ProblemCode, request: Request): Response {
  const headers = new Headers({ "Content-Type": "application/problem+json" });
  if (code === "temporarily_unavailable") headers.set("Retry-After", "2");
  if (code === "too_many_requests") headers.set("Retry-After", "30");
  return new Response(JSON.stringify(problemDocument({ code }, new URL(request.url).pathname)), { status: PROBLEMS[code].status, headers });
}
