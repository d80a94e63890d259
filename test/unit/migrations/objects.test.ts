import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { DROP_MIGRATIONS } from "../../../migrations/objects/drop.ts";
import { LOBBY_MIGRATIONS } from "../../../migrations/objects/lobby.ts";
import { NO_GATES, USUAL_BUDGETS } from "../../../src/drop/plan.ts";

/** The first release's tables with these rows in them, brought up to the present release. */
function upgraded([first = "", ...later]: readonly string[], rows: string): DatabaseSync {
  const database = new DatabaseSync(":memory:");
  for (const sql of [first, rows, ...later]) database.exec(sql);
  return database;
}

const rowOf = (database: DatabaseSync, query: string): unknown => JSON.parse(String(database.prepare(query).get()?.["row"]));

describe("an object that was made by the first release", () => {
  it("has, after its migrations, a plan that asks for nothing at the door and that goes on as it was", () => {
    const drop = upgraded(DROP_MIGRATIONS, `
      INSERT INTO facts VALUES (1, '{"plan":{"drop":"moth-tee","lanes":[]},"planVersion":1}');
      INSERT INTO record VALUES (1, '{"seq":1,"at":"2026-12-04T18:00:00.250Z"}');`);
    expect(rowOf(drop, "SELECT row FROM facts")).toEqual({
      plan: { drop: "moth-tee", lanes: [], gates: NO_GATES, budgets: USUAL_BUDGETS, beacon: null },
      planVersion: 1, plannedAt: Date.parse("2026-12-04T18:00:00.250Z"), stages: null, changes: [], roots: null, beacon: null, openedAt: 0,
    });
    const lobby = upgraded(LOBBY_MIGRATIONS, `INSERT INTO facts VALUES ('plan', '{"plan":{"drop":"moth-tee"},"planVersion":1}'), ('over', '1');`);
    expect(rowOf(lobby, "SELECT value AS row FROM facts WHERE name = 'plan'")).toEqual({ plan: { drop: "moth-tee", gates: NO_GATES, budgets: USUAL_BUDGETS, beacon: null }, planVersion: 1 });
    expect(lobby.prepare("SELECT value FROM facts WHERE name = 'over'").get()).toEqual({ value: "1" });
  });

  it("keeps its holds, sittings and seals, which then belong to everyone's lane and to nobody's network", () => {
    const drop = upgraded(DROP_MIGRATIONS, `
      INSERT INTO holds VALUES ('hld_a', '{"id":"hld_a","state":"sold"}');
      INSERT INTO sittings VALUES ('pas_a', '{"id":"pas_a","lane":"open"}');
      INSERT INTO seals VALUES ('0/0', '{"shard":0,"batch":0}');`);
    expect(rowOf(drop, "SELECT row FROM holds")).toEqual({ id: "hld_a", state: "sold", lane: "open", stage: 1, network: "unknown" });
    expect(rowOf(drop, "SELECT row FROM sittings")).toEqual({ id: "pas_a", lane: "open", keyThumbprint: "unknown pas_a", person: null });
    expect(rowOf(drop, "SELECT row FROM seals")).toEqual({ shard: 0, batch: 0, through: Number.MAX_SAFE_INTEGER });
  });

  it("runs no statement twice on what the present release wrote", () => {
    const present = `{"plan":{"gates":{"work":{"cost":9}},"budgets":{"joinsPerMinute":1,"unpaidHolds":2},"beacon":null},"plannedAt":5,"roots":["aa"],"openedAt":7}`;
    const drop = upgraded(DROP_MIGRATIONS, `INSERT INTO facts VALUES (1, '${present}');`);
    expect(rowOf(drop, "SELECT row FROM facts")).toEqual(JSON.parse(present));
  });
});
