import type { Hono } from "hono";
import { couponKeyFromJson } from "../../src/coupon/voucher.ts";
import { deskApp } from "../../src/desk/app.ts";
import type { DropPort } from "../../src/drop/port.ts";
import { nodeHashing } from "../../src/kernel/node-hashing.ts";
import type { LobbyDoor } from "../../src/lobby/door.ts";
import type { MoneyDeskPort } from "../../src/settlement/port.ts";

interface DeskEnv {
  readonly DROP: { getByName(name: string): DropPort };
  readonly LOBBY: { getByName(name: string): LobbyDoor };
  readonly MONEY: MoneyDeskPort;
  readonly ENVIRONMENT?: string;
  readonly DESK_KEY?: string;
  readonly COUPON_KEY?: string;
}

/** One app per environment: the runtime keeps the same object for the isolate's life. */
const apps = new WeakMap<DeskEnv, Hono>();

function appOf(env: DeskEnv): Hono {
  const known = apps.get(env);
  if (known !== undefined) return known;
  const app = deskApp({
    deskKey: env.DESK_KEY ?? null,
    couponKey: couponKeyFromJson(env.COUPON_KEY),
    isLocal: env.ENVIRONMENT === "local",
    money: env.MONEY,
    drop: (slug) => env.DROP.getByName(slug),
    lobby: (slug, shard) => env.LOBBY.getByName(`${slug}/${shard}`),
    hashing: nodeHashing,
    now: () => Date.now(),
    randomBytes: (count) => crypto.getRandomValues(new Uint8Array(count)),
    report: ({ code, path, error }) => console.error(JSON.stringify({ worker: "desk", code, path, error: error instanceof Error ? error.message : "not an error" })),
  });
  apps.set(env, app);
  return app;
}

export default {
  fetch: (request: Request, env: DeskEnv): Response | Promise<Response> => appOf(env).fetch(request),
};
