import { WorkerEntrypoint } from "cloudflare:workers";
import type { PlacedOrder } from "../../src/checkout/placed-order.ts";
import { boundedBytes, textOfBytes } from "../../src/http/bounded-body.ts";
import type { ProblemCode } from "../../src/kernel/problem.ts";
import { problemDocument, PROBLEMS } from "../../src/kernel/problem.ts";
import { Fault } from "../../src/kernel/result.ts";
import { checkout, moneyDesk, sweepOrder } from "../../src/settlement/checkout.ts";
import { receiveWebhook, sweepInboxEvent, WEBHOOK_BYTES_MAX } from "../../src/settlement/inbox.ts";
import type { CheckoutPort, FulfilCommand, MoneyDeskPort, RefundCommand } from "../../src/settlement/port.ts";
import { settleBatch, type SettlementMessage, subjectOf } from "../../src/settlement/queue-batch.ts";
import type { SettlementPorts } from "../../src/settlement/settlement-ports.ts";
import { type After, sideBySide } from "../../src/settlement/side-by-side.ts";
import type { Wiring } from "./wiring.ts";
import { wiringOf } from "./wiring.ts";

/** Orders and events that one page of a sweep takes, and how many pages one run takes at most. */
const SWEEP_PAGE = 100;
const SWEEP_PAGES_MAX = 5;

const after: After = (ms, run) => void setTimeout(run, ms);

/** The storefront's door. Its caller waits for a shopper: what takes too long goes on behind. */
export class Checkout extends WorkerEntrypoint<unknown> implements CheckoutPort {
  open(order: PlacedOrder) {
    return checkout(withProvider(wiringOf(this.env))).open(order);
  }
  order(id: string) {
    return checkout(wiringOf(this.env).ports).order(id);
  }
  refresh(id: string) {
    return checkout(wiringOf(this.env).ports).refresh(id);
  }
}

/** The desk's door. */
export class MoneyDesk extends WorkerEntrypoint<unknown> implements MoneyDeskPort {
  orders(query: Parameters<MoneyDeskPort["orders"]>[0]) {
    return moneyDesk(wiringOf(this.env).ports).orders(query);
  }
  order(id: string) {
    return moneyDesk(wiringOf(this.env).ports).order(id);
  }
  fulfil(command: FulfilCommand) {
    return moneyDesk(withProvider(wiringOf(this.env))).fulfil(command);
  }
  refund(command: RefundCommand) {
    return moneyDesk(withProvider(wiringOf(this.env))).refund(command);
  }
  accounts() {
    return moneyDesk(wiringOf(this.env).ports).accounts();
  }
  transfers(order: string) {
    return moneyDesk(wiringOf(this.env).ports).transfers(order);
  }
}

export default {
  async fetch(request, env) {
    const path = new URL(request.url).pathname;
    if (path !== "/webhooks/stripe") return problem("not_found", path);
    if (request.method !== "POST") return problem("method_not_allowed", path, { allow: "POST" });
    try {
      return await takeWebhook(request, wiringOf(env), path);
    } catch (error) {
      // Not durable: the provider is told so, and sends the event again.
      logFailure("webhook_not_stored", error, {});
      return problem("temporarily_unavailable", path, { "retry-after": "10" });
    }
  },

  async queue(batch, env) {
    const wiring = wiringOf(env);
    const outcomes = await settleBatch(wiring, batch.messages.map(({ body }) => body), after);
    const acknowledged = new Map<string, string[]>();
    for (const [index, message] of batch.messages.entries()) {
      const { body } = message;
      const outcome = outcomes[index] ?? { state: "later" };
      if (outcome.state === "failed") {
        logFailure("message_not_settled", outcome.error, { ...namesOf(body), message: message.id, attempts: message.attempts });
        message.retry({ delaySeconds: Math.min(2 ** message.attempts, 60) });
      } else if (outcome.state === "later") message.retry({ delaySeconds: 4 });
      else {
        if (!("inbox" in body)) acknowledged.set(body.drop, [...(acknowledged.get(body.drop) ?? []), body.id]);
        message.ack();
      }
    }
    for (const [drop, ids] of acknowledged) {
      // A drop that does not hear it sends the messages again, and settling them again changes nothing.
      await wiring.ports.drop(drop).acknowledge(ids).catch((error: unknown) => logFailure("drop_not_told", error, { drop }));
    }
  },

  /**
   * Takes up what queues and webhooks lost. A stored webhook event is worked
   * off at most 90 seconds after it arrived, an order that owes an effect is
   * looked at within 80 seconds, a payment whose webhook never came is found
   * within five minutes. What fails is tried again after half as long as the
   * order has been silent, at least a minute and at most six hours.
   */
  async scheduled(_controller, env) {
    const { ports, notices, isLive } = wiringOf(env);
    for (let page = 0; page < SWEEP_PAGES_MAX; page++) {
      const subjects = await ports.store.due(ports.now(), SWEEP_PAGE);
      await sideBySide(ports, after, subjects.map((subject) => async (common) => {
        try {
          if (subject.startsWith("ord_")) await sweepOrder(common, subject);
          else await sweepInboxEvent(common, notices, isLive, subject);
        } catch (error) {
          logFailure("sweep_not_settled", error, subject.startsWith("ord_") ? { order: subject } : { event: subject });
        }
      }));
      if (subjects.length < SWEEP_PAGE) return;
    }
  },
} satisfies ExportedHandler<unknown, SettlementMessage>;

/** What a log line says a message is about: the order, or the payment of an event that names no order. */
function namesOf(body: SettlementMessage): Record<string, unknown> {
  const subject = subjectOf(body);
  const about = subject.startsWith("ord_") ? { order: subject } : { about: subject };
  return "inbox" in body ? { ...about, event: body.inbox } : { ...about, drop: body.drop, kind: body.kind };
}

async function takeWebhook(request: Request, wiring: Wiring, path: string): Promise<Response> {
  if (wiring.missing.includes("STRIPE_WEBHOOK_SECRET")) return problem("temporarily_unavailable", path, { "retry-after": "60" });
  const bytes = await boundedBytes(request, WEBHOOK_BYTES_MAX);
  if (bytes === null) return problem("too_large", path);
  const text = textOfBytes(bytes);
  if (text === null) return problem("webhook_unverified", path);
  const received = await receiveWebhook(wiring.ports, wiring.notices, text, request.headers.get("stripe-signature") ?? "");
  if (received === null) return problem("webhook_unverified", path);
  if (received.isToWorkOff) {
    // It is stored: should the queue not take it, the sweep does.
    await wiring.paymentsQueue.send({ inbox: received.id, about: received.about }).catch((error: unknown) => logFailure("queue_not_told", error, { event: received.id }));
  }
  return Response.json({ received: true });
}

/** For what cannot even begin without the provider's key. */
function withProvider(wiring: Wiring): SettlementPorts {
  if (wiring.missing.includes("STRIPE_KEY")) throw new Fault("temporarily_unavailable", { retryable: true });
  return wiring.ports;
}

function problem(code: ProblemCode, instance: string, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(problemDocument({ code }, instance)), {
    status: PROBLEMS[code].status,
    headers: { "content-type": "application/problem+json", "cache-control": "no-store", ...headers },
  });
}

/** Codes, ids and facts; never a body, an address or a credential. */
function logFailure(code: string, error: unknown, facts: Record<string, unknown>): void {
  const failure = error instanceof Error ? `${error.name}: ${error.message}` : "unknown";
  console.error(JSON.stringify({ code, failure, ...facts }));
}
