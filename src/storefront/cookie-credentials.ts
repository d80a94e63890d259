import type { JWTPayload } from "jose";
import * as v from "valibot";
import type { Line } from "../drop/port.ts";
import type { PassClaims, TicketClaims } from "./credentials.ts";
import type { MacTokens, TokenPayload } from "./mac-tokens.ts";

/*
 * What a browser without script carries in cookies, in place of a key. Each is
 * a MAC of a type and an audience of its own: none of them is taken for a token
 * of the API, and no token of the API for one of these.
 */

/** Somebody who has said what is wanted and who they are, and has not proven it: worth nothing but the question. */
export interface ApplicationClaims {
  readonly drop: string;
  readonly planHash: string;
  /** The ticket that there will be. */
  readonly ticket: string;
  readonly wants: readonly Line[];
  readonly email: string;
  readonly presence: string | null;
  readonly invite: string | null;
}

/** A ticket, and the address that was proven for it. The cookie itself is the secret: its text is nowhere else. */
export interface PlaceClaims extends TicketClaims {
  readonly person: string;
  readonly email: string;
}

/** A pass, with what is held by it. */
export interface SeatClaims extends PassClaims {
  readonly hold: string | null;
  /** Until when it is of use, in epoch milliseconds. */
  readonly endsAt: number;
}

/** When a page with forms was made, and the id, without its prefix, of what sending one of them makes: sent twice, it makes one thing. */
export interface FormStamp {
  readonly drop: string;
  readonly id: string;
  readonly madeAt: number;
}

export interface CookieCredentials {
  mintApplication(claims: ApplicationClaims, now: number, expiresAt: number): Promise<string>;
  /** Null for what is none of this drop, forged or over; so is every other reading here. */
  readApplication(token: string, drop: string, now: number): Promise<ApplicationClaims | null>;
  mintPlace(claims: PlaceClaims, expiresAt: number): Promise<string>;
  readPlace(token: string, drop: string, now: number): Promise<PlaceClaims | null>;
  mintSeat(claims: SeatClaims, now: number): Promise<string>;
  readSeat(token: string, drop: string, now: number): Promise<SeatClaims | null>;
  mintStamp(stamp: FormStamp, expiresAt: number): Promise<string>;
  readStamp(token: string, drop: string, now: number): Promise<FormStamp | null>;
}

const name = v.pipe(v.string(), v.minLength(1));
const instant = v.pipe(v.number(), v.safeInteger());
const lines = v.array(v.object({ sku: name, quantity: v.pipe(v.number(), v.safeInteger(), v.minValue(1)) }));

const applicationShape = v.object({ drop: name, planHash: name, ticket: name, wants: lines, email: name, presence: v.nullable(name), invite: v.nullable(name) });
const placeShape = v.object({
  ticket: name, drop: name, planHash: name, commitment: name, entry: name, lane: name, weight: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  joinedAt: instant, wants: lines, keyThumbprint: name, person: name, email: name,
  people: v.exactOptional(v.pipe(v.number(), v.safeInteger(), v.minValue(2))),
});
const seatShape = v.object({ drop: name, sitting: name, entry: name, keyThumbprint: name, hold: v.nullable(name), endsAt: instant });
const stampShape = v.object({ drop: name, id: v.pipe(v.string(), v.regex(/^[0-9A-HJKMNP-TV-Z]{26}$/)), madeAt: instant });

/** One kind of token: its `typ`, and what its audience ends with. */
const APPLICATION = { type: "tranche-application+jwt", use: "application" };
const PLACE = { type: "tranche-place+jwt", use: "place" };
const SEAT = { type: "tranche-seat+jwt", use: "seat" };
const STAMP = { type: "tranche-form+jwt", use: "form" };

export function cookieCredentials(macs: () => MacTokens): CookieCredentials {
  const mint = (kind: { readonly type: string; readonly use: string }, claims: JWTPayload & { readonly drop: string }, subject: string, from: number, until: number) =>
    macs().sign({ ...claims, sub: subject, jti: subject, aud: `${claims.drop}/${kind.use}`, iat: Math.floor(from / 1_000), exp: Math.floor(until / 1_000) }, kind.type);
  async function read<Shape extends v.GenericSchema<unknown, { readonly drop: string }>>(kind: { readonly type: string; readonly use: string }, shape: Shape, token: string, drop: string, now: number): Promise<v.InferOutput<Shape> | null> {
    const payload: TokenPayload | null = await macs().verify(token, kind.type, now);
    const claims = v.safeParse(shape, payload);
    return payload !== null && claims.success && payload.aud === `${drop}/${kind.use}` && claims.output.drop === drop ? claims.output : null;
  }
  return {
    mintApplication: (claims, now, expiresAt) => mint(APPLICATION, { ...claims }, claims.ticket, now, expiresAt),
    readApplication: (token, drop, now) => read(APPLICATION, applicationShape, token, drop, now),
    mintPlace: (claims, expiresAt) => mint(PLACE, { ...claims }, claims.ticket, claims.joinedAt, expiresAt),
    readPlace: (token, drop, now) => read(PLACE, placeShape, token, drop, now),
    mintSeat: (claims, now) => mint(SEAT, { ...claims }, claims.sitting, now, claims.endsAt),
    readSeat: (token, drop, now) => read(SEAT, seatShape, token, drop, now),
    mintStamp: (stamp, expiresAt) => mint(STAMP, { ...stamp }, stamp.id, stamp.madeAt, expiresAt),
    readStamp: (token, drop, now) => read(STAMP, stampShape, token, drop, now),
  };
}
