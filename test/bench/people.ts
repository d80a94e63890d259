import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import * as v from "valibot";
import { JoinAnswer, PassAnswer } from "../../schema/wire/ticket.ts";
import { clientId } from "../support/shopper.ts";
import { requestBytes, sendAll } from "./http-load.ts";

/** Somebody with a browser's key of their own, as far as they have come. */
export interface Person {
  readonly id: string;
  readonly privateKey: KeyObject;
  readonly jwk: Readonly<Record<string, unknown>>;
  readonly token: string;
}

const LIVE = v.object({ dpopNonce: v.string() });
const SKU = "MOTH";

export function newPeople(count: number): Person[] {
  return Array.from({ length: count }, () => {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    return { id: clientId("tkt"), privateKey, jwk: { ...publicKey.export({ format: "jwk" }) }, token: "" };
  });
}

/** Joins the lobby with everybody; each goes on with a ticket. */
export async function joinAll(port: number, drop: string, people: readonly Person[], connections: number): Promise<Person[]> {
  const requests = people.map(({ id, jwk }) => requestBytes(port, "PUT", `/api/drops/${drop}/tickets/${id}`, {}, { jwk, wants: [{ sku: SKU, quantity: 1 }] }));
  const replies = await sendAll(port, requests, connections);
  return people.map((person, index) => ({ ...person, token: readBody(replies[index], JoinAnswer).ticket }));
}

/** Claims a pass for everybody; the line must have reached them all. */
export async function claimAll(port: number, drop: string, people: readonly Person[], connections: number): Promise<Person[]> {
  const nonce = await nonceOf(port, drop);
  const path = `/api/drops/${drop}/passes`;
  const requests = people.map((person) => requestBytes(port, "POST", path, proven(person, "POST", port, path, nonce), {}));
  const replies = await sendAll(port, requests, connections);
  return people.map((person, index) => ({ ...person, token: readBody(replies[index], PassAnswer).pass }));
}

/** A hold's request for everybody with a pass, proof and all, as bytes that only have to be sent to `port`. */
export function holdRequests(port: number, drop: string, people: readonly Person[], nonce: string): Buffer[] {
  return people.map((person) => {
    const path = `/api/drops/${drop}/holds/${clientId("hld")}`;
    return requestBytes(port, "PUT", path, proven(person, "PUT", port, path, nonce), { lines: [{ sku: SKU, quantity: 1 }] });
  });
}

export async function nonceOf(port: number, drop: string): Promise<string> {
  const [reply] = await sendAll(port, [requestBytes(port, "GET", `/api/drops/${drop}/live`)], 1);
  return readBody(reply, LIVE).dpopNonce;
}

function proven({ token, privateKey, jwk }: Person, method: string, port: number, path: string, nonce: string): Record<string, string> {
  const header = base64url({ typ: "dpop+jwt", alg: "ES256", jwk });
  const ath = createHash("sha256").update(token).digest("base64url");
  const claims = base64url({ htm: method, htu: `http://127.0.0.1:${port}${path}`, jti: randomBytes(12).toString("hex"), iat: Math.floor(Date.now() / 1_000), ath, nonce });
  const signature = sign("sha256", Buffer.from(`${header}.${claims}`), { key: privateKey, dsaEncoding: "ieee-p1363" });
  return { authorization: `DPoP ${token}`, dpop: `${header}.${claims}.${signature.toString("base64url")}` };
}

function base64url(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

function readBody<const Shape extends v.GenericSchema>(reply: { readonly status: number; readonly body: string } | undefined, shape: Shape): v.InferOutput<Shape> {
  if (reply === undefined || reply.status >= 300) throw new Error(`answered with ${reply?.status ?? "nothing"}: ${reply?.body.slice(0, 300) ?? ""}`);
  return v.parse(shape, JSON.parse(reply.body));
}
