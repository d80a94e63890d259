import { Agent, request as send, type IncomingHttpHeaders } from "node:http";
import { refusalOf } from "../../rehearsal/form-page.ts";

/** One request; `route` is what it is counted under. */
export interface Asked {
  readonly route: string;
  readonly method: string;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON; a text is sent as it is. */
  readonly body?: unknown;
  /** Who waits for whom when more is to be sent than there are connections; `crowd` where nothing is said. */
  readonly lane?: Lane;
}

/** On the night nobody's phone waits for another's: whoever buys, whoever looks whether it is their turn, and the reading of the live state, have connections of their own. */
export type Lane = "live" | "buying" | "looking" | "crowd";

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** How one route was answered: counts by status and problem, and every latency in milliseconds. */
export interface RouteCount {
  readonly answers: Map<string, number>;
  readonly tookMs: number[];
}

const CONNECTIONS_MAX: Readonly<Record<Lane, number>> = { live: 2, buying: 32, looking: 16, crowd: 64 };
const ANSWER_WITHIN_MS = 20_000;
const PROBLEM_CODE = /"code":"([a-z_]+)"/;

/**
 * The way to the store for everybody in the rehearsal: connections that stay
 * open, so many at a time, to this machine and nowhere else. Every answer is
 * counted here, as a client sees it.
 */
export class HttpClient {
  readonly routes = new Map<string, RouteCount>();
  /** Requests by the second in which they were sent, since 1970. */
  readonly bySecond = new Map<number, number>();
  readonly #agents: Readonly<Record<Lane, Agent>> = { live: agentOf("live"), buying: agentOf("buying"), looking: agentOf("looking"), crowd: agentOf("crowd") };
  #underWay = 0;

  get underWay(): number {
    return this.#underWay;
  }

  /** Throws when there is no answer: nobody listens, the connection broke, or it took too long. */
  ask(asked: Asked): Promise<Reply> {
    const { hostname } = new URL(asked.url);
    if (hostname !== "127.0.0.1") return Promise.reject(new Error(`a rehearsal asks nobody but this machine: ${hostname}`));
    const startedAt = performance.now();
    this.#underWay++;
    return this.#send(asked).then(
      (reply) => {
        this.#note(asked.route, `${reply.status}${problemOf(reply)}`, performance.now() - startedAt);
        return reply;
      },
      (error: unknown) => {
        this.#note(asked.route, "no answer", performance.now() - startedAt);
        throw error;
      },
    );
  }

  close(): void {
    for (const agent of Object.values(this.#agents)) agent.destroy();
  }

  #send({ method, url, headers, body, lane = "crowd" }: Asked): Promise<Reply> {
    const second = Math.floor(Date.now() / 1_000);
    this.bySecond.set(second, (this.bySecond.get(second) ?? 0) + 1);
    const text = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
    const all = { ...(text === undefined ? {} : { "content-type": "application/json", "content-length": String(Buffer.byteLength(text)) }), ...headers };
    return new Promise((resolve, reject) => {
      const outgoing = send(url, { method, headers: all, agent: this.#agents[lane], timeout: ANSWER_WITHIN_MS }, (incoming) => {
        const parts: Buffer[] = [];
        incoming.on("data", (part: Buffer) => parts.push(part));
        incoming.on("error", reject);
        incoming.on("end", () => resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, text: Buffer.concat(parts).toString() }));
      });
      outgoing.on("timeout", () => outgoing.destroy(new Error(`no answer within ${ANSWER_WITHIN_MS / 1_000} s`)));
      outgoing.on("error", reject);
      outgoing.end(text);
    });
  }

  #note(route: string, answer: string, tookMs: number): void {
    this.#underWay--;
    let count = this.routes.get(route);
    if (count === undefined) this.routes.set(route, (count = { answers: new Map(), tookMs: [] }));
    count.answers.set(answer, (count.answers.get(answer) ?? 0) + 1);
    count.tookMs.push(tookMs);
  }
}

function agentOf(lane: Lane): Agent {
  return new Agent({ keepAlive: true, maxSockets: CONNECTIONS_MAX[lane], scheduling: "fifo" });
}

/** The refusal's code, or what a page says in its place, with a space before it. */
function problemOf({ status, headers, text }: Reply): string {
  if (status < 400) return "";
  const type = headers["content-type"] ?? "";
  const code = type.includes("problem+json") ? PROBLEM_CODE.exec(text)?.[1] : type.includes("text/html") ? refusalOf(text) : null;
  return code == null ? "" : ` ${code}`;
}
