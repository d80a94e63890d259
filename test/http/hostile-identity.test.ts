import { afterAll, beforeAll, expect } from "vitest";
import { inParallel, wait } from "../support/crowd.ts";
import { edSigning, hmacSigning, headerOf, claimsOf, jws, reminted, secretJwk, ticketSigning, unsigned } from "../support/forgery.ts";
import { atRest, desk, expectRefusal, unchanged } from "../support/hostile.ts";
import { hostile, hostileBeyond } from "../support/hostile-entries.ts";
import { startProduct, type Product } from "../support/product.ts";
import { clientId, request, Shopper, type Answer } from "../support/shopper.ts";
import { storeVars } from "../support/store-config.ts";

/* Hostile inputs against who joins: codes by mail, invitations, and the codes that a pop-up shows. */

const DROPS = ["mail", "sale", "friends", "guests", "others", "letters", "popup"] as const;
const WANTS = [{ sku: "ONE", quantity: 1 }];

let product: Product;
const shopper = (drop: string) => new Shopper(product.store, drop);

beforeAll(async () => {
  const items = [{ sku: "ONE", priceMinor: 4200, quantity: 900 }];
  const member = '[ { lane = "member", share = 10, until = "10m", invite = true, weight = 2 } ]';
  const local = '[ { lane = "local", share = 20, until = "10m", region = "berlin" } ]';
  const later = { items, opensAfter: "20m", closesAfter: "2h", shards: 4, admit: "paced" } as const;
  product = await startProduct(storeVars(
    { ...later, slug: "mail", gates: "{ email = true }" },
    { slug: "sale", items, gates: "{ email = true }", opensAfter: "1s", shards: 2, claimWindow: "10m" },
    { slug: "friends", items, gates: "{ email = true }", group: 3, opensAfter: "1s", shards: 4, claimWindow: "10m" },
    { ...later, slug: "guests", lanes: member },
    { ...later, slug: "others", lanes: member },
    { ...later, slug: "letters", gates: "{ email = true }", lanes: member, budgets: "{ joins = 20 }" },
    { ...later, slug: "popup", lanes: local },
  ));
  // The one drop that opens now is drawn before anything is compared.
  await wait(1_500);
  await atRest(product, DROPS, 500);
});
afterAll(() => product?.stop());

const askCode = (drop: string, ticket: string, email: unknown): Promise<Answer> => request("POST", `${product.store}/api/drops/${drop}/codes`, { body: { ticket, email } });

/** The code of the newest mail to an address, as soon as there are `mails` of them. */
async function codeFor(email: string, mails = 1): Promise<string> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const { body } = await request("GET", `${product.sandbox}/sandbox/mail?to=${encodeURIComponent(email)}`);
    if (body.messages.length >= mails) return /\b\d{8}\b/.exec(String(body.messages[0].text))?.[0] ?? "";
    await wait(50);
  }
  throw new Error(`no mail to ${email}`);
}

/** Somebody who asked for a code and got it. */
async function asked(drop: string, email: string): Promise<{ readonly person: Shopper; readonly code: string }> {
  const person = shopper(drop);
  const answer = await askCode(drop, person.ticketId, email);
  expect(answer.status, JSON.stringify(answer.body)).toBe(202);
  return { person, code: await codeFor(email) };
}

async function joinedBy(drop: string, email: string): Promise<Shopper> {
  const { person, code } = await asked(drop, email);
  expect((await person.join(WANTS, { identity: { email, code } })).status).toBe(201);
  return person;
}

/** Another code than the right one. */
const wrongCode = (code: string, by = 1): string => String((Number(code) + by) % 100_000_000).padStart(8, "0");

hostile(49, "a code guessed by 200 requests at once, answer 422 identity_invalid, and five tries in all", async () => {
  const { person, code } = await asked("mail", "guessed@shopper.example");
  const guesses = Array.from({ length: 200 }, (_, index) => wrongCode(code, index + 1));
  const answers = await unchanged(product, DROPS, () => inParallel(guesses, 200, (guess) => person.join(WANTS, { identity: { email: "guessed@shopper.example", code: guess } })));
  for (const answer of answers) expectRefusal(answer, 422, "identity_invalid");
  // The right one is worth nothing by now, and whoever guesses cannot tell.
  const right = await person.join(WANTS, { identity: { email: "guessed@shopper.example", code } });
  expect(right.body).toEqual(answers[0]?.body);
  expect((await request("GET", `${product.store}/api/drops/mail/tickets/${person.ticketId}`)).status).toBe(404);
  // A new code for the same address opens the door again.
  expect((await askCode("mail", person.ticketId, "guessed@shopper.example")).status).toBe(202);
  expect((await person.join(WANTS, { identity: { email: "guessed@shopper.example", code: await codeFor("guessed@shopper.example", 2) } })).status).toBe(201);
});

hostileBeyond("a code of another ticket, another address or another drop, a mistyped one and none, answer one refusal for all", async () => {
  const mine = await asked("mail", "mine@shopper.example");
  const theirs = await asked("mail", "theirs@shopper.example");
  const elsewhere = { ticket: clientId("tkt"), code: "" };
  expect((await askCode("sale", elsewhere.ticket, "mine@shopper.example")).status).toBe(202);
  elsewhere.code = await codeFor("mine@shopper.example", 2);
  await unchanged(product, DROPS, async () => {
    const join = (person: Shopper, email: string, code: unknown) => person.join(WANTS, { identity: { email, code } });
    const refusals = [
      await join(mine.person, "mine@shopper.example", theirs.code === mine.code ? wrongCode(mine.code) : theirs.code),
      await join(theirs.person, "mine@shopper.example", mine.code),
      await join(shopper("mail"), "mine@shopper.example", mine.code),
      await join(mine.person, "mine@shopper.example", elsewhere.code === mine.code ? wrongCode(mine.code) : elsewhere.code),
      await join(mine.person, "nobody@shopper.example", mine.code),
      ...(await Promise.all(["", "1", "１２３", `${mine.code}0`, "0x12345678", "12345678\u0000", "eeeeeeee", "' OR 1=1"].map((code) => join(mine.person, "mine@shopper.example", code)))),
    ];
    for (const answer of refusals) expectRefusal(answer, 422, "identity_invalid");
    for (const identity of [{}, { code: mine.code }, { email: "mine@shopper.example", code: 12_345_678 }, { email: ["mine@shopper.example"], code: mine.code }, { email: "no address", code: mine.code }, { email: "mine@shopper.example", code: mine.code, isProven: true }]) {
      expectRefusal(await mine.person.join(WANTS, { identity }), 422, "invalid_request");
    }
    expectRefusal(await mine.person.join(WANTS), 403, "identity_required");
    expectRefusal(await mine.person.join(WANTS, { identity: { email: "mine@shopper.example" } }), 403, "identity_required");
  });
  // The way in which people copy it, and write their address.
  expect((await mine.person.join(WANTS, { identity: { email: " MINE+drop@Shopper.example ", code: `${mine.code.slice(0, 4)} ${mine.code.slice(4)}` } })).status).toBe(201);
});

hostileBeyond("one address with five tickets at once, answer one place, and 409 identity_in_use that leads to it", async () => {
  const email = "many@shopper.example";
  const people = Array.from({ length: 5 }, () => shopper("mail"));
  const codes: string[] = [];
  for (const [index, person] of people.entries()) {
    expect((await askCode("mail", person.ticketId, email)).status).toBe(202);
    codes.push(await codeFor(email, index + 1));
  }
  const answers = await Promise.all(people.map((person, index) => person.join(WANTS, { identity: { email, code: codes[index] } })));
  const first = people[answers.findIndex(({ status }) => status === 201)] as Shopper;
  const refused = answers.filter(({ status }) => status !== 201);
  expect(refused).toHaveLength(4);
  for (const answer of refused) {
    expectRefusal(answer, 409, "identity_in_use");
    expect(answer.body.ticket).toBe(first.ticketId);
  }
  // The same address in another browser goes on with the same place: the key moves, the entry stays.
  const other = people.find((person) => person !== first) as Shopper;
  const code = codes[people.indexOf(other)];
  const moved = await request("PUT", `${product.store}/api/drops/mail/tickets/${first.ticketId}`, { body: { jwk: await other.publicKey(), wants: WANTS, identity: { email, code } } });
  expect(moved).toMatchObject({ status: 201, body: { id: first.ticketId, entry: first.entry } });
  expectRefusal(await first.join([{ sku: "ONE", quantity: 2 }]), 409, "id_reused");
  // Without a code for this address nobody takes the place, whoever knows its id.
  const stranger = await joinedBy("mail", "stranger@shopper.example");
  for (const identity of [undefined, { email, code: wrongCode(code ?? "") }, { email: "stranger@shopper.example", code }]) {
    const taken = await request("PUT", `${product.store}/api/drops/mail/tickets/${first.ticketId}`, { body: { jwk: await stranger.publicKey(), wants: WANTS, ...(identity === undefined ? {} : { identity }) } });
    expect([409, 422]).toContain(taken.status);
    expect(["id_reused", "identity_invalid"]).toContain(taken.body.code);
  }
});

hostileBeyond("an address proven for the ticket of another person, with its key and without, answer 409 id_reused, and it still gets a place", async () => {
  const owner = await joinedBy("mail", "owner@shopper.example");
  for (const [index, email] of ["second@shopper.example", "third@shopper.example"].entries()) {
    expect((await askCode("mail", owner.ticketId, email)).status).toBe(202);
    const by = index === 0 ? owner : shopper("mail");
    const place = { jwk: await by.publicKey(), wants: [{ sku: "ONE", quantity: 2 }], identity: { email, code: await codeFor(email) } };
    expectRefusal(await request("PUT", `${product.store}/api/drops/mail/tickets/${owner.ticketId}`, { body: place }), 409, "id_reused");
    const own = shopper("mail");
    expect((await askCode("mail", own.ticketId, email)).status).toBe(202);
    expect((await own.join(WANTS, { identity: { email, code: await codeFor(email, 2) } })).body).toMatchObject({ id: own.ticketId });
  }
  expect((await owner.join(WANTS)).status).toBe(201);
});

hostileBeyond("a mailbox filled with codes, answer 429 too_many_requests per address, per ticket and per network", async () => {
  const flooded = await inParallel(Array.from({ length: 40 }, () => clientId("tkt")), 20, (ticket) => askCode("mail", ticket, "flooded@shopper.example"));
  expect(flooded.filter(({ status }) => status === 202)).toHaveLength(5);
  for (const answer of flooded.filter(({ status }) => status !== 202)) {
    expectRefusal(answer, 429, "too_many_requests");
    expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(60);
  }
  // Sub-addresses and capitals are the same mailbox.
  expectRefusal(await askCode("mail", clientId("tkt"), "Flooded+9@SHOPPER.example"), 429, "too_many_requests");
  // Whose address it is asks from elsewhere, and is not kept waiting; from wherever it comes, the mailbox gets so many and no more.
  const asking = (network: string) => request("POST", `${product.store}/api/drops/mail/codes`, { body: { ticket: clientId("tkt"), email: "flooded@shopper.example" }, headers: { rehearsal: `${product.rehearsalKey} ${network}` } });
  expect((await asking("at-home")).status).toBe(202);
  const others = await inParallel(Array.from({ length: 40 }, (_, index) => `2001:db8:${index % 8}:${index}::/64`), 20, asking);
  expect(others.filter(({ status }) => status === 202)).toHaveLength(24);
  const ticket = clientId("tkt");
  const sent = await inParallel(Array.from({ length: 12 }, (_, index) => `to-${index % 6}@shopper.example`), 1, (email) => askCode("mail", ticket, email));
  expect(sent.filter(({ status }) => status === 202)).toHaveLength(6);
  const network = { rehearsal: `${product.rehearsalKey} crowded-cafe` };
  const crowd = await inParallel(Array.from({ length: 100 }, (_, index) => `cafe-${index}@shopper.example`), 32, (email) => request("POST", `${product.store}/api/drops/letters/codes`, { body: { ticket: clientId("tkt"), email }, headers: network }));
  const refused = crowd.filter(({ status }) => status !== 202);
  // The minute may turn once in between.
  expect([20, 40]).toContain(crowd.length - refused.length);
  for (const answer of refused) expectRefusal(answer, 429, "too_many_requests");
  expect((await askCode("letters", clientId("tkt"), "outside@shopper.example")).status).toBe(202);
});

hostileBeyond("a code asked for a known address, an unknown one, and while no mail leaves, answer the same", async () => {
  await joinedBy("mail", "known@shopper.example");
  await request("PUT", `${product.sandbox}/sandbox/behaviour`, { body: { mail: { withhold: true, fail: { rate: 1 } } } });
  const answers = await Promise.all(["known@shopper.example", "unknown@shopper.example"].map((email) => askCode("mail", clientId("tkt"), email)));
  await request("PUT", `${product.sandbox}/sandbox/behaviour`, { body: {} });
  const [known, unknown] = answers.map(({ status, body, headers }) => ({ status, body, headers: [...headers].filter(([name]) => name !== "date") }));
  expect(known).toEqual(unknown);
  expect(known?.status).toBe(202);
  expectRefusal(await askCode("guests", clientId("tkt"), "known@shopper.example"), 404, "not_found");
  expectRefusal(await askCode("nothing", clientId("tkt"), "known@shopper.example"), 404, "not_found");
  for (const email of ["", "no address", "a@b", "a@b.example\r\nbcc: c@d.example", "<a@b.example>", "a@b.example,c@d.example", 7, null, ["a@b.example"], "a".repeat(300)]) expectRefusal(await askCode("mail", clientId("tkt"), email), 422, "invalid_request");
  for (const ticket of ["", "tkt_1", clientId("hld"), null]) expectRefusal(await askCode("mail", ticket as string, "a@b.example"), 422, "invalid_request");
});

hostileBeyond("an order with another address than the place belongs to, answer 422 identity_differs, and the hold stays", async () => {
  const person = await joinedBy("sale", "buyer@shopper.example");
  await person.admitted();
  const { body: hold } = await person.hold(WANTS);
  const order = await unchanged(product, DROPS, async () => {
    for (const email of ["another@shopper.example", "buyer@shopper.example.evil.example", "buyer@shopper"]) {
      const answer = await person.order(hold.id, { email });
      expect([answer.status, answer.body.code]).toEqual([422, email === "buyer@shopper" ? "invalid_request" : "identity_differs"]);
    }
    return clientId("ord");
  });
  expect((await person.order(hold.id, { id: order, email: "Buyer+tee@shopper.example" })).status).toBe(201);
});

/** Somebody with the codes of everybody who is to stand in line with them: lent ones for the others, as `identity` has them. */
async function gathered(own: string, ...others: readonly string[]) {
  const { person, code } = await asked("friends", own);
  const group: { email: string; code: string }[] = [];
  for (const email of others) {
    expect((await request("POST", `${product.store}/api/drops/friends/codes`, { body: { ticket: person.ticketId, email, group: true } })).status).toBe(202);
    group.push({ email, code: await codeFor(email) });
  }
  return { person, group, identity: { email: own, code, group } };
}

hostileBeyond("a group of an address twice, of more than may stand together, or with one wrong code, answer 422 with the member, and nobody is bound", async () => {
  const { person, group, identity } = await gathered("gil@shopper.example", "hal@shopper.example", "ida@shopper.example");
  const [hal, ida] = group;
  await unchanged(product, DROPS, async () => {
    const join = (members: unknown, wants = WANTS) => person.join(wants, { identity: { ...identity, group: members } });
    for (const [members, pointer] of [
      [[hal, { ...hal, email: "Hal+2@shopper.example" }], "/identity/group/1/email"], [[{ email: "GIL@shopper.example", code: identity.code }], "/identity/group/0/email"],
      [[hal, ida, { email: "jan@shopper.example", code: "12345678" }], "/identity/group"], [[], "/identity/group"], [[{ ...hal, email: "no address" }], "/identity/group/0/email"], [[{ email: hal?.email }], "/identity/group/0/code"],
    ] as const) {
      const answer = await join(members);
      expectRefusal(answer, 422, "invalid_request");
      expect(answer.body.errors.map((error: { pointer: string }) => error.pointer)).toContain(pointer);
    }
    expectRefusal(await join(group, [{ sku: "ONE", quantity: 7 }]), 422, "invalid_request");
    const wrong = await join([hal, { ...ida, code: wrongCode(ida?.code ?? "") }]);
    expectRefusal(wrong, 422, "identity_invalid");
    expect(wrong.body.errors).toMatchObject([{ pointer: "/identity/group/1/code" }]);
    // A lent code proves nothing but a place in that group.
    expectRefusal(await person.join(WANTS, { identity: hal }), 422, "identity_invalid");
    expectRefusal(await shopper("mail").join(WANTS, { identity }), 422, "invalid_request");
    expectRefusal(await request("POST", `${product.store}/api/drops/mail/codes`, { body: { ticket: person.ticketId, email: "hal@shopper.example", group: true } }), 422, "invalid_request");
  });
  // The one whose code was right has gone their own way since; who asks with their code learns that, and not where they stand.
  const alone = await asked("friends", "hal@shopper.example");
  expect((await alone.person.join(WANTS, { identity: { email: "hal@shopper.example", code: await codeFor("hal@shopper.example", 2) } })).status).toBe(201);
  const late = await person.join(WANTS, { identity });
  expectRefusal(late, 409, "identity_in_use");
  expect(late.body.errors).toMatchObject([{ pointer: "/identity/group/0/email" }]);
  expect(JSON.stringify(late.body)).not.toContain(alone.person.ticketId);
  expect((await person.join(WANTS, { identity: { ...identity, group: [ida] } })).body.people).toBe(2);
  // Whoever comes late is sealed a moment later.
  await atRest(product, ["friends"], 1_500);
});

hostileBeyond("a member of a group who wants a place of their own, or the group's, answer 409; three have three times the limit, and not one more", async () => {
  const six = [{ sku: "ONE", quantity: 6 }];
  const { person, group, identity } = await gathered("kim@shopper.example", "leo@shopper.example", "mia@shopper.example");
  const answers = await Promise.all([person.join(six, { identity }), person.join(six, { identity })]);
  expect(answers.map(({ status, body }) => [status, body.people, body.entry])).toEqual(Array(2).fill([201, 3, person.entry]));
  await atRest(product, ["friends"], 1_500);
  const leo = await asked("friends", "leo@shopper.example");
  const own = { email: "leo@shopper.example", code: await codeFor("leo@shopper.example", 2) };
  const place = async (by: Shopper, more: object) => request("PUT", `${product.store}/api/drops/friends/tickets/${person.ticketId}`, { body: { jwk: await by.publicKey(), wants: six, ...more } });
  await unchanged(product, DROPS, async () => {
    const refused = await leo.person.join(WANTS, { identity: own });
    expectRefusal(refused, 409, "identity_in_use");
    expect(JSON.stringify(refused.body)).not.toContain(person.ticketId);
    expectRefusal(await place(leo.person, { identity: own }), 409, "identity_in_use");
    expectRefusal(await place(leo.person, {}), 409, "id_reused");
    // The group is as it was when it joined.
    expectRefusal(await person.join(WANTS, { identity: { ...identity, group: group.slice(1) } }), 409, "id_reused");
    expectRefusal(await person.join([{ sku: "ONE", quantity: 7 }]), 422, "invalid_request");
  });
  expect((await person.join([{ sku: "ONE", quantity: 5 }])).body).toMatchObject({ entry: person.entry, people: 3 });
  await person.admitted();
  expectRefusal(await person.hold([{ sku: "ONE", quantity: 7 }]), 422, "invalid_request");
  const { status, body: hold } = await person.hold(six);
  expect(status).toBe(201);
  const more = await person.hold(WANTS);
  expectRefusal(more, 409, "limit_reached");
  expect(more.body.limit).toBe(6);
  expectRefusal(await person.order(hold.id, { email: "leo@shopper.example" }), 422, "identity_differs");
  expect((await person.order(hold.id, { email: "kim@shopper.example" })).status).toBe(201);
  const rows = String((await request("GET", `${product.store}/api/drops/friends/record?from=1`)).body).trim().split("\n").map((line) => JSON.parse(line));
  expect([rows[0].group, rows.find(({ kind, subject }) => kind === "admit" && subject === person.entry)?.people]).toEqual([3, 3]);
  // The place moves with its owner's address alone, and the group with it.
  const second = await asked("friends", "kim@shopper.example");
  const kim = { email: "kim@shopper.example", code: await codeFor("kim@shopper.example", 2) };
  expect((await second.person.join(WANTS, { identity: kim })).body).toMatchObject({ code: "identity_in_use", ticket: person.ticketId });
  expect((await place(second.person, { identity: kim })).body).toMatchObject({ id: person.ticketId, entry: person.entry, people: 3 });
});

async function minted(drop: string, body: object): Promise<readonly { readonly invite: string; readonly token: string; readonly url: string }[]> {
  const answer = await desk(product, "POST", `/desk/api/drops/${drop}/invites`, body);
  expect(answer.status, JSON.stringify(answer.body)).toBe(201);
  return answer.body.invites;
}

const withInvite = (invite: unknown) => ({ evidence: { invite } });

hostile(47, "one invitation by 500 tickets at once, answer one place in the lane and 409 evidence_used for the rest", async () => {
  const [invite] = await minted("guests", { lane: "member", count: 1 });
  const people = Array.from({ length: 500 }, () => shopper("guests"));
  const answers = await inParallel(people, 500, (person) => person.join(WANTS, withInvite(invite?.token)));
  const lucky = people[answers.findIndex(({ status }) => status === 201)] as Shopper;
  expect(answers.filter(({ status }) => status === 201).map(({ body }) => body.lane)).toEqual(["member"]);
  for (const answer of answers.filter(({ status }) => status !== 201)) expectRefusal(answer, 409, "evidence_used");
  // Its owner sends it again after a lost answer; a place without it is still to be had by everyone else.
  expect((await lucky.join(WANTS, withInvite(invite?.token))).body.lane).toBe("member");
  expect((await lucky.join(WANTS)).body.lane).toBe("member");
  const unlucky = people.find((person) => person !== lucky) as Shopper;
  expect((await unlucky.join(WANTS)).body.lane).toBe("open");
});

hostile(53, "an invitation that is forged, expired, of another drop, of another kind or 4 KB of garbage, answer 422 evidence_invalid", async () => {
  const [mine, theirs] = [(await minted("guests", { lane: "member", count: 1 }))[0], (await minted("others", { lane: "member", count: 1 }))[0]];
  const genuine = mine?.token ?? "";
  const signing = edSigning(secretJwk(product, "COUPON_KEY"));
  const [header, claims] = [headerOf(genuine), claimsOf(genuine)];
  const { body: jwks } = await request("GET", `${product.store}/.well-known/jwks.json`);
  const now = Math.floor(Date.now() / 1_000);
  const presence = await desk(product, "GET", "/desk/api/drops/popup/presence/berlin");
  const forged = [
    theirs?.token, presence.body.token, reminted(genuine, signing, { header: { typ: "voucher+jwt" } }), reminted(genuine, signing, { header: { typ: "presence+jwt" } }),
    ...["none", "None", "HS256", "ES256", null].map((alg) => jws({ ...header, alg }, claims, unsigned)),
    ...jwks.keys.flatMap((key: { x: string }) => [Buffer.from(key.x, "base64url"), JSON.stringify(key)]).map((key: string | Buffer) => jws({ ...header, alg: "HS256" }, claims, hmacSigning(key))),
    ...["../../x", "' OR 1=1 --", "receipt-1", "coupon-", "", null].map((kid) => jws({ ...header, kid }, claims, signing)),
    ...[{ jku: "https://evil.example/jwks.json" }, { jwk: jwks.keys[0] }, { crit: ["exp"] }].map((more) => jws({ ...header, ...more }, claims, signing)),
    reminted(genuine, edSigning(secretJwk(product, "RECEIPT_KEY")), {}), reminted(genuine, signing, { header: { kid: secretJwk(product, "RECEIPT_KEY").kid } }),
    ...[now - 1, String(now + 60), now + 500 * 86_400, 253_370_764_800, null].map((exp) => reminted(genuine, signing, { claims: { exp } })), reminted(genuine, signing, { without: ["exp"] }),
    ...[now + 3_600, "now"].map((iat) => reminted(genuine, signing, { claims: { iat } })),
    ...["drop:others", "drop:*", "drop:guests drop:others", ["drop:guests"], ""].map((aud) => reminted(genuine, signing, { claims: { aud } })),
    ...[{ iss: "evil" }, { jti: "inv_1" }, { jti: clientId("tkt") }, { lane: "" }, { to: "x" }, { to: 7 }, { weight: 10 }].map((changes) => reminted(genuine, signing, { claims: changes })),
    `${genuine.slice(0, -4)}AAAA`, `${genuine}.x`, genuine.split(".").slice(0, 2).join("."), "x".repeat(4_096), "\u0000", "﷽".repeat(1_000), "",
  ];
  await unchanged(product, DROPS, async () => {
    for (const token of forged) expectRefusal(await shopper("guests").join(WANTS, withInvite(token)), 422, "evidence_invalid");
    for (const evidence of ["x", { invite: genuine, lane: "member" }, { invite: { token: genuine } }, { invite: "x".repeat(5_000) }]) expectRefusal(await shopper("guests").join(WANTS, { evidence }), 422, "invalid_request");
    for (const body of [{ jwk: {}, wants: WANTS, lane: "member" }, { jwk: await shopper("guests").publicKey(), wants: WANTS, weight: 10 }]) {
      expectRefusal(await request("PUT", `${product.store}/api/drops/guests/tickets/${clientId("tkt")}`, { body }), 422, "invalid_request");
    }
    for (const token of forged.slice(0, 12)) if (token !== theirs?.token && token !== presence.body.token) expect((await request("GET", `${product.store}/q/${encodeURIComponent(String(token))}`)).status).toBe(404);
  });
  expect((await shopper("guests").join(WANTS, withInvite(genuine))).body.lane).toBe("member");
});

hostileBeyond("an invitation that was taken back, before it was used and after, answer as for one that never was", async () => {
  const [unused, used] = await minted("guests", { lane: "member", count: 2 });
  const owner = shopper("guests");
  expect((await owner.join(WANTS, withInvite(used?.token))).status).toBe(201);
  for (const [invite, wasUsed] of [[unused, false], [used, true]] as const) {
    for (let time = 0; time < 2; time++) expect(await desk(product, "DELETE", `/desk/api/drops/guests/invites/${invite?.invite}`)).toMatchObject({ status: 200, body: { invite: invite?.invite, revoked: true, used: wasUsed } });
    expectRefusal(await shopper("guests").join(WANTS, withInvite(invite?.token)), 422, "evidence_invalid");
  }
  const never = await shopper("guests").join(WANTS, withInvite(reminted(unused?.token ?? "", edSigning(secretJwk(product, "COUPON_KEY")), { claims: { aud: "drop:others" } })));
  const back = await shopper("guests").join(WANTS, withInvite(unused?.token));
  expect({ ...never.body, instance: "" }).toEqual({ ...back.body, instance: "" });
  expectRefusal(await request("DELETE", `${product.desk}/desk/api/drops/guests/invites/${used?.invite}`), 401, "credential_missing");
  for (const path of ["guests/invites/inv_1", "nothing/invites/inv_00000000000000000000000000", `guests/invites/${clientId("tkt")}`]) expectRefusal(await desk(product, "DELETE", `/desk/api/drops/${path}`), 404, "not_found");
});

hostileBeyond("an invitation for one address in other hands, answer 422 evidence_invalid, with and without the mail gate", async () => {
  const [plain] = await minted("guests", { lane: "member", emails: ["Guest@shopper.example"] });
  expect(JSON.stringify(claimsOf(plain?.token ?? ""))).not.toMatch(/guest@|shopper/i);
  const bound = (email: string | null, more: object = {}) => ({ ...withInvite(plain?.token), ...(email === null ? {} : { identity: { email, ...more } }) });
  expectRefusal(await shopper("guests").join(WANTS, bound(null)), 403, "identity_required");
  expectRefusal(await shopper("guests").join(WANTS, bound("friend@shopper.example")), 422, "evidence_invalid");
  expect((await shopper("guests").join(WANTS, bound("guest+vip@shopper.example"))).body.lane).toBe("member");
  expectRefusal(await shopper("guests").join(WANTS, bound("guest@shopper.example")), 409, "evidence_used");

  // With the gate the address is proven, and nobody else's proof will do.
  const [letter] = await minted("letters", { lane: "member", emails: ["guest@shopper.example"] });
  const friend = await asked("letters", "friend@shopper.example");
  const forwarded = (identity: object) => ({ ...withInvite(letter?.token), identity });
  expectRefusal(await friend.person.join(WANTS, forwarded({ email: "friend@shopper.example", code: friend.code })), 422, "evidence_invalid");
  expectRefusal(await friend.person.join(WANTS, forwarded({ email: "guest@shopper.example" })), 403, "identity_required");
  expectRefusal(await friend.person.join(WANTS, forwarded({ email: "guest@shopper.example", code: friend.code })), 422, "identity_invalid");
  expect((await friend.person.join(WANTS, { identity: { email: "friend@shopper.example", code: friend.code } })).body.lane).toBe("open");
  const naming = { jwk: await friend.person.publicKey(), wants: WANTS, ...forwarded({ email: "guest@shopper.example" }) };
  expectRefusal(await friend.person.proven("PUT", `/api/drops/letters/tickets/${friend.person.ticketId}`, friend.person.ticket, naming), 403, "identity_required");
  const guest = await asked("letters", "guest@shopper.example");
  expect((await guest.person.join(WANTS, forwarded({ email: "guest@shopper.example", code: guest.code }))).body.lane).toBe("member");
});

const withPresence = (presence: unknown) => ({ evidence: { presence } });

hostile(51, "a photographed code of the pop-up, by 100 tickets at once or after its time, answer 409 evidence_used and 422 evidence_invalid", async () => {
  const shown = await desk(product, "GET", "/desk/api/drops/popup/presence/berlin?tickets=7");
  expect(shown).toMatchObject({ status: 200, body: { region: "berlin", tickets: 7 } });
  const { token, url } = shown.body;
  const landing = await request("GET", url);
  expect(landing.status).toBe(302);
  const place = new URL(landing.headers.get("location") ?? "", product.store);
  expect(place.pathname).toBe("/berlin/popup");
  const scan = new URLSearchParams(place.hash.slice(1)).get("presence");
  // The code itself and what its page took along are one and the same: they are counted together.
  const people = Array.from({ length: 100 }, () => shopper("popup"));
  const answers = await inParallel(people, 100, (person) => person.join(WANTS, withPresence(people.indexOf(person) % 2 === 0 ? token : scan)));
  expect(answers.filter(({ status }) => status === 201).map(({ body }) => body.lane)).toEqual(Array(7).fill("local"));
  for (const answer of answers.filter(({ status }) => status !== 201)) expectRefusal(answer, 409, "evidence_used");

  const signing = edSigning(secretJwk(product, "COUPON_KEY"));
  const now = Math.floor(Date.now() / 1_000);
  const scans = ticketSigning(product);
  const [ticket] = people;
  const forged = [
    reminted(token, signing, { claims: { exp: now - 1 } }), reminted(token, signing, { claims: { iat: now - 200, exp: now - 110 } }), reminted(token, signing, { claims: { exp: now + 3_600 } }), reminted(token, signing, { claims: { iat: now + 600, exp: now + 690 } }),
    reminted(token, signing, { claims: { aud: "drop:guests" } }), reminted(token, signing, { claims: { tickets: 0 } }), reminted(token, signing, { claims: { tickets: 100_000 } }), reminted(token, signing, { without: ["region"] }), reminted(token, unsigned, { header: { alg: "none" } }),
    reminted(scan ?? "", scans, { claims: { exp: now - 60 } }), reminted(scan ?? "", scans, { claims: { aud: "guests/scan" } }), reminted(scan ?? "", scans, { claims: { drop: "guests" } }), reminted(scan ?? "", unsigned, { header: { alg: "none" } }), reminted(scan ?? "", scans, { header: { typ: "tranche-ticket+jwt" } }),
    (await minted("guests", { lane: "member", count: 1 }))[0]?.token, (await ticket?.join(WANTS))?.body.ticket, "x".repeat(4_000), "",
  ];
  await unchanged(product, DROPS, async () => {
    for (const evidence of forged) expectRefusal(await shopper("popup").join(WANTS, withPresence(evidence)), 422, "evidence_invalid");
  });
  // A code of another region than the lane's is genuine and opens nothing.
  expect((await shopper("popup").join(WANTS, withPresence(reminted(token, signing, { claims: { region: "lisbon" } })))).body.lane).toBe("open");
});

hostileBeyond("the desk's codes without its key, for a region without a lane, for a drop that is not there, answer 401 and 404", async () => {
  expectRefusal(await request("GET", `${product.desk}/desk/api/drops/popup/presence/berlin`), 401, "credential_missing");
  expectRefusal(await request("GET", `${product.desk}/desk/api/drops/popup/presence/berlin?key=${product.deskKey}`), 401, "credential_missing");
  for (const path of ["popup/presence/lisbon", "guests/presence/berlin", "nothing/presence/berlin", "popup/presence/..%2f"]) expectRefusal(await desk(product, "GET", `/desk/api/drops/${path}`), 404, "not_found");
  for (const query of ["tickets=0", "tickets=501", "tickets=-1", "tickets=1e3", "lane=member"]) expectRefusal(await desk(product, "GET", `/desk/api/drops/popup/presence/berlin?${query}`), 422, "invalid_request");
  for (const body of [{}, { lane: "member" }, { lane: "member", count: 0 }, { lane: "member", count: 501 }, { lane: "member", count: 1, emails: ["a@b.example"] }, { lane: "member", emails: [] }, { lane: "member", emails: ["no address"] }, { lane: "local", count: 1 }, { lane: "open", count: 1 }, { lane: "member", count: 1, weight: 9 }]) {
    expectRefusal(await desk(product, "POST", "/desk/api/drops/guests/invites", body), 422, "invalid_request");
  }
});
