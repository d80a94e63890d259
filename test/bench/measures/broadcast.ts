import { connect, type Socket } from "node:net";
import { sendAll } from "../http-load.ts";
import { claimAll, holdRequests, joinAll, newPeople, nonceOf } from "../people.ts";
import { processorMicroseconds } from "../processor-time.ts";
import { median } from "../rounds.ts";
import type { Served } from "../runtimes.ts";
import { atMost, type Row } from "../table.ts";

const SOCKETS = 2_000;
/** How many sockets are opened at the same time. */
const OPENING = 50;
const ROUND_MS = 6_000;
const CHANGE_EVERY_MS = 200;

interface Listening {
  readonly frames: number;
  readonly processorUs: number;
}

/**
 * What one change of the live object costs for each browser that listens. The
 * same changes are made with one socket and with 2,000, so that only the
 * difference counts, and the frames that arrive are counted at the sockets.
 */
export async function measureBroadcast(product: Served, drop: string, rounds: number, tell: (line: string) => void): Promise<Row[]> {
  const perFrame: number[] = [];
  let frames = 0;
  for (let round = 0; round < rounds; round++) {
    const one = await listen(product, drop, 1);
    const many = await listen(product, drop, SOCKETS);
    perFrame.push((many.processorUs - one.processorUs) / (many.frames - one.frames));
    frames += many.frames;
    tell(`round ${round + 1} of ${rounds}: ${many.frames} frames, ${perFrame.at(-1)?.toFixed(1) ?? ""} µs each`);
  }
  const middle = median(perFrame);
  return [{
    what: `a change of the live object, per socket at ${SOCKETS} sockets`, figure: `${middle.toFixed(1)} µs`, goal: atMost(middle, 60, "µs"),
    detail: `processor time above that of the same changes with one socket, over ${frames} frames that arrived`,
  }];
}

async function listen(product: Served, drop: string, count: number): Promise<Listening> {
  const changes = await preparedChanges(product, drop);
  const counter = { frames: 0 };
  const sockets: Socket[] = [];
  try {
    while (sockets.length < count) {
      sockets.push(...await Promise.all(Array.from({ length: Math.min(OPENING, count - sockets.length) }, () => openSocket(product.port, drop, counter))));
    }
    // The first frames, which every socket gets for coming, are over by then.
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    counter.frames = 0;
    const before = processorMicroseconds(product.pid);
    for (const change of changes) {
      const [reply] = await sendAll(product.port, [change], 1);
      if (reply?.status !== 201) throw new Error(`a hold was answered with ${reply?.status ?? "nothing"}`);
      await new Promise((resolve) => setTimeout(resolve, CHANGE_EVERY_MS));
    }
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    return { frames: counter.frames, processorUs: processorMicroseconds(product.pid) - before };
  } finally {
    for (const socket of sockets) socket.destroy();
    // The shard takes note of who has left before the next round begins.
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
}

/** Holds, each of which changes how much is available. */
async function preparedChanges({ port }: Served, drop: string): Promise<Buffer[]> {
  const people = newPeople(ROUND_MS / CHANGE_EVERY_MS);
  const admitted = await claimAll(port, drop, await joinAll(port, drop, people, 8), 8);
  return holdRequests(port, drop, admitted, await nonceOf(port, drop));
}

/** A socket that counts the frames it gets; only their lengths are read. */
function openSocket(port: number, drop: string, counter: { frames: number }): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1" });
    let buffered: Buffer = Buffer.alloc(0);
    let isOpen = false;
    socket.once("error", reject);
    socket.on("data", (bytes: Buffer) => {
      buffered = buffered.length === 0 ? bytes : Buffer.concat([buffered, bytes]);
      if (!isOpen) {
        const end = buffered.indexOf("\r\n\r\n");
        if (end < 0) return;
        const answer = buffered.toString("latin1", 0, end);
        if (!answer.startsWith("HTTP/1.1 101")) return reject(new Error(`a socket was refused: ${answer.slice(0, 60)}`));
        isOpen = true;
        buffered = buffered.subarray(end + 4);
        socket.off("error", reject);
        // Whatever ends it later shows in the count of frames.
        socket.on("error", () => undefined);
        resolve(socket);
      }
      for (let length = frameLength(buffered); length !== null && length <= buffered.length; length = frameLength(buffered)) {
        counter.frames++;
        buffered = buffered.subarray(length);
      }
    });
    socket.once("connect", () => {
      socket.write(`GET /api/drops/${drop}/socket HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dHJhbmNoZS1iZW5jaC1rZQ==\r\n\r\n`);
    });
  });
}

/** The length of the frame at the beginning, header included (RFC 6455, section 5.2); null while its header is not there. */
function frameLength(bytes: Buffer): number | null {
  const [, second] = bytes;
  if (second === undefined) return null;
  const short = second & 0x7f;
  if (short < 126) return 2 + short;
  if (short === 126) return bytes.length < 4 ? null : 4 + bytes.readUInt16BE(2);
  return bytes.length < 10 ? null : 10 + Number(bytes.readBigUInt64BE(2));
}
