import { Fault, unreachable } from "../kernel/result.ts";
import { idFromHash } from "../kernel/ids.ts";
import type { EffectAnswer } from "../payment/provider.ts";
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
 * from the message that led here: ten messages find one effect.
 */
export async function performStep(ports: SettlementPorts, book: OrderBook, step: Step, budgetMs: number): Promise<readonly OrderEvent[]> {
  const { id, currency } = book.order;
  const at = ports.now();
  const drop = ports.drop(book.order.drop);
  switch (step.kind) {
    case "open_session": {
      const opened = await ports.provider.openSession(book.order, budgetMs);
      return "refused" in opened ? [{ kind: "session_refused", at, reason: opened.refused }] : [{ kind: "session_opened", at, session: opened.id, url: opened.url }];
    }
    case "close_session": {
      const truth = await ports.provider.closeSession(step.session);
      const events = truth === null ? [] : observe(book, truth, at);
      if (events.length === 0) throw new Fault("the provider did not close the payment page", { retryable: true });
      return events;
    }
    case "extend": {
      const payBy = await drop.processing(id);
      return [{ kind: "extended", at, payBy: payBy ?? book.payBy }];
    }
    case "confirm": {
      const answer = await drop.confirm(id, step.payment);
      return answer.verdict === "sold" ? [{ kind: "sold", at, payment: step.payment }] : [{ kind: "refused", at, payment: step.payment, reason: "no_stock" }];
    }
    case "refuse_amount":
      return [{ kind: "refused", at, payment: step.payment, reason: "wrong_amount" }];
    case "tell_drop":
      await drop.fail(id);
      return [{ kind: "drop_told", at }];
    case "capture": {
      const { payment, amountMinor, units, isFinal, isMulticapture } = step;
      // Without the amount: two hand-overs at the same moment want different parts after the same last one, and only one may have it.
      const key = `capture:${id}:${book.capturedMinor}`;
      return effect(ports, book, () => ports.provider.capture({ payment, amountMinor, currency, isFinal, isMulticapture, key }),
        () => [{ kind: "captured", at, payment, amountMinor, units, isFinal }]);
    }
    case "void":
      return effect(ports, book, () => release(ports, book, step.payment), () => [{ kind: "voided", at, payment: step.payment, by: "us" }]);
    case "refund": {
      const { refund, amountMinor } = step.refund;
      const answer = await ports.provider.refund({ id: refund, payment: step.payment, amountMinor, currency, key: `refund:${id}:${refund}` });
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
    case "restock":
      await drop.restock(id, step.refund.refund, step.refund.restock);
      return [{ kind: "restocked", at, refund: step.refund.refund }];
    default:
      return unreachable(step);
  }
}

/** Lets go of what is not captured. After a part was, that is a last capture of nothing: a payment that took money is not cancelled. */
function release(ports: SettlementPorts, { order: { id, currency }, capturedMinor }: OrderBook, payment: string): Promise<EffectAnswer> {
  if (capturedMinor === 0) return ports.provider.voidPayment(payment, `void:${id}`);
  return ports.provider.capture({ payment, amountMinor: 0, currency, isFinal: true, isMulticapture: true, key: `release:${id}` });
}

/**
 * An effect on a payment. Without a plain "done" the provider is asked what is
 * true before anything else happens: a time-out may have charged, a refusal may
 * mean that it was done long ago.
 */
async function effect(
  ports: SettlementPorts, book: OrderBook, call: () => Promise<EffectAnswer>, done: () => readonly OrderEvent[],
): Promise<readonly OrderEvent[]> {
  let failure: Fault;
  try {
    const answer = await call();
    if (answer.isDone) return done();
    failure = new Fault(`the provider refused: ${answer.reason}`, { retryable: true });
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    failure = error;
  }
  const truth = await ports.provider.truth({ session: book.session?.id ?? null, payment: book.payment?.id ?? null });
  const events = truth === null ? [] : observe(book, truth, ports.now());
  if (events.length === 0) throw failure;
  return events;
}
