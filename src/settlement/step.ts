import { Fault, unreachable } from "../kernel/result.ts";
import { idFromHash } from "../kernel/ids.ts";
import type { EffectAnswer } from "../payment/provider.ts";
import { KEY_OF_ANOTHER, ProviderFailure } from "../payment/provider.ts";
import { unitsGone } from "./desk-decisions.ts";
import type { Step } from "./lifecycle.ts";
import { observe } from "./lifecycle.ts";
import type { OrderBook } from "./order-book.ts";
import { unitsOpen } from "./order-book.ts";
import type { OrderEvent } from "./order-event.ts";
import type { SettlementPorts } from "./settlement-ports.ts";

/**
 * Performs one effect and says what it became. Keys are made from the business
 * event (this order's capture after so much was captured, this refund), never
 * from the message that led here: ten messages find one effect. Where the
 * provider keeps a failure under a key, the order's own events say so, and the
 * next key follows from how many of them there are.
 */
export async function performStep(ports: SettlementPorts, book: OrderBook, step: Step, budgetMs: number): Promise<readonly OrderEvent[]> {
  const { id, currency } = book.order;
  const at = ports.now();
  const drop = ports.drop(book.order.drop);
  switch (step.kind) {
    case "open_session": {
      const opened = await openSession(ports, book, budgetMs);
      if (opened === "failed") return [{ kind: "effect_failed", at, effect: `session:${id}` }];
      return "refused" in opened ? [{ kind: "session_refused", at, reason: opened.refused }] : [{ kind: "session_opened", at, session: opened.id, url: opened.url }];
    }
    case "close_session": {
      const truth = await ports.provider.closeSession(step.session);
      const events = truth === null ? [] : observe(book, truth, at, ports.hashing);
      if (events.length === 0) throw new Fault("the provider did not close the payment page", { retryable: true });
      return events;
    }
    case "extend": {
      const payBy = await drop.processing(id);
      return [{ kind: "extended", at, payBy: payBy ?? book.payBy }];
    }
    case "confirm": {
      const answer = await drop.confirm(id, step.payment, step.card);
      return answer.verdict === "sold" ? [{ kind: "sold", at, payment: step.payment }] : [{ kind: "refused", at, payment: step.payment, reason: answer.reason ?? "no_stock" }];
    }
    case "refuse_amount":
      return [{ kind: "refused", at, payment: step.payment, reason: "wrong_amount" }];
    case "tell_drop":
      await drop.fail(id);
      return [{ kind: "drop_told", at }];
    case "capture": {
      const { payment, amountMinor, units, isFinal, isMulticapture } = step;
      // Without the amount: two hand-overs at the same moment want different parts after the same last one, and only one may have it.
      const name = `capture:${id}:${book.capturedMinor}`;
      return effect(ports, book, name, (key) => ports.provider.capture({ payment, amountMinor, currency, isFinal, isMulticapture, key }),
        () => [{ kind: "captured", at, payment, amountMinor, units, isFinal }]);
    }
    case "void":
      return effect(ports, book, releaseName(book), (key) => release(ports, book, step.payment, key), () => [{ kind: "voided", at, payment: step.payment, by: "us" }]);
    case "refund": {
      const { refund, amountMinor } = step.refund;
      const name = `refund:${id}:${refund}`;
      // The provider looks for the refund by its name before it makes one, so that a new key never makes a second.
      const answer = await unlessSpent(book, name, at, (key) => ports.provider.refund({ id: refund, payment: step.payment, amountMinor, currency, key }));
      if (answer === "spent") return [{ kind: "effect_failed", at, effect: name }];
      return answer.isDone ? [{ kind: "refunded", at, refund, amountMinor }] : [{ kind: "refund_failed", at, refund, reason: answer.reason }];
    }
    case "refund_all": {
      // Named after what was paid back before: whoever else gets here makes the same refund.
      const refund = idFromHash("ref", ports.hashing.sha256(`refund-all\n${id}\n${book.refunds.length}`));
      const requested = { lines: null, amountMinor: null, restock: false };
      return [{
        kind: "refund_requested", at, refund, requested, reason: step.reason, amountMinor: step.amountMinor,
        before: unitsOpen(book), after: unitsGone(book), repaid: [], restock: [],
      }];
    }
    case "release_stray":
      return releaseStray(ports, book, step.payment);
    case "restock":
      await drop.restock(id, step.refund.refund, step.refund.restock);
      return [{ kind: "restocked", at, refund: step.refund.refund }];
    case "return":
      // Named after the cancellation: there is one of them, and a repetition finds it done.
      await drop.restock(id, `cancelled:${id}`, step.lines);
      return [{ kind: "returned", at, lines: step.lines }];
    default:
      return unreachable(step);
  }
}

/**
 * Opens the payment page. A page whose answer never reached us can be paid by
 * nobody, because its address was told to nobody: any answered failure may be
 * followed by another page under the next key. Without an answer the same key
 * is tried again first: most likely it leads to the page.
 */
async function openSession(ports: SettlementPorts, book: OrderBook, budgetMs: number) {
  const key = keyOf(book, `session:${book.order.id}`, ports.now(), SESSION_PAUSE_MS_MAX);
  try {
    const opened = await ports.provider.openSession(book.order, budgetMs, key);
    // The store's own settings changed between two tries: what was asked under the key is no reason to refuse the order.
    return "refused" in opened && opened.refused === KEY_OF_ANOTHER ? "failed" : opened;
  } catch (error) {
    if (error instanceof ProviderFailure) return "failed";
    throw error;
  }
}

/** A shopper waits for the page, and only as long as there is time to pay; money can wait longer. */
const SESSION_PAUSE_MS_MAX = 30_000;
const MONEY_PAUSE_MS_MAX = 30 * 60_000;

/**
 * The key of the next try of an effect. After the first failure that comes at
 * once, then after one second, two, four and so on: a Fault means not yet.
 */
function keyOf(book: OrderBook, name: string, now: number, pauseMsMax: number): string {
  const failures = book.failures[name];
  if (failures === undefined) return name;
  const pauseMs = failures.count === 1 ? 0 : Math.min(1_000 * 2 ** (failures.count - 2), pauseMsMax);
  if (now < failures.lastAt + pauseMs) throw new Fault("the provider failed a moment ago", { retryable: true });
  return `${name}:${failures.count}`;
}

/**
 * An effect on money goes under the next key only when the last one is spent.
 * A fresh failure does not say so: the request may still be under way behind
 * it. The same failure replayed does.
 */
async function unlessSpent(book: OrderBook, name: string, now: number, call: (key: string) => Promise<EffectAnswer>): Promise<EffectAnswer | "spent"> {
  try {
    return await call(keyOf(book, name, now, MONEY_PAUSE_MS_MAX));
  } catch (error) {
    if (error instanceof ProviderFailure && error.isReplay) return "spent";
    throw error;
  }
}

function releaseName({ order: { id }, capturedMinor }: OrderBook): string {
  return capturedMinor === 0 ? `void:${id}` : `release:${id}`;
}

/** Lets go of what is not captured. After a part was, that is a last capture of nothing: a payment that took money is not cancelled. */
function release(ports: SettlementPorts, { order: { currency }, capturedMinor }: OrderBook, payment: string, key: string): Promise<EffectAnswer> {
  if (capturedMinor === 0) return ports.provider.voidPayment(payment, key);
  return ports.provider.capture({ payment, amountMinor: 0, currency, isFinal: true, isMulticapture: true, key });
}

/** Lets a second payment of the order go, whole: released, or paid back where somebody captured it. */
async function releaseStray(ports: SettlementPorts, book: OrderBook, payment: string): Promise<readonly OrderEvent[]> {
  const { id } = book.order;
  const at = ports.now();
  const truth = await ports.provider.truth({ session: null, payment });
  const seen = truth?.order === id && truth.payment?.id === payment ? truth.payment : null;
  if (seen?.status === "cancelled") return [{ kind: "stray_released", at, payment, amountMinor: seen.amountMinor, by: "void" }];
  if (seen?.status !== "authorised" && seen?.status !== "captured") throw new Fault("the provider does not show a second payment", { retryable: true });
  const by = seen.status === "captured" ? "refund" : "void";
  const amountMinor = by === "refund" ? seen.capturedMinor : seen.amountMinor;
  const name = `${by}:${id}:${payment}`;
  const refund = idFromHash("ref", ports.hashing.sha256(`stray\n${id}\n${payment}`));
  const answer = await unlessSpent(book, name, at, (key) => by === "void"
    ? ports.provider.voidPayment(payment, key)
    : ports.provider.refund({ id: refund, payment, amountMinor, currency: seen.currency, key }));
  if (answer === "spent") return [{ kind: "effect_failed", at, effect: name }];
  if (!answer.isDone) throw new Fault(`the provider refused: ${answer.reason}`, { retryable: true });
  return [{ kind: "stray_released", at, payment, amountMinor, by }];
}

/**
 * An effect on a payment. Without a plain "done" the provider is asked what is
 * true before anything else happens: a time-out may have charged, a refusal may
 * mean that it was done long ago. The next key is taken only when this one is
 * spent and the truth, asked after that, says that nothing happened.
 */
async function effect(
  ports: SettlementPorts, book: OrderBook, name: string, call: (key: string) => Promise<EffectAnswer>, done: () => readonly OrderEvent[],
): Promise<readonly OrderEvent[]> {
  let failure: Fault;
  let isSpent = false;
  try {
    const answer = await unlessSpent(book, name, ports.now(), call);
    if (answer !== "spent" && answer.isDone) return done();
    const reason = answer === "spent" ? "its failure is kept under the key" : answer.reason;
    isSpent = answer === "spent" || (reason === KEY_OF_ANOTHER && ports.now() >= book.lastAt + OVERTAKEN_MS);
    failure = new Fault(`the provider refused: ${reason}`, { retryable: true });
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    failure = error;
  }
  const truth = await ports.provider.truth({ session: null, payment: book.payment?.id ?? null });
  const events = truth === null ? [] : observe(book, truth, ports.now(), ports.hashing);
  if (events.length > 0) return events;
  const seen = truth?.order === book.order.id && truth.payment?.id === book.payment?.id ? truth.payment : null;
  const isUntouched = seen?.status === "authorised" && seen.capturedMinor === book.capturedMinor;
  if (isSpent && isUntouched) return [{ kind: "effect_failed", at: ports.now(), effect: name }];
  throw failure;
}

/**
 * A key that came before with other parameters belongs to somebody who saw an
 * older book: another hand-over, say, wanted another part. Whatever that was is
 * over when the book has stood still for so long; before that a second request
 * could take both parts.
 */
const OVERTAKEN_MS = 5 * 60_000;
