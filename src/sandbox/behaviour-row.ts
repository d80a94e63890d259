import { FRIENDLY, seededRandom, type Behaviour, type Random } from "./behaviour.ts";
import type { Database } from "./database.ts";

export interface StoredBehaviour {
  readonly behaviour: Behaviour;
  readonly state: number;
}

/** The behaviour with the state of its generator: every draw is stored with what it decided. */
export function readBehaviour(database: Database): StoredBehaviour {
  const document = database.rows("SELECT document FROM behaviour")[0]?.["document"] ?? null;
  if (document === null) return { behaviour: FRIENDLY, state: 1 };
  // Only `writeBehaviour` writes this row, so it has that type; what a newer sandbox knows besides is friendly.
  const { behaviour, state } = JSON.parse(String(document)) as StoredBehaviour;
  return { behaviour: { ...FRIENDLY, ...behaviour }, state };
}

export function writeBehaviour(database: Database, stored: StoredBehaviour): void {
  database.rows("INSERT OR REPLACE INTO behaviour (one, document) VALUES (1, ?)", JSON.stringify(stored));
}

/** Decides something by the behaviour and keeps what is left of it; a friendly behaviour is never written. */
export function draw<Value>(database: Database, decide: (behaviour: Behaviour, random: Random) => { readonly value: Value; readonly left: Behaviour }): Value {
  const stored = readBehaviour(database);
  const generator = seededRandom(stored.state);
  const { value, left } = decide(stored.behaviour, generator.random);
  if (left !== stored.behaviour || generator.state() !== stored.state) writeBehaviour(database, { behaviour: left, state: generator.state() });
  return value;
}
