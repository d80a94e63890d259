import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import * as v from "valibot";
import { idFromRandom, type IdPrefix } from "../../kernel/ids.ts";
import { FaultPlan } from "../../rehearsal/faults.ts";
import type { Identity } from "../../rehearsal/crowd.ts";
import type { RandomSource } from "../../rehearsal/random.ts";
import type { HttpClient, Lane, Reply } from "./http-client.ts";

/** What happens to requests between a phone and the store. */
export type NetworkFault = "request-lost" | "reply-lost" | "slow-network";
export type NetworkFaults = Readonly<Record<NetworkFault, number>>;

/** What everybody in a rehearsal shares: the way to the store, its addresses, and the nonce that the live state carries. */
export interface Surroundings {
  readonly http: HttpClient;
  readonly store: string;
  readonly drop: string;
  readonly rehearsalKey: string;
  readonly faults: NetworkFaults;
  /** The nonce that was heard of last. */
  nonce: string;
  /** When the drop closes by the store's plan; nobody tries longer than that. */
  givesUpAt: number;
  /** Everybody who came, for counting what befell them. */
  readonly visitors: Visitor[];
}

export interface Errand {
  readonly route: string;
  readonly method: string;
  /** Below the store's origin. */
  readonly path: string;
  readonly body?: unknown;
  /** Sent with a proof of the visitor's key. */
  readonly token?: string;
  readonly bearer?: string;
  readonly lane?: Lane;
  /** Beside those that every request of this visitor has. */
  readonly headers?: Readonly<Record<string, string>>;
}

const PROBLEM = v.looseObject({ code: v.string() });
const RETRY_MS = 400;
/** A network that drops everything for ever is no network. */
const TRIES_MAX = 400;

export const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));

/** Why somebody stopped trying. */
export class GaveUp extends Error {
  override readonly name = "GaveUp";
}

/**
 * One browser, or one bot that pretends to be one: a key that stays here, the
 * network that it is on, and what it was told. It tries again with the same ids
 * when an answer is lost, as the store's own page does.
 */
export class Visitor {
  readonly identity: Identity;
  readonly surroundings: Surroundings;
  readonly faults: FaultPlan<NetworkFault>;
  readonly random: RandomSource;
  readonly jwk: Readonly<Record<string, unknown>>;
  readonly #privateKey: KeyObject;
  readonly #origin: string;
  readonly #disguise: Readonly<Record<string, string>>;

  /** `disguise` are headers of its own making that go with every request. */
  constructor(identity: Identity, surroundings: Surroundings, random: RandomSource, disguise: Readonly<Record<string, string>> = {}) {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const { kty, crv, x, y } = publicKey.export({ format: "jwk" });
    this.#privateKey = privateKey;
    this.jwk = { kty, crv, x, y };
    this.identity = identity;
    this.surroundings = surroundings;
    this.#disguise = disguise;
    this.random = random;
    this.faults = new FaultPlan(surroundings.faults, random.branch("network"));
    surroundings.visitors.push(this);
    const { network, country, lat, lon } = identity;
    this.#origin = `${surroundings.rehearsalKey} ${network} ${country} ${lat} ${lon}`;
  }

  /** An id as the browser makes them. Not from the seed: it must be free in a store that was rehearsed before. */
  id(prefix: IdPrefix): string {
    return idFromRandom(prefix, randomBytes(26));
  }

  /** Asks until there is an answer that is none of an overloaded or restarting store. */
  async ask(errand: Errand): Promise<Reply> {
    for (let attempt = 1; ; attempt++) {
      const reply = await this.#attempt(errand);
      if (reply !== null && reply.status < 500) return reply;
      if (attempt >= TRIES_MAX || Date.now() > this.surroundings.givesUpAt) throw new GaveUp(`${errand.route} had no answer`);
      await wait(RETRY_MS * (1 + this.random.fraction()));
    }
  }

  /** Asks exactly once and without faults: for what tries a door and does not depend on an answer. */
  once(errand: Errand, headers: Readonly<Record<string, string>> = {}): Promise<Reply> {
    const { http, store } = this.surroundings;
    const url = `${store}${errand.path}`;
    return http.ask({ route: errand.route, method: errand.method, url, headers: { ...this.#headers(errand, url), ...errand.headers, ...headers }, lane: errand.lane ?? "crowd", ...(errand.body === undefined ? {} : { body: errand.body }) });
  }

  /** Null where the network or the store let the answer go missing. */
  async #attempt(errand: Errand): Promise<Reply | null> {
    if (this.faults.strikes("slow-network")) await wait(this.random.integer(100, 900));
    if (this.faults.strikes("request-lost")) return null;
    const isReplyLost = this.faults.strikes("reply-lost");
    let reply: Reply;
    try {
      reply = await this.once(errand);
      if (reply.status === 401 && isNonceAsked(reply)) {
        this.surroundings.nonce = String(reply.headers["dpop-nonce"] ?? "");
        reply = await this.once(errand);
      }
    } catch {
      return null;
    }
    return isReplyLost ? null : reply;
  }

  #headers({ method, token, bearer }: Errand, url: string): Record<string, string> {
    return {
      ...this.#disguise,
      rehearsal: this.#origin,
      ...(token === undefined ? {} : { authorization: `DPoP ${token}`, dpop: this.proof(method, url, token) }),
      ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
    };
  }

  /** A DPoP proof as in RFC 9449. */
  proof(method: string, url: string, token: string): string {
    const header = base64url({ typ: "dpop+jwt", alg: "ES256", jwk: this.jwk });
    const ath = createHash("sha256").update(token).digest("base64url");
    const claims = base64url({ htm: method, htu: url.split("?")[0], jti: randomBytes(12).toString("hex"), iat: Math.floor(Date.now() / 1_000), ath, nonce: this.surroundings.nonce });
    const signature = sign("sha256", Buffer.from(`${header}.${claims}`), { key: this.#privateKey, dsaEncoding: "ieee-p1363" });
    return `${header}.${claims}.${signature.toString("base64url")}`;
  }
}

/** The code of a refusal; an empty text where it is none. */
export function codeOf(reply: Reply): string {
  const isProblem = reply.status >= 400 && (reply.headers["content-type"] ?? "").includes("problem+json");
  return isProblem ? v.parse(PROBLEM, JSON.parse(reply.text)).code : "";
}

/** The body of an answer in the shape that the contract promises. */
export function read<const Shape extends v.GenericSchema>(reply: Reply, shape: Shape): v.InferOutput<Shape> {
  return v.parse(shape, JSON.parse(reply.text));
}

/** How long a refusal asks to be left alone, in milliseconds. */
export function retryAfterMs(reply: Reply, otherwiseMs: number): number {
  const seconds = Number(reply.headers["retry-after"] ?? Number.NaN);
  return Number.isFinite(seconds) ? seconds * 1_000 : otherwiseMs;
}

function isNonceAsked(reply: Reply): boolean {
  return reply.text.includes('"use_dpop_nonce"');
}

function base64url(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
