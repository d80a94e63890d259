import { describe, expect, test } from "vitest";
import { addressMark, readInvite } from "../../../src/gate/invite.ts";
import { readPresence } from "../../../src/gate/presence.ts";
import { nodeHashing } from "../../../src/kernel/node-hashing.ts";
import type { LaneShare } from "../../../src/drop/plan.ts";
import { Backstage, deskKey, now, plan, publicKeys, snapshot } from "./cast.ts";

const MEMBER: LaneShare = { lane: "member", sharePercent: 10, untilMs: 600_000, weight: 1, evidence: { kind: "invite" } };
const LOCAL: LaneShare = { lane: "local", sharePercent: 20, untilMs: 600_000, weight: 1, evidence: { kind: "presence", region: "berlin", near: { lat: 52.52, lon: 13.405 }, withinKm: null } };

/** The desk of a drop with both lanes. */
function backstage(closesAt = plan.closesAt) {
  const stage = new Backstage();
  const drop = (slug: string) => ({ ...stage.ports().drop(slug), snapshot: async () => (stage.known ? { ...snapshot, plan: { ...plan, closesAt, lanes: [MEMBER, LOCAL] } } : null) });
  return { stage, ask: (method: string, path: string, body?: unknown) => stage.ask(method, path, { ...(body === undefined ? {} : { body }), ports: { drop } }) };
}

type Minted = readonly { readonly invite: string; readonly token: string; readonly url: string; readonly email?: string }[];

describe("invitations at the desk", () => {
  test("are made for a lane, each with its link, good until the drop closes", async () => {
    const { status, body } = await backstage().ask("POST", "/desk/api/drops/moth-tee/invites", { lane: "member", count: 3 });
    const invites = body["invites"] as Minted;
    expect(status).toBe(201);
    expect(new Set(invites.map(({ invite }) => invite)).size).toBe(3);
    for (const { invite, token, url } of invites) {
      expect(url).toBe(`https://nightjar.example/q/${token}`);
      expect(await readInvite(token, publicKeys, now)).toEqual({ id: invite, drop: "moth-tee", lane: "member", to: null });
      expect(await readInvite(token, publicKeys, plan.closesAt)).toBeNull();
    }
  });

  test("are bound to addresses without telling them, and one that is none is named by its place", async () => {
    const { ask } = backstage();
    const { body } = await ask("POST", "/desk/api/drops/moth-tee/invites", { lane: "member", emails: ["Ana+x@example.org", "ben@example.org"] });
    const [ana, ben] = body["invites"] as Minted;
    expect([ana?.email, ben?.email]).toEqual(["Ana+x@example.org", "ben@example.org"]);
    expect((await readInvite(ana?.token ?? "", publicKeys, now))?.to).toBe(addressMark(ana?.invite ?? "", "ana@example.org", nodeHashing));
    expect(await ask("POST", "/desk/api/drops/moth-tee/invites", { lane: "member", emails: ["ana@example.org", "ben"] })).toMatchObject({ status: 422, body: { errors: [{ pointer: "/emails/1" }] } });
  });

  test("are not made for lanes that nobody is invited to, nor for a drop that is over or unknown", async () => {
    const { stage, ask } = backstage();
    for (const lane of ["local", "open", "vip"]) expect(await ask("POST", "/desk/api/drops/moth-tee/invites", { lane, count: 1 })).toMatchObject({ status: 422, body: { errors: [{ pointer: "/lane" }] } });
    expect((await backstage(now).ask("POST", "/desk/api/drops/moth-tee/invites", { lane: "member", count: 1 })).body).toMatchObject({ code: "drop_closed" });
    stage.known = false;
    expect((await ask("POST", "/desk/api/drops/moth-tee/invites", { lane: "member", count: 1 })).status).toBe(404);
    expect((await ask("DELETE", `/desk/api/drops/moth-tee/invites/inv_${"7".repeat(26)}`)).status).toBe(404);
    expect(stage.calls.filter((call) => call.startsWith("revoke"))).toEqual([]);
  });

  test("are taken back at the shard that counts them, for longer than anybody could show them", async () => {
    const { stage, ask } = backstage();
    const invite = `inv_${"7".repeat(26)}`;
    expect(await ask("DELETE", `/desk/api/drops/moth-tee/invites/${invite}`)).toMatchObject({ status: 200, body: { invite, revoked: true, used: false } });
    expect(stage.calls).toEqual([`revoke moth-tee/0 invite/${invite} ${plan.closesAt + 86_400_000}`]);
    expect(await ask("PUT", `/desk/api/drops/moth-tee/invites/${invite}`, {})).toMatchObject({ status: 405 });
  });
});

describe("the code of a pop-up at the desk", () => {
  test("is the same on every screen of a half minute, with its picture and the moment of the next", async () => {
    const { ask } = backstage();
    const [one, other] = await Promise.all([1, 2].map(() => ask("GET", "/desk/api/drops/moth-tee/presence/berlin?tickets=12")));
    expect(one?.body).toEqual(other?.body);
    expect(one?.body).toMatchObject({ region: "berlin", tickets: 12, title: "Moth tee", nextAt: "2026-12-04T18:00:30.000Z", expiresAt: "2026-12-04T18:01:30.000Z", svg: expect.stringContaining("<svg") });
    expect(await readPresence(String(one?.body["token"]), publicKeys, now)).toEqual({ drop: "moth-tee", region: "berlin", shownAt: now, tickets: 12 });
  });

  test("is for the key's owner alone, while its page is anybody's and holds nothing", async () => {
    const { stage, ask } = backstage();
    expect((await stage.ask("GET", "/desk/api/drops/moth-tee/presence/berlin", { headers: { authorization: "" } })).status).toBe(401);
    expect((await ask("GET", "/desk/api/drops/moth-tee/presence/lisbon")).status).toBe(404);
    const { deskApp } = await import("../../../src/desk/app.ts");
    const page = await deskApp(stage.ports()).request("https://nightjar.example/desk/presence/moth-tee/berlin");
    expect(page.status).toBe(200);
    expect(page.headers.get("content-security-policy")).toContain("form-action 'none'");
    expect(page.headers.get("cache-control")).toBe("no-store");
    const text = await page.text();
    expect(text).toContain('data-region="berlin"');
    expect(text).not.toContain(deskKey);
    // A field without a name is sent nowhere, even where the module does not load.
    expect(text).not.toMatch(/<input[^>]* name=/);
    for (const path of ["/desk/presence/moth-tee/%22%3E%3Cscript%3E", "/desk/presence/Moth/berlin"]) expect((await deskApp(stage.ports()).request(`https://nightjar.example${path}`)).status).toBe(404);
  });
});
