import { jitter } from "./api.ts";
import type { ServerClock } from "./clock.ts";
import type { Live } from "./page-data.ts";

export interface LiveFeed {
  /** Asks now, for a page that was asleep. */
  refresh(): void;
}

export interface LiveOptions {
  readonly drop: string;
  readonly clock: ServerClock;
  /** The next moment at which something changes, such as the opening; null when nothing is due. */
  nextBoundaryAt(): number | null;
  onLive(live: Live): void;
  /** Whether the store was heard of lately. */
  onConnection(isHeard: boolean): void;
}

const HEARTBEAT_MS = 15_000;
const NEAR_MS = 30_000;

/** How long until the next reading: with a socket only a heartbeat, without one often near a boundary and seldom before. */
export function pollDelayMs(isSocketOpen: boolean, msToBoundary: number | null, phase: Live["phase"] | null): number {
  if (isSocketOpen) return HEARTBEAT_MS;
  if (phase === "closed" || phase === "cancelled") return 60_000;
  const isNear = msToBoundary !== null && msToBoundary < NEAR_MS;
  if (isNear || phase === "drawing" || phase === "open" || phase === "paused" || phase === "sold-out") return 1_500;
  return msToBoundary !== null && msToBoundary > 10 * 60_000 ? 20_000 : 5_000;
}

/**
 * Follows the public state: by socket, which pushes every change, and by
 * reading while there is none. A socket that stays silent is not trusted
 * forever, so a slow reading goes on beside it.
 */
export function followLive(options: LiveOptions): LiveFeed {
  const path = `/api/drops/${options.drop}`;
  let latest: Live | null = null;
  let isSocketOpen = false;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function take(live: Live): void {
    options.clock.sample(Date.parse(live.now));
    options.onConnection(true);
    // A cache may answer with something older than what the socket already said.
    if (latest !== null && live.asOf < latest.asOf) return;
    latest = live;
    options.onLive(live);
  }

  async function read(): Promise<void> {
    try {
      const response = await fetch(`${path}/live`, { signal: AbortSignal.timeout(6_000) });
      if (!response.ok) throw new Error(`live answered ${response.status}`);
      const live: Live = await response.json();
      take(live);
    } catch {
      if (!isSocketOpen) options.onConnection(false);
    }
    schedule();
  }

  function schedule(): void {
    clearTimeout(timer);
    const boundary = options.nextBoundaryAt();
    const delay = pollDelayMs(isSocketOpen, boundary === null ? null : boundary - options.clock.now(), latest?.phase ?? null);
    timer = setTimeout(() => void read(), delay * (0.75 + jitter() / 4));
  }

  function connect(attempt: number): void {
    const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${path}/socket`);
    let isHeard = false;
    socket.onopen = () => { isSocketOpen = true; schedule(); };
    socket.onmessage = (event: MessageEvent<unknown>) => {
      if (typeof event.data !== "string") return;
      isHeard = true;
      const live: Live = JSON.parse(event.data);
      take(live);
    };
    socket.onclose = () => {
      isSocketOpen = false;
      schedule();
      const next = isHeard ? 0 : attempt + 1;
      setTimeout(() => connect(next), Math.min(30_000, 1_000 * 2 ** next) * jitter());
    };
  }

  connect(0);
  void read();
  return { refresh: () => void read() };
}
