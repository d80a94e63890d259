import type { PlacedOrder } from "../../../src/checkout/placed-order.ts";
import type { DropPort, HoldCommand } from "../../../src/drop/port.ts";
import { nodeHashing } from "../../../src/kernel/node-hashing.ts";
import type { JoinCommand, LobbyPort } from "../../../src/lobby/port.ts";
import { entryOf } from "../../../src/lobby/draw.ts";
import type { CheckoutPort } from "../../../src/settlement/port.ts";
import type { Credentials } from "../../../src/storefront/credentials.ts";
import { joseCredentials } from "../../../src/storefront/jose-credentials.ts";
import { storefrontSecrets } from "../../../src/storefront/secrets.ts";
import { admittedHolds, freshId, inLanes, placedFrom, planSource } from "./drops.ts";
import type { PlainHold } from "./plain-object.ts";
import { answerAsProvider } from "./provider.ts";
import { isCaptured, paidEvent, receiveAll, type SettlementDoor, settleAll, type SignedEvent } from "./settling.ts";

/*
 * The bench's own Worker: it calls the built objects and the built settlement
 * through their bindings, so that nothing but them is measured, and serves the
 * plain forms. What a run needs is prepared by one request and used by another.
 */

export { PlainObject } from "./plain-object.ts";

interface BenchEnv {
  readonly DROP: { getByName(name: string): DropPort };
  readonly LOBBY: { getByName(name: string): LobbyPort };
  readonly PLAIN: { getByName(name: string): { hold(command: PlainHold): Promise<{ readonly id: string; readonly expiresAt: number } | null> } };
  readonly SETTLEMENT: SettlementDoor;
  readonly CHECKOUT: CheckoutPort;
  readonly TICKET_KEYS: string;
  readonly STRIPE_WEBHOOK_SECRET: string;
}

interface Task {
  readonly name: string;
  readonly count: number;
  readonly parallel: number;
  readonly batch: number;
}

const preparedHolds = new Map<string, HoldCommand[]>();
const preparedJoins = new Map<string, JoinCommand[]>();
const preparedEvents = new Map<string, { readonly orders: PlacedOrder[]; readonly events: SignedEvent[] }>();
let credentials: Credentials | null = null;

function known<Value>(prepared: ReadonlyMap<string, Value>, name: string): Value {
  const value = prepared.get(name);
  if (value === undefined) throw new Error(`${name} was not prepared`);
  return value;
}

function taken<Value>(prepared: Map<string, Value>, name: string): Value {
  const value = known(prepared, name);
  prepared.delete(name);
  return value;
}

const TASKS: Readonly<Record<string, (env: BenchEnv, task: Task) => Promise<void>>> = {
  async "/holds/prepare"(env, { name, count, parallel }) {
    preparedHolds.set(name, await admittedHolds(name, env.DROP.getByName(name), count, parallel));
  },

  async "/holds/drop"(env, { name, parallel }) {
    const drop = env.DROP.getByName(name);
    await inLanes(taken(preparedHolds, name), parallel, async (command) => {
      const held = await drop.hold(command);
      if (!held.ok) throw new Error(`not held: ${held.rejection.code}`);
    });
  },

  async "/holds/plain"(env, { name, parallel }) {
    const plain = env.PLAIN.getByName(name);
    await inLanes(taken(preparedHolds, name), parallel, async ({ id, sitting, entry, lines }) => {
      const held = await plain.hold({ id, sitting, entry, sku: lines[0]?.sku ?? "", quantity: 1 });
      if (held === null) throw new Error("not held in the plain form");
    });
  },

  async "/joins/prepare"(env, { name, count }) {
    await env.DROP.getByName(name).plan(planSource(name, Date.now() + 600_000));
    await env.LOBBY.getByName(`${name}/0`).live(null);
    preparedJoins.set(name, Array.from({ length: count }, () => {
      const ticket = freshId("tkt");
      return { ticket, entry: entryOf(name, ticket, nodeHashing), keyThumbprint: ticket, lane: "open", weight: 1, wants: [{ sku: "MOTH", quantity: 1 }], person: null, network: ticket.slice(-2), spends: [] };
    }));
  },

  async "/joins/run"(env, { name, parallel }) {
    const shard = env.LOBBY.getByName(`${name}/0`);
    await inLanes(taken(preparedJoins, name), parallel, async (command) => {
      const joined = await shard.join(command);
      if (!joined.ok) throw new Error(`not joined: ${joined.rejection.code}`);
    });
  },

  async "/orders/prepare"(env, { name, count, parallel }) {
    const drop = env.DROP.getByName(name);
    const holds = await admittedHolds(name, drop, count, parallel);
    const orders = await inLanes(holds, parallel, async (hold) => {
      const order = await placedFrom(drop, hold);
      const { payment } = await env.CHECKOUT.open(order);
      if (payment.url === null) throw new Error("the payment page was not opened");
      return order;
    });
    preparedEvents.set(name, { orders, events: await Promise.all(orders.map((order) => paidEvent(order, env.STRIPE_WEBHOOK_SECRET))) });
  },

  async "/orders/receive"(env, { name, batch }) {
    await receiveAll(env.SETTLEMENT, known(preparedEvents, name).events, batch);
  },

  async "/orders/settle"(env, { name, batch }) {
    await settleAll(env.SETTLEMENT, known(preparedEvents, name).events, batch);
  },

  async "/orders/check"(env, { name }) {
    const { orders } = taken(preparedEvents, name);
    const views = await inLanes(orders, 8, ({ id }) => env.CHECKOUT.order(id));
    const captured = views.filter(isCaptured).length;
    if (captured !== orders.length) throw new Error(`${captured} of ${orders.length} orders were captured`);
  },
};

/** The storefront's credentials before the plain object: the same token and the same proof, and no more than that. */
async function plainHold(request: Request, env: BenchEnv, drop: string, id: string): Promise<Response> {
  credentials ??= joseCredentials(storefrontSecrets({ TICKET_KEYS: env.TICKET_KEYS }), nodeHashing);
  const { origin, pathname } = new URL(request.url);
  const token = (request.headers.get("authorization") ?? "").replace(/^DPoP /, "");
  const pass = await credentials.provenPass({ token, proof: request.headers.get("dpop") ?? "", method: request.method, url: origin + pathname }, drop, Date.now());
  if (!pass.ok) return Response.json(pass.rejection, { status: 401 });
  const { lines } = await request.json<{ lines: readonly { sku: string; quantity: number }[] }>();
  const [line] = lines;
  if (line === undefined) return Response.json({ code: "invalid_request" }, { status: 422 });
  const held = await env.PLAIN.getByName(drop).hold({ id, sitting: pass.value.sitting, entry: pass.value.entry, ...line });
  return held === null ? Response.json({ code: "sold_out" }, { status: 409 }) : Response.json(held, { status: 201 });
}

export default {
  async fetch(request: Request, env: BenchEnv): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname.startsWith("/v1/")) return answerAsProvider(request);
    const [, drop, hold] = /^\/api\/drops\/([^/]+)\/holds\/([^/]+)$/.exec(pathname) ?? [];
    if (drop !== undefined && hold !== undefined) return plainHold(request, env, drop, hold);
    const task = TASKS[pathname];
    if (task === undefined) return new Response(null, { status: 404 });
    try {
      await task(env, await request.json<Task>());
      return Response.json({ done: true });
    } catch (error) {
      return Response.json({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }, { status: 500 });
    }
  },
  // The objects' outbox and the settlement's queue find nobody here: the bench hands their batches over itself.
  queue(): void {},
};
