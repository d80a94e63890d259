import type { Address } from "../checkout/placed-order.ts";
import type { Presence } from "../gate/presence.ts";
import type { TicketFacts } from "../drop/port.ts";
import type { CheckedCoupon } from "../coupon/campaign.ts";
import type { Result } from "../kernel/result.ts";
import type { CookieCredentials } from "./cookie-credentials.ts";

/** What a ticket says, MACed by us. */
export interface TicketClaims extends Omit<TicketFacts, "shard"> {
  readonly drop: string;
  readonly planHash: string;
  /** The plan's promise about the draw's secret: whoever holds a ticket can witness it. */
  readonly commitment: string;
}

/** What a pass says, MACed by us and bound to the ticket's key. */
export interface PassClaims {
  readonly drop: string;
  readonly sitting: string;
  readonly entry: string;
  readonly keyThumbprint: string;
}

/**
 * Which order a receipt opens. Ids are made by clients, so that an order's id
 * means one order only together with its drop: without the drop, whoever used a
 * stranger's id in another drop would get a receipt for the stranger's order.
 */
export interface ReceiptClaims {
  readonly id: string;
  readonly drop: string;
}

/** The credential half of a request: the token, and the proof that goes with it. */
export interface ProvenRequest {
  readonly token: string;
  readonly proof: string;
  readonly method: string;
  /** The request's own URL without query and fragment. */
  readonly url: string;
}

export type CredentialRejection = { readonly code: "credential_missing" | "credential_invalid" | "use_dpop_nonce" };

/**
 * Mints and checks every token that shoppers carry. Fixed algorithms, a `kid`
 * from a fixed set, issuer, audience, `exp` and `jti` required; a token of
 * another drop, of another kind or of another key is refused.
 */
export interface Credentials {
  mintTicket(claims: TicketClaims, expiresAt: number): Promise<string>;
  mintPass(claims: PassClaims, admittedAt: number, expiresAt: number): Promise<string>;
  /** `Authorization: DPoP …` with its `DPoP` proof (RFC 9449), for claims of a pass. */
  provenTicket(request: ProvenRequest, drop: string, now: number): Promise<Result<TicketClaims, CredentialRejection>>;
  /** The same for holds, orders and reads by pass. `drop` null accepts a pass of any drop, whose name is then in the claims. */
  provenPass(request: ProvenRequest, drop: string | null, now: number): Promise<Result<PassClaims, CredentialRejection>>;
  /** The current nonce for DPoP proofs; the one before it is accepted too. */
  dpopNonce(now: number): string;
  /** A plain bearer for one order, EdDSA; the same for every call with the same arguments. */
  mintReceipt(order: ReceiptClaims, placedAt: number): Promise<string>;
  receiptOrder(token: string, now: number): Promise<Result<ReceiptClaims, CredentialRejection>>;
  /** Signs the receipt document: compact JWS (EdDSA) over its canonical form. */
  signReceipt(document: unknown): Promise<string>;
  /** A voucher (EdDSA, minted by the desk) checked without any storage; null when it is not valid for this drop, region and moment. */
  checkVoucher(token: string, drop: string, region: string, now: number): Promise<CheckedCoupon | null>;
  /**
   * What a scanned code becomes when the page is opened: the same evidence in a
   * token of ours, because joining may take longer than a code lives.
   */
  mintScan(presence: Presence, now: number, expiresAt: number): Promise<string>;
  /** The evidence of such a token; null when it is none, or over. */
  readScan(token: string, now: number): Promise<Presence | null>;
  /** The shard of a ticket: a keyed hash, so that a client cannot aim its tickets at one shard. */
  shardOf(drop: string, ticket: string, shards: number): number;
  /** The person behind an address, for counting: an HMAC of the normalised form. */
  personOf(email: string): string;
  /** A postal address, for counting: an HMAC of the normalised form, without the name of whoever lives there. */
  destinationOf(address: Address): string;
  /** What a shard may know of a code that goes to a person: keyed, so that eight digits cannot be found by trying; another one for a code that is only good for a group. */
  codeMac(drop: string, person: string, code: string, use?: "own" | "group"): string;
  /** The network behind a request, for budgets: an HMAC, so that no object knows where anybody is. */
  networkOf(network: string): string;
  /** What browsers without script carry. */
  readonly cookies: CookieCredentials;
  /** The public halves of every signing key, as served under /.well-known/jwks.json. */
  readonly publicKeys: { readonly keys: readonly Record<string, unknown>[] };
}
