import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { changeText } from "../../../src/cli/change-words.ts";
import { publishPlans, type PublicationOutcome } from "../../../src/cli/plan-publication.ts";
import { runPublish } from "../../../src/cli/publish.ts";
import { storeOrigin } from "../../../src/cli/store-address.ts";
import { readStoreFile } from "../../../src/cli/store-file.ts";
import { projectPath } from "../../../src/cli/project.ts";

const change = (field: string, from: string | number | null, to: string | number | null) => changeText({ field, from, to, allowed: true }, "EUR");

describe("changes in words", () => {
  test.each([
    [change("items.MOTH-S.priceMinor", 4_200, 3_900), "MOTH-S costs 39.00 EUR instead of 42.00 EUR from now on, for new holds."],
    [change("items.MOTH-S.quantity", 10, 12), "There are 12 of MOTH-S instead of 10; stages that are open keep their units."],
    [change("stages.2.opensAt", "2026-12-04T18:30:00.000Z", "2026-12-04T18:40:00.000Z"), "Stage 2 opens at 2026-12-04T18:40:00.000Z instead of 2026-12-04T18:30:00.000Z."],
    [change("stages.4.opensAt", null, "2026-12-04T18:40:00.000Z"), "There is a stage 4, which opens at 2026-12-04T18:40:00.000Z."],
    [change("stages.4.opensAt", "2026-12-04T18:40:00.000Z", null), "There is no stage 4 any more."],
    [change("campaigns.night", null, "10 % off, 5 uses"), "There is a new campaign night: 10 % off, 5 uses."],
    [change("limits.address", 4, 6), "One address may be sent at most 6 items instead of 4."],
    [change("limits.card", null, 4), "One card may pay for at most 4 items instead of as many as come."],
    [change("limits.card", 4, null), "One card may pay for as many items as come instead of 4."],
    [change("limitPerPerson", 2, 3), "limitPerPerson is 3 instead of 2."],
    [changeText({ field: "items.KIMONO.priceMinor", from: 4_200, to: 3_900, allowed: true }, "JPY"), "KIMONO costs 3900 JPY instead of 4200 JPY from now on, for new holds."],
  ])("%s", (words, expected) => expect(words).toBe(expected));
});

describe("the address of a store", () => {
  test.each(["http://nightjar.example", "ftp://nightjar.example", "nightjar.example", "http://127.0.0.1.nightjar.example", "https://nightjar.example/berlin", ""])("%j is none: the desk's key would go there in clear, or nowhere at all", (text) => {
    expect(storeOrigin(text)).toBeNull();
  });
  test.each([["https://nightjar.example", "https://nightjar.example"], ["http://127.0.0.1:8787/", "http://127.0.0.1:8787"], ["http://[::1]:8787", "http://[::1]:8787"]])("%s is %s", (text, origin) => {
    expect(storeOrigin(text)).toBe(origin);
  });

  test("of another machine never gets the key of the store that runs here", async () => {
    const data = mkdtempSync(path.join(tmpdir(), "tranche-publish-"));
    writeFileSync(path.join(data, "keys.json"), JSON.stringify({ DESK_KEY: "the-local-key" }));
    const instants = Object.entries({ announceAt: "17:00", lobbyOpensAt: "17:30", opensAt: "18:00", closesAt: "23:00" });
    const config = path.join(data, "store.toml");
    writeFileSync(config, instants.reduce((text, [field, time]) => text.replace(new RegExp(`^${field} = .*$`, "m"), `${field} = "2026-12-04T${time}:00Z"`), readFileSync(projectPath("wrangler.toml"), "utf8")));
    const lines: string[] = [];
    expect(await runPublish(["--store", "https://store.invalid", "--data", data, "--config", config], (line) => void lines.push(line))).toBe(1);
    expect(lines).toEqual([expect.stringContaining("There is no desk key: set DESK_KEY.")]);
    rmSync(data, { recursive: true });
  });
});

describe("publishing from the command line", () => {
  let server: Server | null = null;
  afterEach(() => void server?.close());

  /** A desk that answers as told, and what it was asked. */
  async function publish(answer: (publish: boolean) => { status: number; body: unknown }, mayPublish: boolean): Promise<{ outcome: PublicationOutcome; said: string; asked: boolean[]; tables: string[] }> {
    const asked: boolean[] = [];
    const tables: string[] = [];
    server = createServer((request, response) => {
      let text = "";
      request.on("data", (chunk: Buffer) => (text += chunk.toString()));
      request.on("end", () => {
        const body = JSON.parse(text) as { vars: Record<string, unknown>; publish: boolean };
        expect(request.headers.authorization).toBe("Bearer the-key");
        asked.push(body.publish);
        tables.push(...Object.keys(body.vars));
        const { status, body: told } = answer(body.publish);
        response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(told));
      });
    });
    const address = await new Promise<AddressInfo>((resolve) => server?.listen(0, "127.0.0.1", () => resolve(server?.address() as AddressInfo)));
    const file = readStoreFile(projectPath("wrangler.toml"), { isLocal: true });
    if (!file.ok) throw new Error("the demo store has no mistakes");
    const lines: string[] = [];
    const outcome = await publishPlans({ store: `http://127.0.0.1:${address.port}`, deskKey: "the-key", file: file.value, drop: file.value.store.drops[0]?.slug ?? "", mayPublish: async () => mayPublish, say: (line) => void lines.push(line) });
    return { outcome, said: lines.join("\n"), asked, tables };
  }

  const cheaper = { field: "items.MOTH-S.priceMinor", from: 4_200, to: 3_900, allowed: true };
  const limit = { field: "limitPerPerson", from: 2, to: 3, allowed: false, reason: "People joined the lobby under it." };

  test("says what differs, asks, and then publishes; only the store, its regions and the drop are sent", async () => {
    const { outcome, said, asked, tables } = await publish((isPublishing) => ({ status: 200, body: { changes: [cheaper], published: isPublishing } }), true);
    expect([outcome, asked]).toEqual(["done", [false, true]]);
    expect(said).toContain("MOTH-S costs 39.00 EUR instead of 42.00 EUR");
    expect(new Set(tables.map((name) => name.split("_")[0]))).toEqual(new Set(["STORE", "REGION", "DROP"]));
  });

  test("publishes nothing when nobody wants it, and says that the plan runs on", async () => {
    const { outcome, said, asked } = await publish(() => ({ status: 200, body: { changes: [cheaper], published: false } }), false);
    expect([outcome, asked]).toEqual(["left", [false]]);
    expect(said).toContain("Not published");
  });

  test("names what is refused and why, and does not even ask", async () => {
    const { outcome, said, asked } = await publish(() => ({ status: 200, body: { changes: [cheaper, limit], published: false } }), true);
    expect([outcome, asked]).toEqual(["refused", [false]]);
    expect(said).toContain("Refused: limitPerPerson is 3 instead of 2. People joined the lobby under it.");
  });

  test("tells a plan that is as the config says, a drop without one, and a desk that refuses", async () => {
    expect((await publish(() => ({ status: 200, body: { changes: [], published: false } }), true)).outcome).toBe("done");
    expect((await publish(() => ({ status: 404, body: { detail: "There is nothing here." } }), true)).said).toContain("there is no plan yet");
    const shut = await publish(() => ({ status: 401, body: { detail: "This key is not valid here." } }), true);
    expect([shut.outcome, shut.said]).toEqual(["refused", expect.stringContaining("This key is not valid here.")]);
  });
});
