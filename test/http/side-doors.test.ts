import { createHash } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { sideDoors } from "../../src/rehearsal/side-doors.ts";
import { inParallel, wait } from "../support/crowd.ts";
import { startProduct, type Product } from "../support/product.ts";
import { readRecord } from "../support/record-verifier.ts";
import { clientId, request, Shopper } from "../support/shopper.ts";
import { storeVars } from "../support/store-config.ts";

/*
 * A crawler with a ticket that is never admitted, in a drop that is open and
 * has units for everybody: whatever holds one of them came in by a side door.
 */

const DROP = "doors";
const SKU = "DOOR-1";

let product: Product;

beforeAll(async () => {
  product = await startProduct(storeVars({ slug: DROP, items: [{ sku: SKU, priceMinor: 4_200, quantity: 50 }], admit: "paced", opensAfter: "2s", claimWindow: "1s" }));
});
afterAll(() => product?.stop());

test("no route of the OpenAPI document and no address of a page makes a hold without an admission, whatever it is sent", async () => {
  const crawler = new Shopper(product.store, DROP);
  expect((await crawler.join([{ sku: SKU, quantity: 1 }])).status).toBe(201);
  for (const until = Date.now() + 20_000; (await crawler.live()).body.phase !== "open" && Date.now() < until;) await wait(200);
  expect((await crawler.live()).body).toMatchObject({ phase: "open", available: 50 });

  const paths = ["/", `/berlin/${DROP}`, `/berlin/${DROP}/line`, `/drops/${DROP}/plan`, `/drops/${DROP}/record`];
  const pages: Record<string, string> = {};
  for (const path of paths) pages[path] = String((await request("GET", crawler.url(path))).body);
  const openapi: unknown = (await request("GET", crawler.url("/openapi.json"))).body;
  const holds: string[] = [];
  const freshId = (prefix: "hld" | "ord") => {
    const id = clientId(prefix);
    if (prefix === "hld") holds.push(id);
    return id;
  };
  const doors = sideDoors(openapi, pages, { drop: DROP, sku: SKU, email: "crawler@shopper.example", ticketId: crawler.ticketId, ticket: crawler.ticket, jwk: await crawler.publicKey(), freshId });
  expect(doors.length).toBeGreaterThan(1_000);

  const faults: string[] = [];
  const opened: string[] = [];
  await inParallel(doors, 16, async ({ method, path, headers, body, credential }) => {
    const bound: Record<string, string> = credential.scheme === "none" ? {}
      : credential.scheme === "bearer" ? { authorization: `Bearer ${credential.token}` }
        : { authorization: `DPoP ${credential.token}`, dpop: await crawler.proof(method, crawler.url(path), credential.token) };
    const init: RequestInit = { method, redirect: "manual", headers: { ...(body === null ? {} : { "content-type": "application/json" }), ...bound, ...headers }, body };
    const response = await fetch(crawler.url(path), init);
    const text = await response.text();
    const what = `${method} ${path} with ${credential.name}: ${response.status}`;
    if (response.status >= 500) faults.push(what);
    if (/"state":"(held|placed)"/.test(text)) opened.push(what);
  });
  expect(opened).toEqual([]);
  expect(faults).toEqual([]);

  const { rows } = await readRecord(product.store, DROP);
  const refs = new Set(holds.map((hold) => createHash("sha256").update(`tranche/ref\n${DROP}\n${hold}`).digest("hex")));
  expect(rows.filter(({ kind, ref }) => refs.has(String(ref)) || ["admit", "hold", "place", "sell"].includes(kind))).toEqual([]);

  // The door itself is no wall: the same person, admitted, does get one.
  await crawler.admitted();
  expect((await crawler.hold([{ sku: SKU, quantity: 1 }])).status).toBe(201);
});
