import type { StoreConfig } from "../../src/config/store-config.ts";
import type { ShopDrop, ShopLobby } from "../../src/storefront/ports.ts";
import type { StorefrontEnv } from "./environment.ts";

/**
 * Calls an object, once more when the runtime says that the first call may be
 * repeated (the object moved or was restarted). Every command is idempotent by
 * its id. Never when the object says that it is overloaded: that made it so.
 */
async function called<Port, Answer>(stub: () => Port, call: (port: Port) => Promise<Answer>): Promise<Answer> {
  try {
    return await call(stub());
  } catch (error) {
    const says = (mark: string) => typeof error === "object" && error !== null && Reflect.get(error, mark) === true;
    if (!says("retryable") || says("overloaded")) throw error;
    await new Promise((resolve) => setTimeout(resolve, 50 + Math.random() * 100));
    // A stub is of no use after such an error; the next one finds the object again.
    return call(stub());
  }
}

export function dropObject(env: StorefrontEnv, store: StoreConfig, slug: string): ShopDrop {
  const home = store.drops.find((drop) => drop.slug === slug)?.home ?? null;
  const hint = locationHint(home);
  const stub = () => env.DROP.getByName(slug, hint === null ? {} : { locationHint: hint });
  return {
    plan: (source) => called(stub, (port) => port.plan(source)),
    beacon: (round, signature) => called(stub, (port) => port.beacon(round, signature)),
    claim: (ticket) => called(stub, (port) => port.claim(ticket)),
    hold: (command) => called(stub, (port) => port.hold(command)),
    holdState: (id, entry) => called(stub, (port) => port.holdState(id, entry)),
    abandon: (id, entry) => called(stub, (port) => port.abandon(id, entry)),
    place: (command) => called(stub, (port) => port.place(command)),
    placed: (order) => called(stub, (port) => port.placed(order)),
    record: (from) => called(stub, (port) => port.record(from)),
    sweep: () => called(stub, (port) => port.sweep()),
  };
}

export function lobbyObject(env: StorefrontEnv, slug: string, shard: number): ShopLobby {
  const stub = () => env.LOBBY.getByName(`${slug}/${shard}`);
  return {
    join: (command) => called(stub, (port) => port.join(command)),
    standing: (ticket) => called(stub, (port) => port.standing(ticket)),
    mayJoin: (command) => called(stub, (port) => port.mayJoin(command)),
    personsOf: (ticket) => called(stub, (port) => port.personsOf(ticket)),
    proof: (ticket) => called(stub, (port) => port.proof(ticket)),
    entries: (from) => called(stub, (port) => port.entries(from)),
    live: (report) => called(stub, (port) => port.live(report)),
    sweep: () => called(stub, (port) => port.sweep()),
    redeem: (redemption) => called(stub, (port) => port.redeem(redemption)),
    noteCode: (note) => called(stub, (port) => port.noteCode(note)),
    proveAddress: (proof) => called(stub, (port) => port.proveAddress(proof)),
  };
}

const LOCATION_HINTS: readonly DurableObjectLocationHint[] = ["wnam", "enam", "sam", "weur", "eeur", "apac", "oc", "afr", "me"];

function locationHint(home: string | null): DurableObjectLocationHint | null {
  return LOCATION_HINTS.find((hint) => hint === home) ?? null;
}
