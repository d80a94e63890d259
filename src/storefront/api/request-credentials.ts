import type { Context } from "hono";
import { rejected, type Result } from "../../kernel/result.ts";
import type { CredentialRejection, PassClaims, TicketClaims } from "../credentials.ts";
import type { ApiPorts } from "../ports.ts";
import { refusal } from "./answers.ts";
import { portProblem } from "./refusals.ts";

/** The scheme, in lower case, and the token of an Authorization header; null where there is none that could be read. */
export function authorizationOf(request: Request): { readonly scheme: string; readonly token: string } | null {
  const parts = /^([A-Za-z]+) +([!-~]+)$/.exec((request.headers.get("authorization") ?? "").trim());
  return parts === null ? null : { scheme: (parts[1] ?? "").toLowerCase(), token: parts[2] ?? "" };
}

const missing: Result<never, CredentialRejection> = rejected({ code: "credential_missing" });

function provenRequest(request: Request) {
  const authorization = authorizationOf(request);
  const proof = request.headers.get("dpop");
  if (authorization?.scheme !== "dpop" || proof === null) return null;
  const { origin, pathname } = new URL(request.url);
  return { token: authorization.token, proof, method: request.method, url: origin + pathname };
}

export async function ticketOf(ports: ApiPorts, request: Request, drop: string): Promise<Result<TicketClaims, CredentialRejection>> {
  const proven = provenRequest(request);
  return proven === null ? missing : ports.credentials.provenTicket(proven, drop, ports.now());
}

/** `drop` null accepts a pass of any drop, whose name is then in the claims. */
export async function passOf(ports: ApiPorts, request: Request, drop: string | null): Promise<Result<PassClaims, CredentialRejection>> {
  const proven = provenRequest(request);
  return proven === null ? missing : ports.credentials.provenPass(proven, drop, ports.now());
}

/** A refused credential, with the nonce that the next proof has to carry (RFC 9449, section 8). */
export function credentialRefusal(ports: ApiPorts, context: Context, rejection: CredentialRejection): Response {
  const now = ports.now();
  const headers = rejection.code === "use_dpop_nonce" ? { "dpop-nonce": ports.credentials.dpopNonce(now) } : {};
  return refusal(portProblem(rejection, now), context, headers);
}
