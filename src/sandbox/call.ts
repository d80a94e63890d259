import type { Hashing } from "../kernel/hashing.ts";
import type { Clock } from "../kernel/time.ts";
import type { Answers } from "./answers.ts";
import { routeOf, runRoute, type Route } from "./api.ts";
import { decideFate, type Fate } from "./behaviour.ts";
import { draw } from "./behaviour-row.ts";
import type { Database } from "./database.ts";
import { formToTree } from "./form.ts";
import type { ApiCall, ApiReply, Books } from "./port.ts";
import { badParameter, KEY_IN_USE, KEY_REUSED, NO_KEY, refusalBody, SERVER_ERROR, type Refusal } from "./refusal.ts";
import type { Turn } from "./turn.ts";

/** Thrown to undo a transaction whose request turned out to be unacceptable after all. */
class Undone extends Error {
  override readonly name = "Undone";
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super("nothing had begun");
    this.refusal = refusal;
  }
}

/** The same request has the same fingerprint, in whatever order its parameters come. */
function fingerprintOf(call: ApiCall, hashing: Hashing): string {
  const form = [...new URLSearchParams(call.form)].map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).toSorted();
  return hashing.sha256(`${call.method} ${call.path}\n${form.join("&")}`);
}

const KEY_LENGTH_MAX = 255;

interface Reply {
  readonly status: number;
  readonly body: string;
}

function refusalReply(refusal: Refusal): Reply {
  return { status: refusal.status, body: JSON.stringify(refusalBody(refusal)) };
}

/** What is wrong with a request before anything of it is looked at; null when nothing is. */
function doorRefusal(call: ApiCall, route: Route | null): Refusal | null {
  if (call.authorization === null || !/^Bearer sk_\S+$/.test(call.authorization)) return NO_KEY;
  if (route === null) {
    return { status: 404, type: "invalid_request_error", message: `Unrecognized request URL (${call.method}: /v1/${call.path}).`, beforeWork: true };
  }
  if (call.idempotencyKey !== null && (call.idempotencyKey === "" || call.idempotencyKey.length > KEY_LENGTH_MAX)) {
    return badParameter("Idempotency-Key", `Idempotency keys have 1 to ${KEY_LENGTH_MAX} characters.`);
  }
  return null;
}

export interface CallPorts {
  readonly database: Database;
  readonly hashing: Hashing;
  readonly now: Clock;
  sleep(ms: number): Promise<void>;
}

type Take = <Value>(work: (turn: Turn) => Value, request: { readonly id: string; readonly key: string | null }) => Value;

/** The answer to a request of the API, with everything that the behaviour does to it. */
export function createCall(ports: CallPorts, answers: Answers, take: Take, newId: (prefix: string) => string): Books["call"] {
  const { database, now } = ports;

  /** The answer that an earlier request with this key got, or why there is none yet; null when the key is new. */
  const earlier = (key: string | null, fingerprint: string): ApiReply | null => {
    const kept = key === null ? null : answers.find(key, now());
    if (kept === null) return null;
    const refusal = kept.fingerprint !== fingerprint ? KEY_REUSED : now() < kept.readyAt ? KEY_IN_USE : null;
    if (refusal !== null) return { ...refusalReply(refusal), requestId: newId("req"), isReplay: false };
    return { status: kept.status, body: kept.body, requestId: kept.request, isReplay: true };
  };

  const work = (route: Route, call: ApiCall, requestId: string, key: string | null, fingerprint: string, fate: Fate): Reply => {
    const tree = formToTree(call.form);
    if (tree === null) return refusalReply(badParameter("", "The parameters are not a well-formed form."));
    try {
      return take((turn) => {
        const answer = runRoute(turn, route, tree);
        if (!answer.ok && answer.rejection.beforeWork === true) throw new Undone(answer.rejection);
        const reply = answer.ok ? { status: 200, body: JSON.stringify(answer.value) } : refusalReply(answer.rejection);
        const told = fate.ending === "error-after" ? refusalReply(SERVER_ERROR) : reply;
        // A request that hangs is over for its key: whoever gives up and asks again gets the answer.
        const readyAt = turn.now + (fate.ending === "hang" ? 0 : fate.afterMs);
        if (key !== null) answers.keep(key, { fingerprint, ...told, request: requestId, readyAt }, turn.now);
        return told;
      }, { id: requestId, key });
    } catch (error) {
      if (error instanceof Undone) return refusalReply(error.refusal);
      throw error;
    }
  };

  return async (call) => {
    const requestId = newId("req");
    const reply = (answer: Reply): ApiReply => ({ ...answer, requestId, isReplay: false });
    const route = routeOf(call.method, call.path);
    const refusal = doorRefusal(call, route);
    if (refusal !== null || route === null) return reply(refusalReply(refusal ?? NO_KEY));
    // Reading has no effect that a key could protect.
    const key = call.method === "POST" ? call.idempotencyKey : null;
    const fingerprint = key === null ? "" : fingerprintOf(call, ports.hashing);
    const known = earlier(key, fingerprint);
    if (known !== null) return known;
    const fate = draw(database, (behaviour, random) => {
      const { fate: value, left } = decideFate(behaviour, route.operation.name, random);
      return { value, left };
    });
    if (fate.beforeMs > 0) await ports.sleep(fate.beforeMs);
    if (fate.ending === "error-before") return reply(refusalReply(SERVER_ERROR));
    const overtaken = fate.beforeMs > 0 ? earlier(key, fingerprint) : null;
    if (overtaken !== null) return overtaken;
    const answer = reply(work(route, call, requestId, key, fingerprint, fate));
    const waitMs = fate.ending === "hang" ? fate.hangMs : fate.afterMs;
    if (waitMs > 0) await ports.sleep(waitMs);
    return answer;
  };
}
