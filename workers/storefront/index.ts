import { waitUntil } from "cloudflare:workers";
import type { Hono } from "hono";
import { version } from "../../package.json";
import type { ConfigMistake, StoreConfig } from "../../src/config/store-config.ts";
import { storeFromVars } from "../../src/config/store-from-vars.ts";
import { nodeHashing } from "../../src/kernel/node-hashing.ts";
import { PROBLEMS, problemDocument } from "../../src/kernel/problem.ts";
import { storefrontApp } from "../../src/storefront/app.ts";
import { joseCredentials } from "../../src/storefront/jose-credentials.ts";
import { liveChain } from "../../src/storefront/live-chain.ts";
import type { ApiPorts, LogLine } from "../../src/storefront/ports.ts";
import { storefrontSecrets } from "../../src/storefront/secrets.ts";
import { sweepDrops } from "../../src/storefront/sweep.ts";
import { platformVisitor, rehearsedVisitor } from "../../src/storefront/visitor.ts";
import { edgeLiveCache, edgeStore } from "./edge.ts";
import type { StorefrontEnv } from "./environment.ts";
import { dropObject, lobbyObject } from "./objects.ts";

/** What an isolate makes once of its environment. */
type Store = { readonly ports: ApiPorts; readonly app: Hono } | { readonly mistakes: readonly ConfigMistake[] };

const stores = new WeakMap<StorefrontEnv, Store>();

function storeOf(env: StorefrontEnv): Store {
  const known = stores.get(env);
  if (known !== undefined) return known;
  const isLocal = env.ENVIRONMENT === "local";
  const tables = Object.fromEntries(Object.entries(env).filter(([name]) => name === "STORE" || /^(REGION|DROP)_/.test(name)));
  const parsed = storeFromVars(tables, { isLocal });
  const store = parsed.ok ? opened(portsOf(env, parsed.value, isLocal)) : { mistakes: parsed.rejection };
  stores.set(env, store);
  return store;
}

function opened(ports: ApiPorts): Store {
  return { ports, app: storefrontApp(ports) };
}

function log(line: LogLine): void {
  console.error(JSON.stringify({ worker: "storefront", ...line }));
}

function portsOf(env: StorefrontEnv, store: StoreConfig, isLocal: boolean): ApiPorts {
  const now = () => Date.now();
  const drop = (slug: string) => dropObject(env, store, slug);
  const lobby = (slug: string, shard: number) => lobbyObject(env, slug, shard);
  const anyOf = (shards: number) => Math.floor(Math.random() * shards);
  const isKnown = (slug: string) => store.drops.some((candidate) => candidate.slug === slug);
  const chain = liveChain({
    now,
    cache: edgeLiveCache,
    askLobby: async (slug, shards) => (isKnown(slug) ? lobby(slug, anyOf(shards)).live(null) : null),
    makePlan: async (slug) => {
      const config = store.drops.find((candidate) => candidate.slug === slug);
      return config === undefined ? null : drop(slug).plan(config.source);
    },
    later: waitUntil,
  });
  return {
    store, isLocal, version, drop, lobby, now, log,
    live: (slug) => chain.live(slug),
    plan: (slug) => chain.planned(slug),
    socket: async (slug, request) => env.LOBBY.getByName(`${slug}/${anyOf((await chain.planned(slug))?.plan.shards ?? 1)}`).fetch(request),
    checkout: env.CHECKOUT,
    forward: (to, request) => (to === "desk" ? env.DESK : env.WEBHOOKS).fetch(request),
    asset: (request) => env.ASSETS.fetch(request),
    credentials: joseCredentials(storefrontSecrets(env), nodeHashing),
    visitor: (request) =>
      isLocal
        ? rehearsedVisitor(request.headers.get("rehearsal"), env.REHEARSAL_KEY ?? null, nodeHashing)
        : platformVisitor({ address: request.headers.get("cf-connecting-ip"), country: request.cf?.["country"], latitude: request.cf?.["latitude"], longitude: request.cf?.["longitude"] }),
    hashing: nodeHashing,
    wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    later: waitUntil,
    edge: edgeStore,
  };
}

/** A store whose config cannot be right sells nothing; which field is wrong is for its owner's log. */
function closedStore(request: Request, mistakes: readonly ConfigMistake[]): Response {
  for (const { table, field, detail } of mistakes) log({ code: "config_mistake", table, field, detail });
  const document = problemDocument({ code: "temporarily_unavailable" }, new URL(request.url).pathname);
  return new Response(JSON.stringify(document), {
    status: PROBLEMS.temporarily_unavailable.status,
    headers: { "content-type": "application/problem+json", "cache-control": "no-store", "retry-after": "60" },
  });
}

export default {
  fetch(request: Request, env: StorefrontEnv): Response | Promise<Response> {
    const store = storeOf(env);
    return "app" in store ? store.app.fetch(request) : closedStore(request, store.mistakes);
  },
  async scheduled(_controller: ScheduledController, env: StorefrontEnv): Promise<void> {
    const store = storeOf(env);
    if ("app" in store) await sweepDrops(store.ports);
    else for (const { table, field, detail } of store.mistakes) log({ code: "config_mistake", table, field, detail });
  },
};
