import { describe, expect, it } from "vitest";
import { nodeHashing } from "../../../../src/kernel/node-hashing.ts";
import type { LobbyLive } from "../../../../src/lobby/port.ts";
import { LiveAnswers } from "../../../../src/storefront/api/live-answers.ts";
import { joseCredentials } from "../../../../src/storefront/jose-credentials.ts";
import { storefrontSecrets } from "../../../../src/storefront/secrets.ts";
import { client, expectProblem } from "../../../support/storefront-client.ts";
import { credentials, liveAt, OPENS_AT, ORIGIN, plan, type World, world } from "../../../support/storefront-doubles.ts";

const LIVE = "/api/drops/moth-tee/live";
const STATE = liveAt(OPENS_AT + 9_700);

/** A store with a state in memory, which counts how often that and how often the long way is asked. */
function counted(state: LobbyLive | null = STATE): World & { readonly asked: { atHand: number; byRoute: number } } {
  const asked = { atHand: 0, byRoute: 0 };
  const shop = world({ ports: {
    liveAtHand: () => (asked.atHand++, state),
    live: async () => (asked.byRoute++, state),
  } });
  return Object.assign(shop, { asked });
}

async function whole(response: Response): Promise<unknown> {
  return [response.status, [...response.headers].toSorted(), await response.text()];
}

describe("the live object at hand", () => {
  it("is the same to the last byte and header as the one that the route gives, and costs no question", async () => {
    const shop = counted();
    const send = client(shop);
    const atHand = await whole(await send("GET", LIVE));
    expect(shop.asked).toEqual({ atHand: 1, byRoute: 0 });
    expect(atHand).toEqual(await whole(await send("GET", `${LIVE}?of=the-route`)));
    expect(shop.asked).toEqual({ atHand: 1, byRoute: 1 });
  });

  it("carries the time and the nonce of each reading, and what keeps a browser from doing anything with it", async () => {
    const shop = counted();
    const send = client(shop);
    for (const now of [OPENS_AT + 10_000, OPENS_AT + 10_001, OPENS_AT + 9_999_999]) {
      shop.now = now;
      const response = await send("GET", LIVE);
      expect(await response.json()).toMatchObject({ now: new Date(now).toISOString(), asOf: "2026-12-04T18:00:09.700Z", dpopNonce: credentials.dpopNonce(now) });
      expect(Object.fromEntries(response.headers)).toMatchObject({
        "content-type": "application/json", "cache-control": "no-store", "x-content-type-options": "nosniff", "x-frame-options": "DENY", "referrer-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin", "content-security-policy": expect.stringContaining("default-src 'none'"), "strict-transport-security": expect.stringContaining("max-age="),
      });
    }
    expect(shop.asked.byRoute).toBe(0);
  });

  it("is for a plain GET alone: any other method, query or spelling is the route's", async () => {
    const shop = counted();
    const send = client(shop);
    for (const [method, path, status] of [
      ["HEAD", LIVE, 200], ["POST", LIVE, 405], ["PUT", LIVE, 405], ["DELETE", LIVE, 405], ["OPTIONS", LIVE, 405],
      ["GET", `${LIVE}?`, 200], ["GET", `${LIVE}?a`, 200], ["GET", `${LIVE}/`, 404], ["GET", "/api/drops/moth%2Dtee/live", 200], ["GET", "/api/drops/other/live", 404], ["GET", "/api/drops/constructor/live", 404],
    ] as const) expect([path, (await send(method, path)).status]).toEqual([path, status]);
    expect((await send("POST", LIVE, { headers: { origin: "https://evil.example" } })).status).toBe(403);
    expect(shop.asked.atHand).toBe(0);
  });

  it("is found by the path of an address, and not by anything before or behind it", () => {
    const answers = new LiveAnswers(counted().ports);
    for (const origin of [ORIGIN, "http://h", "http://127.0.0.1:8787", "https://any.example"]) expect(answers.atHand(origin + LIVE), origin).not.toBeNull();
    for (const url of [`${ORIGIN}/x${LIVE}`, `${ORIGIN}/${LIVE}`, `${ORIGIN}?${LIVE}`, `${ORIGIN}#${LIVE}`, `${ORIGIN}/?${LIVE}`, ORIGIN, "", `ftp://h${LIVE}`]) expect(answers.atHand(url), url).toBeNull();
  });

  it("is not there before the drop is announced, even when its state lies in memory", async () => {
    const shop = counted(liveAt(plan.announceAt - 1_000));
    shop.now = plan.announceAt - 1;
    await expectProblem(await client(shop)("GET", LIVE), "not_found");
    shop.now = plan.announceAt;
    expect((await client(shop)("GET", LIVE)).status).toBe(200);
  });

  it("is left to the route when none is ready", async () => {
    const shop = world({ ports: { liveAtHand: () => null, live: async () => STATE } });
    expect(await (await client(shop)("GET", LIVE)).json()).toMatchObject({ asOf: "2026-12-04T18:00:09.700Z" });
  });

  it("is left to the route when it fails, which says so and logs it", async () => {
    const shop = world({ ports: { liveAtHand: () => STATE, live: async () => STATE, credentials: joseCredentials(storefrontSecrets({}), nodeHashing) } });
    await expectProblem(await client(shop)("GET", LIVE), "temporarily_unavailable");
    expect(shop.logged).toMatchObject([{ code: "temporarily_unavailable", route: "/api/drops/:drop/live" }]);
  });
});
