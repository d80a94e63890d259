import { createHmac } from "node:crypto";
import { connect } from "node:net";
import { expect } from "vitest";
import { inParallel, wait } from "./crowd.ts";
import type { Product } from "./product.ts";
import { clientId, payAt, request, Shopper, type Answer } from "./shopper.ts";

/* What the tests of hostile inputs share: that a refusal is one and changed nothing, and ways to send what no client of ours would. */

/** The desk of a product, with its key. */
export function desk(product: Product, method: string, path: string, body?: unknown): Promise<Answer> {
  return request(method, `${product.desk}${path}`, { headers: { authorization: `Bearer ${product.deskKey}` }, ...(body === undefined ? {} : { body }) });
}

/** The signed head of a drop's public record. */
async function headOf(product: Product, drop: string): Promise<{ readonly seq: number; readonly hash: string }> {
  const { status, body } = await request("GET", `${product.store}/api/drops/${drop}/record?from=999999`);
  expect(status).toBe(200);
  const { head } = JSON.parse(String(body).trim().split("\n").at(-1) ?? "{}");
  return { seq: head.seq, hash: head.hash };
}

/** Everything that a hostile input could have changed: the public records, the orders, the ledger and the provider's books. */
export async function booksOf(product: Product, drops: readonly string[]): Promise<Record<string, unknown>> {
  const [heads, orders, accounts, provider] = await Promise.all([
    Promise.all(drops.map((drop) => headOf(product, drop))),
    Promise.all(drops.map(async (drop) => (await desk(product, "GET", `/desk/api/orders?drop=${drop}&limit=100`)).body.orders)),
    desk(product, "GET", "/desk/api/ledger/accounts"),
    request("GET", `${product.sandbox}/sandbox/books`),
  ]);
  expect([accounts.status, provider.status]).toEqual([200, 200]);
  const { webhooks: _underWay, ...books } = provider.body;
  return { heads, orders, accounts: accounts.body.accounts, books };
}

/** Does `work` and holds that nothing was changed by it. */
export async function unchanged<Value>(product: Product, drops: readonly string[], work: () => Promise<Value>): Promise<Value> {
  const before = await booksOf(product, drops);
  const value = await work();
  expect(await booksOf(product, drops), "a refused request changed something").toEqual(before);
  return value;
}

/** Waits until what earlier requests set in motion has come to rest. */
export async function atRest(product: Product, drops: readonly string[], quietMs = 300): Promise<void> {
  let before = JSON.stringify(await booksOf(product, drops));
  for (let attempt = 0; attempt < 40; attempt++) {
    await wait(quietMs);
    const now = JSON.stringify(await booksOf(product, drops));
    if (now === before) return;
    before = now;
  }
  throw new Error("the books do not come to rest");
}

/** Holds that an answer is this refusal of the catalogue, and says nothing of the inside. */
export function expectRefusal(answer: Answer, status: number, code: string): void {
  expect({ status: answer.status, code: answer.body?.code }, JSON.stringify(answer.body)).toEqual({ status, code });
  expect(answer.headers.get("content-type")).toContain("application/problem+json");
  expect(answer.body).toMatchObject({ type: expect.stringContaining(code), title: expect.any(String), status, detail: expect.any(String), instance: expect.any(String) });
  expect(JSON.stringify(answer.body)).not.toMatch(/\bat [\w.]+ \(|\.ts:\d|SQLITE|valibot|stack/i);
  expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
}

/** A request whose body is exactly these characters or bytes. */
export async function sendRaw(method: string, url: string, body: string | Uint8Array<ArrayBuffer> | null, headers: Record<string, string> = {}): Promise<Answer> {
  const response = await fetch(url, { method, redirect: "manual", headers: { ...(body === null ? {} : { "content-type": "application/json" }), ...headers }, body });
  const text = await response.text();
  const isJson = /json/.test(response.headers.get("content-type") ?? "") && text !== "";
  return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
}

/** The same with a shopper's token and a proof of its key. */
export async function sendProven(shopper: Shopper, method: string, path: string, token: string, body: string | Uint8Array<ArrayBuffer> | null, headers: Record<string, string> = {}): Promise<Answer> {
  await shopper.live();
  const url = shopper.url(path);
  return sendRaw(method, url, body, { authorization: `DPoP ${token}`, dpop: await shopper.proof(method, url, token), ...headers });
}

/** Bytes on a socket as they are, for what a URL parser or a client library would put right. */
export function sendBytes(origin: string, bytes: string, limitMs = 5_000): Promise<Answer> {
  const { hostname, port } = new URL(origin);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.write(bytes));
    let received = "";
    const settle = () => {
      clearTimeout(timer);
      socket.destroy();
      const [head = "", ...rest] = received.split("\r\n\r\n");
      const [first = "", ...lines] = head.split("\r\n");
      const headers = new Headers(lines.map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trim()] as [string, string]));
      const text = rest.join("\r\n\r\n");
      const json = /\{.*\}/s.exec(text)?.[0];
      const isJson = /json/.test(headers.get("content-type") ?? "") && json !== undefined;
      resolve({ status: Number(first.split(" ")[1] ?? 0), headers, body: isJson ? JSON.parse(json) : text });
    };
    const timer = setTimeout(settle, limitMs);
    socket.on("data", (chunk: Buffer) => {
      received += chunk.toString("latin1");
      const [head = "", text] = received.split("\r\n\r\n");
      const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? Number.NaN);
      if (text !== undefined && (text.length >= length || text.endsWith("0\r\n") || text.includes("\r\n0\r\n"))) settle();
    });
    socket.once("close", settle);
    socket.once("error", (error: Error) => (received === "" ? reject(error) : settle()));
  });
}

/**
 * A body that says to be `declaredBytes` long, of which only the start is sent:
 * whoever answers before the rest has judged by the length, and a client that
 * goes on writing to a closed socket would never see the answer.
 */
export function sendDeclared(url: string, method: string, declaredBytes: number, headers: Record<string, string> = {}): Promise<Answer> {
  const { origin, pathname, host } = new URL(url);
  const all = { host, "content-type": "application/json", "content-length": String(declaredBytes), ...headers };
  return sendBytes(origin, `${method} ${pathname} HTTP/1.1\r\n${Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n{"x":"`);
}

/** People of a drop who have a pass. */
export async function admittedPeople(product: Product, drop: string, people: number, sku: string, quantity = 1): Promise<Shopper[]> {
  const crowd = Array.from({ length: people }, () => new Shopper(product.store, drop));
  await inParallel(crowd, 32, async (shopper) => expect((await shopper.join([{ sku, quantity }])).status).toBe(201));
  await inParallel(crowd, 32, (shopper) => shopper.admitted());
  return crowd;
}

export interface Bought {
  readonly shopper: Shopper;
  readonly hold: string;
  readonly order: string;
  readonly receipt: string;
  readonly url: string;
}

/** One person with an order that waits for its payment. */
export async function placed(product: Product, drop: string, sku: string, quantity = 1): Promise<Bought> {
  const [shopper] = await admittedPeople(product, drop, 1, sku, quantity);
  if (shopper === undefined) throw new Error("nobody was admitted");
  const [hold, order] = [clientId("hld"), clientId("ord")];
  expect((await shopper.hold([{ sku, quantity }], hold)).status).toBe(201);
  const answer = await shopper.order(hold, { id: order });
  expect(answer.status, JSON.stringify(answer.body)).toBe(201);
  expect(answer.body.payment.url).toMatch(/^http/);
  return { shopper, hold, order, receipt: answer.body.receipt, url: answer.body.payment.url };
}

/** The desk's view of an order, as soon as `isReached` says so. */
export async function orderAtDesk(product: Product, order: string, isReached: (body: Answer["body"]) => boolean, limitMs = 15_000): Promise<Answer["body"]> {
  const until = Date.now() + limitMs;
  for (;;) {
    const { body } = await desk(product, "GET", `/desk/api/orders/${order}`);
    if (isReached(body)) return body;
    if (Date.now() > until) throw new Error(`the order did not get there within ${limitMs} ms: ${JSON.stringify(body)}`);
    await wait(100);
  }
}

/** The same, paid and confirmed. */
export async function bought(product: Product, drop: string, sku: string, quantity = 1): Promise<Bought> {
  const order = await placed(product, drop, sku, quantity);
  expect((await payAt(order.url)).status).toBeLessThan(400);
  await orderAtDesk(product, order.order, (body) => body.state === "confirmed" && body.payment.state !== "pending");
  return order;
}

/** What every party has of an order: what was posted to it, less what was taken back. */
export async function partiesOf(product: Product, order: string): Promise<Record<string, number>> {
  const { body } = await desk(product, "GET", `/desk/api/ledger/transfers?order=${order}`);
  const net: Record<string, number> = {};
  for (const { state, debit, credit, amountMinor } of body.transfers) {
    if (state !== "posted") continue;
    net[credit] = (net[credit] ?? 0) + amountMinor;
    net[debit] = (net[debit] ?? 0) - amountMinor;
  }
  return net;
}

/** The payments that the provider has for an order. */
export async function paymentsOf(product: Product, order: string): Promise<Answer["body"][]> {
  const { body } = await request("GET", `${product.sandbox}/sandbox/books`);
  return body.paymentIntents.filter((intent: Answer["body"]) => intent.client_reference_id === order);
}

export function stripeSignature(secret: string, body: string | Uint8Array, at = Math.floor(Date.now() / 1_000), scheme = "v1"): string {
  return `t=${at},${scheme}=${createHmac("sha256", secret).update(`${at}.`).update(body).digest("hex")}`;
}
