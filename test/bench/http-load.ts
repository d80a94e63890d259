import { connect, type Socket } from "node:net";

/*
 * A client that costs next to nothing, because it shares the machine with what
 * it measures: requests are bytes that were made beforehand, every connection
 * has one of them under way, and of an answer only its status and its length
 * are read.
 */

export interface Reply {
  readonly status: number;
  readonly body: string;
}

const HEADERS_END = Buffer.from("\r\n\r\n");
const LAST_CHUNK = "0\r\n\r\n";

/** The bytes of one request. */
export function requestBytes(port: number, method: string, path: string, headers: Readonly<Record<string, string>> = {}, body?: unknown): Buffer {
  const text = body === undefined ? "" : JSON.stringify(body);
  const all = { host: `127.0.0.1:${port}`, ...(body === undefined ? {} : { "content-type": "application/json", "content-length": String(Buffer.byteLength(text)) }), ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`).join("");
  return Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines}\r\n${text}`);
}

/** One connection that stays open and has one request at a time under way. */
class Connection {
  readonly #socket: Socket;
  readonly #keepsBodies: boolean;
  #arrived: Buffer[] = [];
  #status = 0;
  /** How many bytes of the body are still to come; null when it comes in chunks and its end has to be seen. */
  #remaining: number | null = 0;
  #tail = "";
  #done: ((reply: Reply) => void) | null = null;
  #fail: ((error: Error) => void) | null = null;

  private constructor(socket: Socket, keepsBodies: boolean) {
    this.#socket = socket;
    this.#keepsBodies = keepsBodies;
    socket.setNoDelay(true);
    socket.on("data", (bytes: Buffer) => this.#read(bytes));
    socket.on("error", (error) => this.#fail?.(error));
    socket.on("close", () => this.#fail?.(new Error("the server closed the connection")));
  }

  static open(port: number, keepsBodies: boolean): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: "127.0.0.1" });
      socket.once("error", reject);
      socket.once("connect", () => {
        socket.off("error", reject);
        resolve(new Connection(socket, keepsBodies));
      });
    });
  }

  send(bytes: Buffer): Promise<Reply> {
    return new Promise((resolve, reject) => {
      this.#done = resolve;
      this.#fail = reject;
      this.#socket.write(bytes);
    });
  }

  close(): void {
    this.#done = null;
    this.#fail = null;
    this.#socket.destroy();
  }

  #read(bytes: Buffer): void {
    if (this.#status !== 0) return this.#readBody(bytes);
    const all = this.#arrived.length === 0 ? bytes : Buffer.concat([...this.#arrived, bytes]);
    const end = all.indexOf(HEADERS_END);
    if (end < 0) {
      this.#arrived = [all];
      return;
    }
    this.#arrived = [];
    const head = all.toString("latin1", 0, end).toLowerCase();
    this.#status = Number(head.slice(9, 12));
    const length = /\r\ncontent-length: *(\d+)/.exec(head)?.[1];
    this.#remaining = length === undefined ? (head.includes("\r\ntransfer-encoding: chunked") ? null : 0) : Number(length);
    this.#tail = "";
    this.#readBody(all.subarray(end + HEADERS_END.length));
  }

  #readBody(bytes: Buffer): void {
    if (this.#keepsBodies) this.#arrived.push(bytes);
    if (this.#remaining === null) {
      this.#tail = (this.#tail + bytes.toString("latin1", Math.max(0, bytes.length - LAST_CHUNK.length))).slice(-LAST_CHUNK.length);
      if (this.#tail === LAST_CHUNK) this.#finish(true);
      return;
    }
    this.#remaining -= bytes.length;
    if (this.#remaining <= 0) this.#finish(false);
  }

  #finish(isChunked: boolean): void {
    const body = this.#keepsBodies ? bodyText(Buffer.concat(this.#arrived), isChunked) : "";
    const status = this.#status;
    this.#arrived = [];
    this.#status = 0;
    const done = this.#done;
    this.#done = null;
    this.#fail = null;
    done?.({ status, body });
  }
}

function bodyText(bytes: Buffer, isChunked: boolean): string {
  if (!isChunked) return bytes.toString();
  const parts: Buffer[] = [];
  let at = 0;
  for (;;) {
    const end = bytes.indexOf("\r\n", at);
    const size = Number.parseInt(bytes.toString("latin1", at, end), 16);
    if (!(size > 0)) return Buffer.concat(parts).toString();
    parts.push(bytes.subarray(end + 2, end + 2 + size));
    at = end + 2 + size + 2;
  }
}

async function withConnections<Value>(port: number, count: number, keepsBodies: boolean, use: (connection: Connection) => Promise<Value>): Promise<Value[]> {
  const connections = await Promise.all(Array.from({ length: count }, () => Connection.open(port, keepsBodies)));
  try {
    return await Promise.all(connections.map(use));
  } finally {
    for (const connection of connections) connection.close();
  }
}

/** Sends every request once, as many at a time as there are connections, and gives the replies in the order of the requests. */
export async function sendAll(port: number, requests: readonly Buffer[], connections: number): Promise<Reply[]> {
  const replies: Reply[] = [];
  const waiting = requests.entries();
  await withConnections(port, Math.min(connections, requests.length), true, async (connection) => {
    for (const [index, bytes] of waiting) replies[index] = await connection.send(bytes);
  });
  return replies;
}

/** Sends every request once and counts; throws when one is not answered with `status`. */
export async function sendCounted(port: number, requests: readonly Buffer[], connections: number, status: number): Promise<number> {
  const waiting = requests.values();
  const counts = await withConnections(port, Math.min(connections, requests.length), false, async (connection) => {
    let count = 0;
    for (const bytes of waiting) {
      expectStatus((await connection.send(bytes)).status, status, bytes);
      count++;
    }
    return count;
  });
  return counts.reduce((sum, count) => sum + count, 0);
}

/** Sends one request again and again for so long; answers how often. */
export async function sendFor(port: number, request: Buffer, connections: number, forMs: number): Promise<number> {
  const until = performance.now() + forMs;
  const counts = await withConnections(port, connections, false, async (connection) => {
    let count = 0;
    while (performance.now() < until) {
      expectStatus((await connection.send(request)).status, 200, request);
      count++;
    }
    return count;
  });
  return counts.reduce((sum, count) => sum + count, 0);
}

function expectStatus(status: number, expected: number, request: Buffer): void {
  if (status !== expected) throw new Error(`${request.toString("latin1", 0, request.indexOf("\r\n"))} was answered with ${status} and not with ${expected}`);
}
