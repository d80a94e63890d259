import { createHash, randomBytes } from "node:crypto";

/*
 * A stranger's client, written from the HTTP contract alone: it shares no code
 * with the product.
 */

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // The client of a stranger looks into answers as they come; the tests assert on every member they use.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly body: any;
}

export interface WantedLine {
  readonly sku: string;
  readonly quantity: number;
}

const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** A client-made id: 26 characters of Crockford base32. */
export function clientId(prefix: "tkt" | "hld" | "ord" | "ref" | "ful"): string {
  return `${prefix}_${Array.from(randomBytes(26), (byte) => ALPHABET[byte & 31]).join("")}`;
}

function base64url(data: string | Buffer): string {
  return Buffer.from(data).toString("base64url");
}

/** How a request leaves: the network, or a Worker's own entrance where a test runs inside the runtime. */
export type Sender = (url: string, init: RequestInit) => Promise<Response>;

export async function request(
  method: string,
  url: string,
  options: { body?: unknown; headers?: Record<string, string>; sender?: Sender } = {},
): Promise<Answer> {
  const response = await (options.sender ?? fetch)(url, {
    method,
    redirect: "manual",
    headers: { ...(options.body === undefined ? {} : { "content-type": "application/json" }), ...options.headers },
    ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
  });
  const text = await response.text();
  const isJson = (response.headers.get("content-type") ?? "").includes("json") && !(response.headers.get("content-type") ?? "").includes("ndjson");
  return { status: response.status, headers: response.headers, body: isJson && text !== "" ? JSON.parse(text) : text };
}

/** A key pair of the browser's kind; WebCrypto, because the same client runs inside the Workers' runtime too. */
async function newKeys(): Promise<{ privateKey: CryptoKey; jwk: { kty?: string; crv?: string; x?: string; y?: string } }> {
  const pair = (await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"])) as CryptoKeyPair;
  const { kty, crv, x, y } = (await crypto.subtle.exportKey("jwk", pair.publicKey)) as JsonWebKey;
  return { privateKey: pair.privateKey, jwk: { kty: kty ?? "", crv: crv ?? "", x: x ?? "", y: y ?? "" } };
}

/** One person with one browser: a key that stays here, a ticket, and what came of it. */
export class Shopper {
  readonly ticketId = clientId("tkt");
  readonly store: string;
  readonly drop: string;
  readonly headers: Record<string, string>;
  readonly sender: Sender;
  ticket = "";
  entry = "";
  pass = "";
  nonce = "";
  readonly #keys = newKeys();

  constructor(store: string, drop: string, options: { headers?: Record<string, string>; sender?: Sender } = {}) {
    this.store = store;
    this.drop = drop;
    this.headers = options.headers ?? {};
    this.sender = options.sender ?? fetch;
  }

  url(path: string): string {
    return `${this.store}${path}`;
  }

  /** The public half of this browser's key. */
  async publicKey(): Promise<Readonly<Record<string, string>>> {
    return { ...(await this.#keys).jwk };
  }

  /** A DPoP proof as in RFC 9449; `changes` makes one that a forger would. */
  async proof(method: string, url: string, token: string, nonce = this.nonce, changes: { readonly header?: object; readonly claims?: object } = {}): Promise<string> {
    const { privateKey, jwk } = await this.#keys;
    const header = base64url(JSON.stringify({ typ: "dpop+jwt", alg: "ES256", jwk, ...changes.header }));
    const payload = base64url(
      JSON.stringify({
        htm: method,
        htu: url,
        jti: randomBytes(12).toString("hex"),
        iat: Math.floor(Date.now() / 1000),
        ath: createHash("sha256").update(token).digest("base64url"),
        nonce,
        ...changes.claims,
      }),
    );
    const signature = await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, privateKey, Buffer.from(`${header}.${payload}`));
    return `${header}.${payload}.${Buffer.from(signature).toString("base64url")}`;
  }

  /** Sends with token and proof; takes a fresh nonce once where the server asks for it. */
  async proven(method: string, path: string, token: string, body?: unknown): Promise<Answer> {
    const url = this.url(path);
    const send = async () =>
      request(method, url, {
        sender: this.sender,
        ...(body === undefined ? {} : { body }),
        headers: { ...this.headers, authorization: `DPoP ${token}`, dpop: await this.proof(method, url, token) },
      });
    const first = await send();
    if (first.status !== 401 || first.body?.code !== "use_dpop_nonce") return first;
    this.nonce = first.headers.get("dpop-nonce") ?? "";
    return send();
  }

  async live(): Promise<Answer> {
    const answer = await request("GET", this.url(`/api/drops/${this.drop}/live`), { headers: this.headers, sender: this.sender });
    if (typeof answer.body?.dpopNonce === "string") this.nonce = answer.body.dpopNonce;
    return answer;
  }

  /** `shown` are the members that the gates of a drop ask for. */
  async join(wants: readonly WantedLine[], shown: object = {}): Promise<Answer> {
    const answer = await request("PUT", this.url(`/api/drops/${this.drop}/tickets/${this.ticketId}`), {
      body: { jwk: (await this.#keys).jwk, wants, ...shown },
      headers: this.headers,
      sender: this.sender,
    });
    if (answer.status === 201) {
      this.ticket = answer.body.ticket;
      this.entry = answer.body.entry;
    }
    return answer;
  }

  async claim(): Promise<Answer> {
    const answer = await this.proven("POST", `/api/drops/${this.drop}/passes`, this.ticket);
    if (answer.status === 201) this.pass = answer.body.pass;
    return answer;
  }

  /** Claims again and again until the line reaches this ticket. */
  async admitted(limitMs = 30_000): Promise<Answer> {
    const until = Date.now() + limitMs;
    for (;;) {
      const answer = await this.claim();
      if (answer.status === 201) return answer;
      if (Date.now() > until) throw new Error(`not admitted within ${limitMs} ms: ${answer.status} ${JSON.stringify(answer.body)}`);
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }

  hold(lines: readonly WantedLine[], id = clientId("hld"), replaces?: string): Promise<Answer> {
    return this.proven("PUT", `/api/drops/${this.drop}/holds/${id}`, this.pass, { lines, ...(replaces === undefined ? {} : { replaces }) });
  }

  order(hold: string, options: { id?: string; email?: string; coupon?: string; delivery?: unknown } = {}): Promise<Answer> {
    return this.proven("PUT", `/api/orders/${options.id ?? clientId("ord")}`, this.pass, {
      drop: this.drop,
      hold,
      email: options.email ?? `${this.ticketId.toLowerCase()}@shopper.example`,
      delivery: options.delivery ?? { method: "pickup", point: "kiosk-k" },
      ...(options.coupon === undefined ? {} : { coupon: options.coupon }),
    });
  }

  read(order: string, receipt: string): Promise<Answer> {
    return request("GET", this.url(`/api/orders/${order}`), { headers: { ...this.headers, authorization: `Bearer ${receipt}` }, sender: this.sender });
  }
}

/** Pays (or declines) on the provider's hosted page. */
export function payAt(url: string, outcome: "approve" | "decline" | "abandon" = "approve", sender: Sender = fetch): Promise<Answer> {
  return request("POST", url, { body: { outcome }, sender });
}

/** Reads the order until `isReached` says so, or fails with the last answer. */
export async function orderUntil(shopper: Shopper, order: string, receipt: string, isReached: (body: Answer["body"]) => boolean, limitMs = 30_000): Promise<Answer> {
  const until = Date.now() + limitMs;
  for (;;) {
    const answer = await shopper.read(order, receipt);
    if (answer.status === 200 && isReached(answer.body)) return answer;
    if (Date.now() > until) throw new Error(`the order did not get there within ${limitMs} ms: ${answer.status} ${JSON.stringify(answer.body)}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
