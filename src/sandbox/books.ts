import { hexFromBytes, type Hashing } from "../kernel/hashing.ts";
import type { Result } from "../kernel/result.ts";
import type { Clock } from "../kernel/time.ts";
import { createAnswers } from "./answers.ts";
import { decideDecline, stateFromSeed } from "./behaviour.ts";
import { draw, readBehaviour, writeBehaviour } from "./behaviour-row.ts";
import { createCall } from "./call.ts";
import { APPROVED_CARD, cardFromText, DECLINES } from "./cards.ts";
import { createTables, type Database } from "./database.ts";
import { deliverDue } from "./delivery.ts";
import { createMailbox } from "./mailbox.ts";
import { payOnPage, payPage } from "./pay.ts";
import { closeDispute, openDispute } from "./people-api.ts";
import type { Books, DisputeAnswer } from "./port.ts";
import type { Dispute } from "./records.ts";
import type { Refusal } from "./refusal.ts";
import { disputeToReport, reportOf } from "./report.ts";
import { createShelf, type Shelf } from "./shelf.ts";
import { ripenDue, type Turn } from "./turn.ts";
import { createTurnstile } from "./turnstile.ts";
import { createDeliveryQueue, eventsOf, type DeliveryQueue } from "./webhooks.ts";

export interface BooksPorts {
  readonly database: Database;
  readonly hashing: Hashing;
  readonly now: Clock;
  readonly pageOrigin: string;
  readonly webhookSecret: string | null;
  /** The key with which mail may be sent; null where none may. */
  readonly mailKey: string | null;
  /** The secret with which tokens may be asked about; null where none may. */
  readonly turnstileSecret: string | null;
  randomBytes(count: number): Uint8Array;
  sleep(ms: number): Promise<void>;
  /** Something is due at this instant: call `alarm` then. Called after every change. */
  wakeAt(at: number): void;
  post(body: string, headers: Readonly<Record<string, string>>): Promise<number>;
}

export interface BooksWithAlarm extends Books {
  /** Asks to be woken when something is next due: once after opening, for an alarm that was lost with the process. */
  arm(): void;
  /** Does what is due and arms the next alarm. Never throws for what the store answers. */
  alarm(): Promise<void>;
}

const BATCHES_PER_ALARM = 50;
const RIPE_PER_TRANSACTION = 200;

interface Turns {
  /** One turn at the books, with what it tells queued, in one transaction. */
  take<Value>(work: (turn: Turn) => Value, request?: { readonly id: string | null; readonly key: string | null }): Value;
  newId(prefix: string): string;
  /** Asks to be woken when something is next due. */
  arm(): void;
}

function createTurns(ports: BooksPorts, shelf: Shelf, queue: DeliveryQueue): Turns {
  const { database } = ports;
  const newId = (prefix: string): string => `${prefix}_${hexFromBytes(ports.randomBytes(12))}`;

  const declineByBehaviour: Turn["declineByBehaviour"] = () => draw(database, (behaviour, random) => {
    const { declined, left } = decideDecline(behaviour, random);
    return { value: declined ? DECLINES[behaviour.declines.reason] : null, left };
  });

  const arm = (): void => {
    const times = [queue.nextAt(), shelf.nextDueAt()].filter((at) => at !== null);
    if (times.length > 0) ports.wakeAt(Math.min(...times));
  };

  const tell = (turn: Turn, request: { readonly id: string | null; readonly key: string | null }): void => {
    const events = eventsOf(turn, request);
    for (const event of events) shelf.add("evt", event, { type: event.type });
    const subjects = turn.events.map((event) => event.subject);
    draw(database, (behaviour, random) => {
      queue.add(turn, events, subjects, behaviour.webhooks, random);
      return { value: null, left: behaviour };
    });
  };

  return {
    newId,
    arm,
    take(work, request = { id: null, key: null }) {
      const value = database.transaction(() => {
        const turn: Turn = { now: ports.now(), shelf, pageOrigin: ports.pageOrigin, events: [], newId, declineByBehaviour };
        const result = work(turn);
        if (turn.events.length > 0) tell(turn, request);
        return result;
      });
      arm();
      return value;
    },
  };
}

/** The provider's books over a database. Everything that one request changes is one transaction. */
export function createBooks(ports: BooksPorts): BooksWithAlarm {
  const { database, hashing, now } = ports;
  createTables(database);
  const shelf = createShelf(database);
  const queue = createDeliveryQueue(database);
  const answers = createAnswers(database);
  const { take, newId, arm } = createTurns(ports, shelf, queue);

  const dispute = (work: (turn: Turn) => Result<Dispute, Refusal>): DisputeAnswer => {
    const result = take(work);
    if (result.ok) return { ok: true, dispute: disputeToReport(result.value) };
    return { ok: false, isMissing: result.rejection.status === 404, message: result.rejection.message };
  };

  return {
    arm,
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
    ...createMailbox(database, ports),
    ...createTurnstile(database, ports),
    async alarm() {
      while (take((turn) => ripenDue(turn, RIPE_PER_TRANSACTION))) { /* until nothing is due */ }
      answers.prune(now(), 1_000);
      const delivery = { queue, shelf, now, hashing, secret: ports.webhookSecret, post: ports.post };
      for (let batch = 0; batch < BATCHES_PER_ALARM && (await deliverDue(delivery)); batch++) { /* until nothing is due */ }
      arm();
    },
  };
}
