import type { Hashing } from "../kernel/hashing.ts";
import { hexFromBytes } from "../kernel/hashing.ts";
import type { Result } from "../kernel/result.ts";
import type { Clock } from "../kernel/time.ts";
import { createAnswers, type Answers } from "./answers.ts";
import { routeOf, runRoute, type Route } from "./api.ts";
import { decideDecline, decideFate, FRIENDLY, seededRandom, stateFromSeed, type Behaviour, type Fate, type Random } from "./behaviour.ts";
import { APPROVED_CARD, cardFromText, DECLINES } from "./cards.ts";
import { createTables, type Database } from "./database.ts";
import { deliverDue } from "./delivery.ts";
import { formToTree } from "./form.ts";
import { payOnPage, payPage } from "./pay.ts";
import { closeDispute, openDispute } from "./people-api.ts";
import type { ApiCall, ApiReply, Books, DisputeAnswer } from "./port.ts";
import type { Dispute } from "./records.ts";
import { badParameter, KEY_IN_USE, KEY_REUSED, NO_KEY, refusalBody, SERVER_ERROR, type Refusal } from "./refusal.ts";
import { disputeToReport, reportOf } from "./report.ts";
import { createShelf } from "./shelf.ts";
import { ripenDue, type Turn } from "./turn.ts";
import { createDeliveryQueue, eventsOf } from "./webhooks.ts";

export interface BooksPorts {
  readonly database: Database;
  readonly hashing: Hashing;
  readonly now: Clock;
  readonly pageOrigin: string;
  readonly webhookSecret: string | null;
  randomBytes(count: number): Uint8Array;
  sleep(ms: number): Promise<void>;
  /** Something is due at this instant: call `alarm` then. Called after every change. */
  wakeAt(at: number): void;
  post(body: string, headers: Readonly<Record<string, string>>): Promise<number>;
}

export interface BooksWithAlarm extends Books {
  /** Does what is due and arms the next alarm. Never throws for what the store answers. */
  alarm(): Promise<void>;
}

/** Thrown to undo a transaction whose request turned out to be unacceptable after all. */
class Undone extends Error {
  override readonly name = "Undone";
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super("nothing had begun");
    this.refusal = refusal;
  }
}

interface StoredBehaviour {
  readonly behaviour: Behaviour;
  readonly state: number;
}

/** The behaviour with the state of its generator: every draw is stored with what it decided. */
function readBehaviour(database: Database): StoredBehaviour {
  const document = database.rows("SELECT document FROM behaviour")[0]?.["document"] ?? null;
  // Only `writeBehaviour` writes this row, so it has that type.
  return document === null ? { behaviour: FRIENDLY, state: 1 } : (JSON.parse(String(document)) as StoredBehaviour);
}

function writeBehaviour(database: Database, stored: StoredBehaviour): void {
  database.rows("INSERT OR REPLACE INTO behaviour (one, document) VALUES (1, ?)", JSON.stringify(stored));
}

/** Decides something by the behaviour and keeps what is left of it; a friendly behaviour is never written. */
function draw<Value>(database: Database, decide: (behaviour: Behaviour, random: Random) => { readonly value: Value; readonly left: Behaviour }): Value {
  const stored = readBehaviour(database);
  const generator = seededRandom(stored.state);
  const { value, left } = decide(stored.behaviour, generator.random);
  if (left !== stored.behaviour || generator.state() !== stored.state) writeBehaviour(database, { behaviour: left, state: generator.state() });
  return value;
}

/** The same request has the same fingerprint, in whatever order its parameters come. */
function fingerprintOf(call: ApiCall, hashing: Hashing): string {
  const form = [...new URLSearchParams(call.form)].map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).toSorted();
  return hashing.sha256(`${call.method} ${call.path}\n${form.join("&")}`);
}

const KEY_LENGTH_MAX = 255;
const BATCHES_PER_ALARM = 50;
const RIPE_PER_TRANSACTION = 200;

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

/** The provider's books over a database. Everything that one request changes is one transaction. */
export function createBooks(ports: BooksPorts): BooksWithAlarm {
  const { database, hashing, now } = ports;
  createTables(database);
  const shelf = createShelf(database);
  const queue = createDeliveryQueue(database);
  const answers = createAnswers(database);
  const newId = (prefix: string): string => `${prefix}_${hexFromBytes(ports.randomBytes(12))}`;

  const declineByBehaviour: Turn["declineByBehaviour"] = () => draw(database, (behaviour, random) => {
    const { declined, left } = decideDecline(behaviour, random);
    return { value: declined ? DECLINES[behaviour.declines.reason] : null, left };
  });

  const arm = (): void => {
    const times = [queue.nextAt(), shelf.nextDueAt()].filter((at) => at !== null);
    if (times.length > 0) ports.wakeAt(Math.min(...times));
  };

  /** One turn at the books, with what it tells queued, in one transaction. */
  const take = <Value>(work: (turn: Turn) => Value, request: { readonly id: string | null; readonly key: string | null } = { id: null, key: null }): Value => {
    const value = database.transaction(() => {
      const turn: Turn = { now: now(), shelf, pageOrigin: ports.pageOrigin, events: [], newId, declineByBehaviour };
      const result = work(turn);
      const events = eventsOf(turn, request);
      if (events.length === 0) return result;
      for (const event of events) shelf.add("evt", event, { type: event.type });
      const subjects = turn.events.map((event) => event.subject);
      draw(database, (behaviour, random) => {
        queue.add(turn, events, subjects, behaviour.webhooks, random);
        return { value: null, left: behaviour };
      });
      return result;
    });
    arm();
    return value;
  };

  const dispute = (work: (turn: Turn) => Result<Dispute, Refusal>): DisputeAnswer => {
    const result = take(work);
    if (result.ok) return { ok: true, dispute: disputeToReport(result.value) };
    return { ok: false, isMissing: result.rejection.status === 404, message: result.rejection.message };
  };

  arm();
  return {
    call: createCall(ports, answers, take, newId),
    page: async (session) => take((turn) => payPage(turn, session)),
    async pay(session, outcome, named) {
      const card = named === null ? APPROVED_CARD : cardFromText(named);
      if (card === null) return null;
      const answer = take((turn) => payOnPage(turn, session, outcome, card));
      if (answer !== null && answer.answersAfterMs > 0) await ports.sleep(answer.answersAfterMs);
      return answer;
    },
    behaviour: async () => readBehaviour(database).behaviour,
    async setBehaviour(behaviour) {
      const [a = 0, b = 0, c = 0, d = 0] = ports.randomBytes(4);
      const state = behaviour.seed === null ? ((a << 24) | (b << 16) | (c << 8) | d) >>> 0 : stateFromSeed(behaviour.seed);
      writeBehaviour(database, { behaviour, state });
      return behaviour;
    },
    deliveries: async () => queue.counts(),
    async releaseWebhooks() {
      const released = database.transaction(() => queue.release(now()));
      arm();
      return released;
    },
    report: async () => take((turn) => reportOf(turn, queue.counts())),
    openDispute: async (opening) => dispute((turn) => openDispute(turn, opening)),
    closeDispute: async (id, outcome) => dispute((turn) => closeDispute(turn, id, outcome)),
    async mail(to) {
      const rows = to === null
        ? database.rows("SELECT recipient, subject, text, at FROM mail ORDER BY seq DESC LIMIT 1000")
        : database.rows("SELECT recipient, subject, text, at FROM mail WHERE recipient = ? ORDER BY seq DESC LIMIT 1000", to);
      return rows.map((row) => ({ to: String(row["recipient"]), subject: String(row["subject"]), text: String(row["text"]), at: Number(row["at"]) }));
    },
    async addMail(mail, key) {
      database.rows("INSERT OR IGNORE INTO mail (key, recipient, subject, text, at) VALUES (?, ?, ?, ?, ?)", key, mail.to, mail.subject, mail.text, mail.at);
    },
    async alarm() {
      while (take((turn) => ripenDue(turn, RIPE_PER_TRANSACTION))) { /* until nothing is due */ }
      answers.prune(now(), 1_000);
      const delivery = { queue, shelf, now, hashing, secret: ports.webhookSecret, post: ports.post };
      for (let batch = 0; batch < BATCHES_PER_ALARM && (await deliverDue(delivery)); batch++) { /* until nothing is due */ }
      arm();
    },
  };
}

type Take = <Value>(work: (turn: Turn) => Value, request: { readonly id: string; readonly key: string | null }) => Value;

/** The answer to a request of the API, with everything that the behaviour does to it. */
function createCall(ports: BooksPorts, answers: Answers, take: Take, newId: (prefix: string) => string): Books["call"] {
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
