import { describe, expect, it } from "vitest";
import type { Plan } from "../../../../src/drop/plan.ts";
import type { DropLive, HoldCommand, PlaceCommand, TicketFacts } from "../../../../src/drop/port.ts";
import type { Mail } from "../../../../src/gate/mail.ts";
import { accepted, rejected } from "../../../../src/kernel/result.ts";
import { decideProof, type SentCode } from "../../../../src/lobby/address-codes.ts";
import { rankOf } from "../../../../src/lobby/draw.ts";
import type { JoinCommand } from "../../../../src/lobby/port.ts";
import { decideRedemption } from "../../../../src/lobby/redemptions.ts";
import { storefrontApp } from "../../../../src/storefront/app.ts";
import { FormBrowser } from "../../../support/form-browser.ts";
import { client, newShopper } from "../../../support/storefront-client.ts";
import { admitted, holdView, liveAt, OPENS_AT, ORIGIN, orderView, placedOrder, plan, SEED, testId, TICKET, world, type World } from "../../../support/storefront-doubles.ts";
import { nodeHashing } from "../../../../src/kernel/node-hashing.ts";

const LINE = "/berlin/moth-tee/line";
const EMAIL = "ana@example.org";
const GATED: Partial<Plan> = { gates: { work: { cost: 1_000 }, turnstile: { siteKey: "0x4AAAAAAAAAAAAAAAAAAAAA" }, email: true } };

/** A drop with a lobby that keeps its books, and the app before it. */
function shop(changes: Partial<Plan> = {}, doubles: Parameters<typeof world>[0] = {}) {
  const joins: JoinCommand[] = [];
  const mails: Mail[] = [];
  const uses = new Map<string, string[]>();
  const codes: (SentCode & { readonly person: string })[] = [];
  const base: World = world({
    live: liveAt(OPENS_AT + 10_000, {}, changes),
    lobby: {
      join: async (command) => {
        const isTaken = joins.some(({ ticket, person }) => ticket === command.ticket && person !== command.person);
        return isTaken ? rejected({ code: "id_reused" }) : (joins.push(command), accepted({ ...command, joinedAt: OPENS_AT - 300_000 }));
      },
      redeem: async ({ key, ticket, uses: most }) => {
        const known = uses.get(key) ?? [];
        const decided = decideRedemption({ users: known.length, isUser: known.includes(ticket), isRevoked: false }, { uses: most });
        if (decided.ok && decided.value.isNew) uses.set(key, [...known, ticket]);
        return decided.ok ? accepted(null) : decided;
      },
      personsOf: async (id) => {
        const first = joins.find(({ ticket }) => ticket === id);
        return first === undefined ? null : { owner: first.person, members: [] };
      },
      noteCode: async (note) => (codes.push({ ...note, sentAt: base.now, tries: 0 }), accepted(null)),
      proveAddress: async (proof) => {
        const key = `person/${proof.person}`;
        const [holder] = uses.get(key) ?? [];
        const { outcome, isMoved } = decideProof(codes.filter(({ person }) => person === proof.person), holder === undefined ? null : { ticket: holder, memberSince: null }, proof, base.now);
        if (outcome.ok && (holder === undefined || isMoved === true)) uses.set(key, [proof.ticket]);
        return outcome;
      },
    },
    ...doubles,
    ports: { mailer: { send: async (mail) => void mails.push(mail) }, ...doubles.ports },
  });
  const app = storefrontApp(base.ports);
  const browser = () => new FormBrowser(ORIGIN, { sender: async (url, init) => app.fetch(new Request(url, init)), wait: async (ms) => void (base.now += ms) });
  const code = (index = -1) => /\b\d{8}\b/.exec(mails.at(index)?.text ?? "")?.[0] ?? "";
  return { base, joins, mails, uses, browser, code };
}

const ticketOf = (browser: FormBrowser) => /<code>(tkt_[0-9A-Z]{26})<\/code>/.exec(browser.page.html)?.[1] ?? "";

async function joined(made: ReturnType<typeof shop>, email = EMAIL): Promise<FormBrowser> {
  const browser = made.browser();
  await browser.open(LINE);
  await browser.send(LINE, { "quantity-MOTH-S": "1", email });
  await browser.send("/proof", { code: made.code() });
  return browser;
}

describe("a ticket of the way without script", () => {
  it("is joined by the same command as any other: a shard cannot tell them apart, and the draw asks for nothing else", async () => {
    const made = shop();
    await joined(made);
    const shopper = await newShopper();
    await client(made.base)("PUT", `/api/drops/moth-tee/tickets/${TICKET}`, { body: { jwk: shopper.jwk, wants: [{ sku: "MOTH-S", quantity: 1 }] } });
    const [without, withScript] = made.joins;
    if (without === undefined || withScript === undefined) throw new Error("two people join");
    expect(Object.keys(without).toSorted()).toEqual(Object.keys(withScript).toSorted());
    const alike = ({ ticket: _ticket, entry: _entry, keyThumbprint: _key, person: _person, ...rest }: JoinCommand) => rest;
    expect(alike(without)).toEqual(alike(withScript));
    expect(alike(without)).toMatchObject({ lane: "open", weight: 1, spends: [] });
    for (const { keyThumbprint, ticket, entry } of [without, withScript]) expect([keyThumbprint, ticket, entry]).toEqual([expect.stringMatching(/^[\w-]{43}$/), expect.stringMatching(/^tkt_[0-9A-Z]{26}$/), expect.stringMatching(/^[0-9a-f]{64}$/)]);
    // The rank of one entry, whoever has it.
    const rank = (command: JoinCommand) => rankOf({ entry: without.entry, weight: command.weight, joinedAt: OPENS_AT - 1 }, OPENS_AT, SEED, nodeHashing);
    expect(rank(without)).toBe(rank(withScript));
  });

  it("asks for no work and no widget where the drop does, but never exists before its address is proven", async () => {
    const made = shop(GATED);
    const browser = made.browser();
    await browser.open(LINE);
    await browser.send(LINE, { "quantity-MOTH-S": "1", email: EMAIL });
    expect(browser.heading).toBe("Is this you?");
    expect(made.joins).toEqual([]);
    // With what was said alone nothing can be had.
    for (const path of ["/place", "/wants", "/hold"]) {
      await browser.open(LINE + path);
      expect([browser.heading, made.joins]).toEqual(["Join without JavaScript", []]);
    }
    await browser.open(`${LINE}/proof`);
    await browser.send("/proof", { code: String((Number(made.code()) + 1) % 100_000_000).padStart(8, "0") });
    expect([browser.page.status, made.joins]).toEqual([422, []]);
    await browser.send("/proof", { code: made.code() });
    expect(browser.page.path).toBe(`${LINE}/place`);
    expect(made.joins).toMatchObject([{ person: made.base.ports.credentials.personOf(EMAIL), wants: [{ sku: "MOTH-S", quantity: 1 }] }]);
  });

  it("is one for each address, wherever it is proven again, however it is spelt, and also where the drop does not ask for addresses", async () => {
    const made = shop();
    await joined(made);
    const other = await joined(made, "Ana+again@EXAMPLE.org");
    expect(other.page.path).toBe(`${LINE}/place`);
    const [first, second] = made.joins;
    expect(second?.ticket).toBe(first?.ticket);
    expect(second?.keyThumbprint).not.toBe(first?.keyThumbprint);
  });

  it("is given for staff's word instead of a code, once staff have given it and for that ticket alone", async () => {
    const made = shop(GATED, { ports: { mailer: null } });
    const browser = made.browser();
    await browser.open(LINE);
    await browser.send(LINE, { "quantity-MOTH-S": "1", email: EMAIL });
    expect([browser.page.status, browser.heading]).toEqual([503, "Is this you?"]);
    const ticket = /<code>(tkt_[0-9A-Z]{26})<\/code>/.exec(browser.page.html)?.[1] ?? "";
    await browser.send("/attestation");
    expect([browser.page.status, made.joins]).toEqual([403, []]);
    expect(browser.text).toContain("Not confirmed yet");
    made.uses.set(`attested/${testId("tkt", "Z")}`, ["staff"]);
    await browser.send("/attestation");
    expect(made.joins).toEqual([]);
    made.uses.set(`attested/${ticket}`, ["staff"]);
    await browser.send("/attestation");
    expect(browser.page.path).toBe(`${LINE}/place`);
    expect(made.joins).toMatchObject([{ ticket, person: made.base.ports.credentials.personOf(EMAIL) }]);
    // The address has its place: staff cannot give it another one.
    const again = made.browser();
    await again.open(LINE);
    await again.send(LINE, { "quantity-MOTH-S": "1", email: EMAIL });
    made.uses.set(`attested/${/<code>(tkt_[0-9A-Z]{26})<\/code>/.exec(again.page.html)?.[1] ?? ""}`, ["staff"]);
    await again.send("/attestation");
    expect([again.page.status, made.joins.length]).toEqual([409, 1]);
  });

  it("is for one person by staff's word, however often its form is sent again with another address, and ties no other address to it", async () => {
    const made = shop(GATED);
    const bot = made.browser();
    await bot.open(LINE);
    const { action, fields } = bot.fields(LINE);
    const attested = async (email: string) => {
      made.base.now += 400;
      await bot.post(action, { ...fields, "quantity-MOTH-S": "1", email });
      made.uses.set(`attested/${ticketOf(bot)}`, ["staff"]);
      await bot.send("/attestation");
      return [bot.page.status, bot.heading];
    };
    expect(await attested("bot@bot.example")).toEqual([200, "It is your turn"]);
    for (let victim = 0; victim < 8; victim++) expect(await attested(`victim-${victim}@example.org`)).toEqual([403, "Is this you?"]);
    expect([...made.uses.keys()].filter((key) => key.startsWith("person/"))).toHaveLength(1);
    expect((await joined(made, "victim-3@example.org")).page.path).toBe(`${LINE}/place`);
    expect(made.joins.length).toBe(2);
  });

  it("is given to an address that was tied to the ticket of others: by its code, and by staff's word", async () => {
    const made = shop(GATED);
    await joined(made, "bot@bot.example");
    const [taken] = made.joins;
    const { personOf } = made.base.ports.credentials;
    for (const email of ["ana@example.org", "ben@example.org"]) made.uses.set(`person/${personOf(email)}`, [taken?.ticket ?? ""]);
    expect((await joined(made, "ana@example.org")).page.path).toBe(`${LINE}/place`);
    const ben = made.browser();
    await ben.open(LINE);
    await ben.send(LINE, { "quantity-MOTH-S": "1", email: "ben@example.org" });
    made.uses.set(`attested/${ticketOf(ben)}`, ["staff"]);
    await ben.send("/attestation");
    expect(ben.page.path).toBe(`${LINE}/place`);
    expect(new Set(made.joins.map(({ ticket }) => ticket)).size).toBe(3);
    expect(made.joins.map(({ person }) => person)).toEqual(["bot@bot.example", "ana@example.org", "ben@example.org"].map(personOf));
  });

  it("is not given by staff's word before the lobby opens, after the close, or to a network beyond its share", async () => {
    const made = shop({ ...GATED, budgets: { joinsPerMinute: 40, unpaidHolds: 60 } }, { ports: { visitor: () => ({ network: "203.0.113.7", country: null, near: null }) } });
    const visitors = await Promise.all(Array.from({ length: 11 }, async (_, index) => {
      const browser = made.browser();
      await browser.open(LINE);
      await browser.send(LINE, { "quantity-MOTH-S": "1", email: `visitor-${index}@example.org` });
      made.uses.set(`attested/${ticketOf(browser)}`, ["staff"]);
      return browser;
    }));
    const { now } = made.base;
    made.base.now = plan.closesAt;
    await visitors[0]?.send("/attestation");
    expect([visitors[0]?.page.status, made.joins.length, made.uses.has(`person/${made.base.ports.credentials.personOf("visitor-0@example.org")}`)]).toEqual([410, 0, false]);
    made.base.now = now;
    for (const visitor of visitors) {
      made.base.now = now;
      await visitor.open(`${LINE}/proof`);
      await visitor.send("/attestation");
    }
    expect([visitors.at(-1)?.page.status, made.joins.length]).toEqual([429, 10]);
  });

  it("costs a network and a mail domain their share of the joins a minute, and a wrong code nobody of the same domain anything", async () => {
    const made = shop({ budgets: { joinsPerMinute: 40, unpaidHolds: 60 } }, { ports: { visitor: () => ({ network: "203.0.113.7", country: null, near: null }) } });
    for (let person = 0; person < 10; person++) await joined(made, `person-${person}@example.org`);
    expect(made.joins.length).toBe(10);
    const eleventh = await joined(made, "eleventh@other.example");
    expect([eleventh.page.status, made.joins.length]).toEqual([429, 10]);
    expect(eleventh.text).toContain("Please wait a little");
    expect(Number(eleventh.page.headers.get("retry-after"))).toBeGreaterThan(0);
    made.base.now += 60_000;
    await eleventh.send("/proof", { code: made.code() });
    expect(made.joins.length).toBe(11);
  });

  it("is had in the minute by as many of one domain as of one network, wherever they come from", async () => {
    let networks = 0;
    const made = shop({ budgets: { joinsPerMinute: 40, unpaidHolds: 60 } }, { ports: { visitor: () => ({ network: `203.0.113.${networks++}`, country: null, near: null }) } });
    for (let person = 0; person < 10; person++) await joined(made, `person-${person}@example.org`);
    expect((await joined(made, "eleventh@example.org")).page.status).toBe(429);
    expect((await joined(made, "somebody@other.example")).page.path).toBe(`${LINE}/place`);
  });
});

describe("a form that looks like a program's", () => {
  it("is not done, is noted without what it said, and can be sent again by hand with everything still in it", async () => {
    for (const [entered, isHasty, why] of [[{ website: "https://spam.example" }, false, "trap"], [{}, true, "too_fast"], [{ stamp: "x.y.z" }, false, "stamp"]] as const) {
      const made = shop();
      const browser = made.browser();
      await browser.open(LINE);
      await browser.send(LINE, { "quantity-MOTH-S": "1", email: EMAIL, ...entered }, { isHasty });
      expect([browser.page.status, browser.heading]).toEqual([422, "Please send it once more"]);
      expect(made.mails).toEqual([]);
      expect(made.base.logged).toEqual([{ code: "form_refused", why, drop: "moth-tee", path: LINE }]);
      await browser.send(LINE);
      expect([browser.heading, made.mails.length]).toEqual(["Is this you?", 1]);
    }
  });

  it("makes one thing however often it is sent", async () => {
    const made = shop();
    const browser = made.browser();
    await browser.open(LINE);
    const { action, fields } = browser.fields(LINE);
    made.base.now += 400;
    for (let time = 0; time < 3; time++) await browser.post(action, { ...fields, "quantity-MOTH-S": "1", email: EMAIL });
    // Any of the three codes is for the same ticket.
    await browser.open(`${LINE}/proof`);
    await browser.send("/proof", { code: made.code(0) });
    expect(made.joins.length).toBe(1);
  });
});

describe("what can be wrong with a form", () => {
  it("is said by the field, with everything that was entered still there", async () => {
    const made = shop();
    const browser = made.browser();
    await browser.open(LINE);
    await browser.send(LINE, { "quantity-MOTH-S": "2", "quantity-MOTH-M": "2", email: "ana@nowhere" });
    expect(browser.page.status).toBe(422);
    const { fields } = browser.fields(LINE);
    expect(fields).toMatchObject({ "quantity-MOTH-S": "2", "quantity-MOTH-M": "2", email: "ana@nowhere" });
    expect(browser.text).toContain("At most 2 in all can be bought by one person.");
    expect(browser.text).toContain("This is not an e-mail address.");
    expect(browser.page.html).toMatch(/<input id="email"[^>]*aria-invalid="true"[^>]*aria-describedby="email-mistake email-hint"/);
    for (const wrong of [{}, { "quantity-MOTH-S": "-1" }, { "quantity-MOTH-S": "1e3" }, { "quantity-MOTH-S": "1.5" }, { "quantity-OTHER": "1" }]) {
      await browser.send(LINE, { "quantity-MOTH-S": "0", "quantity-MOTH-M": "0", email: EMAIL, ...wrong });
      expect(browser.page.status, JSON.stringify(wrong)).toBe(422);
    }
    expect(made.mails).toEqual([]);
  });

  it("is refused whole where it says a field twice, is no form, or is larger than any form", async () => {
    const made = shop();
    const browser = made.browser();
    await browser.open(LINE);
    const { fields } = browser.fields(LINE);
    made.base.now += 400;
    const text = new URLSearchParams({ ...fields, email: EMAIL, "quantity-MOTH-S": "1" }).toString();
    const origin = { origin: ORIGIN };
    for (const [options, status] of [
      [{ headers: origin, body: `${text}&email=other%40example.org` }, 400],
      [{ headers: { ...origin, "content-type": "text/plain" }, body: text }, 415],
      [{ headers: { ...origin, "content-type": "application/json" }, body: JSON.stringify(fields) }, 415],
      [{ headers: { ...origin, "content-type": "multipart/form-data; boundary=x" }, body: text }, 415],
      [{ headers: origin, body: `${text}&note=${"x".repeat(20_000)}` }, 413],
      [{ headers: origin, body: Array.from({ length: 200 }, (_, index) => `f${index}=1`).join("&") }, 400],
    ] as const) {
      await browser.post(LINE, {}, options);
      expect([browser.page.status, made.mails]).toEqual([status, []]);
      expect(browser.text).toContain("Open the page again");
    }
  });

  it("is refused when no page of this store sent it: another origin, none, a silent one, or another site by the browser's word", async () => {
    const made = shop();
    const browser = made.browser();
    await browser.open(LINE);
    const { fields } = browser.fields(LINE);
    made.base.now += 400;
    const sent = { ...fields, email: EMAIL, "quantity-MOTH-S": "1" };
    for (const headers of [{}, { origin: "null" }, { origin: "https://evil.example" }, { referer: "https://evil.example/berlin" }, { origin: ORIGIN, "sec-fetch-site": "same-site" }, { origin: ORIGIN, "sec-fetch-site": "cross-site" }, { origin: "https://evil.example", referer: `${ORIGIN}${LINE}` }, { "sec-fetch-site": "same-origin" }]) {
      await browser.post(LINE, sent, { headers });
      expect([browser.page.status, made.mails], JSON.stringify(headers)).toEqual([403, []]);
    }
    // A text browser names the page instead of the origin.
    await browser.post(LINE, sent, { headers: { referer: `${ORIGIN}${LINE}` } });
    expect(made.mails.length).toBe(1);
  });
});

describe("waiting", () => {
  it("asks no object anything, and says where the place is in the region's own time", async () => {
    const made = shop();
    const browser = await joined(made);
    const ranks = Array.from({ length: 30 }, (_, index) => `0${index.toString(16).padStart(2, "0")}${"0".repeat(30)}`);
    const line = { ...liveAt(made.base.now, { thresholds: [{ sku: "MOTH-S", lane: "open", upTo: null }, { sku: "MOTH-M", lane: "open", upTo: null }] }), quantiles: [{ lane: "open", count: 30, ranks }] };
    // Without any object: whatever would be asked throws.
    const waiting = world({ live: line, ports: { now: () => made.base.now } });
    const app = storefrontApp(waiting.ports);
    const visitor = new FormBrowser(ORIGIN, { sender: async (url, init) => app.fetch(new Request(url, init)) });
    for (const [name, value] of browser.jar) visitor.jar.set(name, value);
    await visitor.open(`${LINE}/place`);
    expect([visitor.page.status, visitor.heading]).toEqual([200, "You are in line"]);
    expect(visitor.text).toMatch(/Your place: \d+\./);
    expect(visitor.page.headers.get("refresh")).toBe(`10; url=${LINE}/place`);
    const [, shown] = /Your place: (\d+)/.exec(visitor.text) ?? [];
    // A line that wobbles is never shown as a longer one.
    const longer = { ...line, quantiles: [{ lane: "open", count: 60, ranks: [...ranks.map((rank) => `00${rank.slice(2)}`), ...ranks].toSorted() }] };
    const later = storefrontApp(world({ live: longer, ports: { now: () => made.base.now } }).ports);
    const again = new FormBrowser(ORIGIN, { sender: async (url, init) => later.fetch(new Request(url, init)) });
    for (const [name, value] of visitor.jar) again.jar.set(name, value);
    await again.open(`${LINE}/place`);
    expect(Number(/Your place: (\d+)/.exec(again.text)?.[1])).toBeLessThanOrEqual(Number(shown));
    expect((await again.open(`${LINE}/place?refresh=off`)).headers.get("refresh")).toBeNull();
  });

  it("says each state in words and what comes next", async () => {
    const browser = await joined(shop());
    const at = OPENS_AT + 10_000;
    const sold = (soldOut: "stage" | "final") => [{ sku: "MOTH-S", available: 0, soldOut }, { sku: "MOTH-M", available: 0, soldOut }];
    const before = OPENS_AT - 120_000;
    const states: readonly (readonly [Partial<DropLive>, number, string, string])[] = [
      [{ phase: "lobby", stage: null, seed: null }, before, "You are in", "The drop opens Fri, 4 Dec, 19:00 CET"],
      [{ phase: "drawing", seed: null }, at, "Drawing the order", "takes a few seconds"],
      [{ phase: "sold-out", items: sold("stage") }, at, "Sold out in this stage", "Stage 2 opens at Fri, 4 Dec, 19:30 CET"],
      [{ phase: "sold-out", items: sold("final") }, at, "Sold out", "nothing more can be bought"],
      [{ phase: "paused" }, at, "Paused", "place is kept"],
      [{ phase: "closed" }, at, "This drop is over", "Nothing more can be bought"],
      [{ phase: "cancelled" }, at, "This drop was cancelled", "gets the whole amount back"],
      [{}, at, "It is your turn", "Hold it for me"],
    ];
    for (const [state, now, title, words] of states) {
      const app = storefrontApp(world({ live: liveAt(now, state), ports: { now: () => now } }).ports);
      const visitor = new FormBrowser(ORIGIN, { sender: async (url, init) => app.fetch(new Request(url, init)) });
      for (const [name, value] of browser.jar) visitor.jar.set(name, value);
      await visitor.open(`${LINE}/place`);
      expect([visitor.heading, visitor.text.includes(words), visitor.text]).toEqual([title, true, expect.stringContaining(words)]);
      // Who has something to fill in, or nothing to wait for, is not interrupted.
      const isQuiet = ["It is your turn", "Sold out", "This drop is over", "This drop was cancelled"].includes(title);
      expect([title, visitor.page.headers.get("refresh") === null]).toEqual([title, isQuiet]);
    }
  });
});

describe("holding and ordering", () => {
  const sittingHold = { ...admitted, hold: async () => accepted(holdView()), holdState: async () => holdView() };

  it("uses the drop's own decisions: the same commands as the API's, with the network and the person", async () => {
    const asked: Record<string, unknown>[] = [];
    const drop = {
      claim: async (ticket: TicketFacts) => (asked.push({ person: ticket.person }), accepted({ state: "admitted" as const, sitting: { id: "pas_sitting", entry: ticket.entry, admittedAt: OPENS_AT, expiresAt: OPENS_AT + 60_000 } })),
      hold: async (command: HoldCommand) => (asked.push({ ...command }), accepted(holdView())),
      holdState: async () => holdView(),
      place: async (command: PlaceCommand) => (asked.push({ ...command }), accepted(placedOrder({ id: command.id, placedAt: OPENS_AT }))),
      placed: async () => null,
    };
    const made = shop({}, { drop, checkout: { open: async () => orderView(), order: async (id) => orderView({ order: placedOrder({ id, placedAt: OPENS_AT }) }), refresh: async () => null } });
    const browser = await joined(made);
    await browser.send("/hold", { "quantity-MOTH-S": "1" });
    expect(browser.heading).toBe("Held for you");
    expect(browser.text).toContain("Held until 19:08:10 CET");
    expect(asked[0]).toEqual({ person: made.base.ports.credentials.personOf(EMAIL) });
    expect(asked.at(-1)).toMatchObject({ id: expect.stringMatching(/^hld_/), sitting: "pas_sitting", lines: [{ sku: "MOTH-S", quantity: 1 }], replaces: null, network: "local" });
    await browser.send("/order", { coupon: "BERLIN" });
    expect(asked.at(-1)).toMatchObject({ id: expect.stringMatching(/^ord_/), hold: testId("hld", "A"), sitting: "pas_sitting", email: EMAIL, region: "berlin", coupon: { campaign: "berlin-night" }, delivery: { method: "pickup", point: "kiosk-k", slot: "17:00-17:30" }, returnTo: ORIGIN });
    expect(browser.page.path).toMatch(/^\/orders\/ord_[0-9A-Z]{26}\/payment$/);
    expect(browser.page.headers.get("refresh")).toBe("0; url=https://pay.example/1");
  });

  it("says what was refused and what to do next, and never without a way on", async () => {
    const refusals = [
      [{ code: "sold_out", sku: "MOTH-S", available: 0, nextStageAt: OPENS_AT + 1_800_000 }, 409, "The next stage opens Fri, 4 Dec, 19:30 CET"],
      [{ code: "limit_reached", limit: 2 }, 409, "Choose fewer"],
      [{ code: "too_many_requests", retryAt: OPENS_AT + 30_000 }, 429, "Try again at Fri, 4 Dec, 19:01 CET"],
      [{ code: "drop_closed" }, 410, "Nothing more can be bought"],
      [{ code: "pass_expired" }, 403, "You keep your place"],
    ] as const;
    for (const [rejection, status, words] of refusals) {
      const browser = await joined(shop({}, { drop: { ...sittingHold, hold: async () => rejected(rejection) } }));
      await browser.send("/hold", { "quantity-MOTH-S": "1" });
      expect([browser.page.status, browser.text]).toEqual([status, expect.stringContaining(words)]);
      expect(browser.page.html).toMatch(/<main[^>]*>.*<(a class="(main|quiet)"|button)/s);
    }
  });

  it("keeps nobody in a hold that has ended, and leads back to the place", async () => {
    let view = holdView();
    const made = shop({}, { drop: { ...sittingHold, holdState: async () => view } });
    const browser = await joined(made);
    await browser.send("/hold", { "quantity-MOTH-S": "1" });
    view = holdView({ state: "expired" });
    await browser.open(`${LINE}/hold`);
    expect(browser.heading).toBe("Your hold has ended");
    await browser.open(`${LINE}/place`);
    expect(browser.heading).toBe("It is your turn");
    view = holdView({ state: "placed", order: testId("ord", "A") });
    await browser.send("/hold", { "quantity-MOTH-S": "1" });
    expect([browser.heading, browser.page.html.includes(`/orders/${testId("ord", "A")}`)]).toEqual(["You have ordered this", true]);
  });
});
