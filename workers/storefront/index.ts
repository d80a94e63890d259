import { waitUntil } from "cloudflare:workers";
import { version } from "../../package.json";
import type { ConfigMistake, StoreConfig } from "../../src/config/store-config.ts";
import { storeFromVars } from "../../src/config/store-from-vars.ts";
import { SANDBOX_CHAIN } from "../../src/drop/beacon-chains.ts";
import { NETWORK_HEADER } from "../../src/drop/network-budgets.ts";
import { altchaWork } from "../../src/gate/altcha-work.ts";
import type { Mailer } from "../../src/gate/mail.ts";
import { resendMailer } from "../../src/gate/resend-mailer.ts";
import { siteverify } from "../../src/gate/siteverify.ts";
import { type Turnstile, TURNSTILE_ORIGIN } from "../../src/gate/turnstile.ts";
import { nodeHashing } from "../../src/kernel/node-hashing.ts";
import type { BeaconSource } from "../../src/lobby/beacon.ts";
import { refusalAt } from "../../src/storefront/api/answers.ts";
import { type Storefront, storefrontApp } from "../../src/storefront/app.ts";
import { BeaconErrand } from "../../src/storefront/beacon-errand.ts";
import { beaconRelays, DRAND_RELAYS } from "../../src/storefront/beacon-relays.ts";
import { joseCredentials } from "../../src/storefront/jose-credentials.ts";
import { liveChain } from "../../src/storefront/live-chain.ts";
import type { ApiPorts, LogLine } from "../../src/storefront/ports.ts";
import { challengeKeys, secretMistakes, storefrontSecrets } from "../../src/storefront/secrets.ts";
import { DropSweep } from "../../src/storefront/sweep.ts";
import { platformVisitor, rehearsedVisitor } from "../../src/storefront/visitor.ts";
import { edgeLiveCache, edgeStore } from "./edge.ts";
import type { StorefrontEnv } from "./environment.ts";
import { dropObject, lobbyObject } from "./objects.ts";

/** What an isolate makes once of its environment. */
type Store = { readonly ports: ApiPorts; readonly app: Storefront; readonly sweep: DropSweep } | { readonly mistakes: readonly ConfigMistake[] };

const stores = new WeakMap<StorefrontEnv, Store>();

function storeOf(env: StorefrontEnv): Store {
  const known = stores.get(env);
  if (known !== undefined) return known;
  const isLocal = env.ENVIRONMENT === "local";
  const tables = Object.fromEntries(Object.entries(env).filter(([name]) => name === "STORE" || /^(REGION|DROP)_/.test(name)));
  const parsed = storeFromVars(tables, { isLocal });
  const mistakes = [...(parsed.ok ? [] : parsed.rejection), ...secretMistakes(storefrontSecrets(env), isLocal)];
  const store = parsed.ok && mistakes.length === 0 ? opened(env, parsed.value, isLocal) : { mistakes };
  stores.set(env, store);
  return store;
}

function opened(env: StorefrontEnv, store: StoreConfig, isLocal: boolean): Store {
  const beacons = new BeaconErrand({ now: () => Date.now(), source: beaconsOf(env, isLocal), drop: (slug) => dropObject(env, store, slug), log });
  const ports = portsOf(env, store, isLocal, beacons);
  return { ports, app: storefrontApp(ports), sweep: new DropSweep(ports, beacons) };
}

function log(line: LogLine): void {
  console.error(JSON.stringify({ worker: "storefront", ...line }));
}

function portsOf(env: StorefrontEnv, store: StoreConfig, isLocal: boolean, beacons: BeaconErrand): ApiPorts {
  const now = () => Date.now();
  const drop = (slug: string) => dropObject(env, store, slug);
  const lobby = (slug: string, shard: number) => lobbyObject(env, slug, shard);
  const anyOf = (shards: number) => Math.floor(Math.random() * shards);
  const isKnown = (slug: string) => store.drops.some((candidate) => candidate.slug === slug);
  const chain = liveChain({
    now,
    cache: edgeLiveCache,
    askLobby: async (slug, shards) => {
      const live = isKnown(slug) ? await lobby(slug, anyOf(shards)).live(null) : null;
      // Whoever reads a drop that waits for its beacon goes and gets it; the answer does not wait for that.
      if (live !== null) waitUntil(beacons.runWhenDue(live));
      return live;
    },
    makePlan: async (slug) => {
      const config = store.drops.find((candidate) => candidate.slug === slug);
      return config === undefined ? null : drop(slug).plan(config.source);
    },
    later: waitUntil,
  });
  const secrets = storefrontSecrets(env);
  const randomBytes = (count: number) => crypto.getRandomValues(new Uint8Array(count));
  const credentials = joseCredentials(secrets, nodeHashing);
  const visitor = (request: Request) =>
    isLocal
      ? rehearsedVisitor(request.headers.get("rehearsal"), env.REHEARSAL_KEY ?? null, nodeHashing)
      : platformVisitor({ address: request.headers.get("cf-connecting-ip"), country: request.cf?.["country"], latitude: request.cf?.["latitude"], longitude: request.cf?.["longitude"] });
  return {
    store, isLocal, version, drop, lobby, now, log, credentials, visitor,
    live: (slug) => chain.live(slug),
    plan: (slug) => chain.planned(slug),
    liveAtHand: (slug) => chain.atHand(slug),
    socket: async (slug, request) => {
      const headers = new Headers(request.headers);
      headers.set(NETWORK_HEADER, credentials.networkOf(visitor(request).network));
      return env.LOBBY.getByName(`${slug}/${anyOf((await chain.planned(slug))?.plan.shards ?? 1)}`).fetch(new Request(request, { headers }));
    },
    checkout: env.CHECKOUT,
    forward: (to, request) => (to === "desk" ? env.DESK : env.WEBHOOKS).fetch(request),
    asset: (request) => env.ASSETS.fetch(request),
    hashing: nodeHashing,
    randomBytes,
    work: altchaWork({ secrets: challengeKeys(secrets, nodeHashing), randomBytes }),
    turnstile: turnstileOf(env, secrets.turnstileSecret, isLocal),
    turnstileOrigin: isLocal ? env.TURNSTILE_ORIGIN ?? TURNSTILE_ORIGIN : TURNSTILE_ORIGIN,
    mailer: mailerOf(env, isLocal),
    wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    later: waitUntil,
    edge: edgeStore,
  };
}

/** drand's relays; for the sandbox's own chain, which exists on a developer's machine alone, the sandbox. */
function beaconsOf({ BEACON: sandbox }: StorefrontEnv, isLocal: boolean): BeaconSource {
  const drand = beaconRelays({ relays: DRAND_RELAYS, hashing: nodeHashing, fetch: (url, init) => fetch(url, init) });
  if (!isLocal || sandbox === undefined) return drand;
  const local = beaconRelays({ relays: ["http://sandbox/sandbox/drand"], hashing: nodeHashing, fetch: (url, init) => sandbox.fetch(url, init) });
  return { round: (terms, round) => (terms.chain === SANDBOX_CHAIN.chain ? local : drand).round(terms, round) };
}

/** On a developer's machine the sandbox is asked or nobody. */
function turnstileOf({ TURNSTILE: sandbox }: StorefrontEnv, secret: string | null, isLocal: boolean): Turnstile | null {
  if (secret === null || (isLocal && sandbox === undefined)) return null;
  return siteverify({ secret, hashing: nodeHashing, fetch: (input, init) => (isLocal && sandbox !== undefined ? sandbox.fetch(input, init) : fetch(input, init)) });
}

/** On a developer's machine mail goes to the sandbox or nowhere: a test must not write to strangers. */
function mailerOf({ MAIL_KEY: key, MAIL_FROM: from, MAILBOX: mailbox }: StorefrontEnv, isLocal: boolean): Mailer | null {
  if (key === undefined || key === "" || from === undefined || from === "") return null;
  if (!isLocal) return resendMailer({ key, from, fetch: (input, init) => fetch(input, init) });
  return mailbox === undefined ? null : resendMailer({ key, from, fetch: (input, init) => mailbox.fetch(input, init) });
}

/** A store whose config cannot be right sells nothing; which field is wrong is for its owner's log. */
function closedStore(request: Request, mistakes: readonly ConfigMistake[]): Response {
  for (const { table, field, detail } of mistakes) log({ code: "config_mistake", table, field, detail });
  return refusalAt({ code: "temporarily_unavailable", retryAfterSeconds: 60 }, request.url);
}

export default {
  fetch(request: Request, env: StorefrontEnv): Response | Promise<Response> {
    const store = storeOf(env);
    return "app" in store ? store.app.fetch(request) : closedStore(request, store.mistakes);
  },
  async scheduled(_controller: ScheduledController, env: StorefrontEnv): Promise<void> {
    const store = storeOf(env);
    if ("app" in store) await store.sweep.run();
    else for (const { table, field, detail } of store.mistakes) log({ code: "config_mistake", table, field, detail });
  },
};
