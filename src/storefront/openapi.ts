import { toJsonSchema, type ConversionConfig, type JsonSchema } from "@valibot/to-json-schema";
import type * as v from "valibot";
import { CodeAnswer, CodeRequest } from "../../schema/wire/code.ts";
import { DropAnswer, DropsAnswer, HealthAnswer } from "../../schema/wire/drop.ts";
import { HoldAnswer, HoldRequest } from "../../schema/wire/hold.ts";
import { LiveAnswer } from "../../schema/wire/live.ts";
import { OrderAnswer, OrderRequest, OrderStatusAnswer, ReceiptAnswer } from "../../schema/wire/order.ts";
import { ProblemDocument } from "../../schema/wire/problem.ts";
import { ChallengeAnswer, ChallengeRequest, EmptyRequest, EntriesAnswer, JoinAnswer, JoinRequest, PassAnswer, ProofAnswer, TicketStandingAnswer, WaitingAnswer } from "../../schema/wire/ticket.ts";
import { PROBLEMS, type ProblemCode } from "../kernel/problem.ts";

/** Every shape of the wire by its name in the document; the server parses with the same ones. */
const SHAPES = {
  HealthAnswer, DropsAnswer, DropAnswer, LiveAnswer, CodeRequest, CodeAnswer, ChallengeRequest, ChallengeAnswer, EmptyRequest, JoinRequest, JoinAnswer, TicketStandingAnswer, ProofAnswer,
  EntriesAnswer, PassAnswer, WaitingAnswer, HoldRequest, HoldAnswer, OrderRequest, OrderAnswer, OrderStatusAnswer, ReceiptAnswer, ProblemDocument,
} satisfies Record<string, v.GenericSchema>;
type ShapeName = keyof typeof SHAPES;

/** "none" stands beside another one where a credential changes something and nobody needs it. */
type Credential = "none" | "ticket" | "pass" | "receipt";

interface Operation {
  readonly summary: string;
  readonly body?: ShapeName;
  readonly isBodyOptional?: boolean;
  readonly query?: readonly { readonly name: string; readonly summary: string }[];
  readonly answers: Readonly<Partial<Record<200 | 201 | 202 | 101, ShapeName | "ndjson" | "none" | "anything">>>;
  readonly refusals: readonly ProblemCode[];
  /** Any one of them opens the door. */
  readonly credentials?: readonly Credential[];
}

/** What every request with a body can be refused for. */
const BODY: readonly ProblemCode[] = ["malformed_request", "too_large", "unsupported_media_type", "invalid_request", "origin_refused"];
const BOUND: readonly ProblemCode[] = ["credential_missing", "credential_invalid", "use_dpop_nonce"];
const ALWAYS: readonly ProblemCode[] = ["internal_error", "temporarily_unavailable"];

const OPERATIONS: Readonly<Record<string, Readonly<Record<string, Operation>>>> = {
  "/healthz": { get: { summary: "Whether the store answers, and which version it is.", answers: { 200: "HealthAnswer" }, refusals: [] } },
  "/api/drops": { get: { summary: "Every announced drop, the next one first.", answers: { 200: "DropsAnswer" }, refusals: [] } },
  "/api/drops/{drop}": { get: { summary: "What a drop sells, when and how much of it.", answers: { 200: "DropAnswer" }, refusals: ["not_found"] } },
  "/api/drops/{drop}/live": { get: { summary: "The state of a drop, never older than two seconds.", answers: { 200: "LiveAnswer" }, refusals: ["not_found"] } },
  "/api/drops/{drop}/socket": { get: { summary: "The same by WebSocket, on every change.", answers: { 101: "none" }, refusals: ["malformed_request", "not_found", "origin_refused", "too_many_requests"] } },
  "/api/drops/{drop}/challenges": {
    post: { summary: "A proof-of-work challenge for one ticket, or null where the drop asks for none.", body: "ChallengeRequest", isBodyOptional: true, answers: { 200: "ChallengeAnswer" }, refusals: ["not_found", ...BODY] },
  },
  "/api/drops/{drop}/codes": {
    post: {
      summary: "Sends a code to an e-mail address, for a drop that gives places to proven addresses. The answer is the same for every address.",
      body: "CodeRequest", answers: { 202: "CodeAnswer" }, refusals: ["not_found", "lobby_not_open", "drop_closed", "too_many_requests", ...BODY],
    },
  },
  "/api/drops/{drop}/tickets/{ticket}": {
    put: {
      summary: "Joins the lobby, or changes what a ticket wants with the same key. evidence, solution and identity are read only by drops whose gates ask for them, and identity.group only by drops in which people may stand in line together; a proof of the ticket itself, which nobody needs, spares whoever has it the solution.",
      credentials: ["none", "ticket"], body: "JoinRequest", answers: { 201: "JoinAnswer" }, refusals: ["not_found", "lobby_not_open", "drop_closed", "id_reused", "too_many_requests", "challenge_needed", "challenge_failed", "identity_required", "identity_invalid", "identity_in_use", "evidence_invalid", "evidence_used", "credential_invalid", "use_dpop_nonce", ...BODY],
    },
    get: { summary: "Where a ticket stands; its id is the capability.", answers: { 200: "TicketStandingAnswer" }, refusals: ["not_found"] },
  },
  "/api/drops/{drop}/tickets/{ticket}/proof": { get: { summary: "A ticket's inclusion proof in its shard's seal (RFC 6962).", answers: { 200: "ProofAnswer" }, refusals: ["not_found"] } },
  "/api/drops/{drop}/passes": {
    post: {
      summary: "Claims a pass with a ticket: 201 when its place is called, 200 while it waits.", credentials: ["ticket"], body: "EmptyRequest", isBodyOptional: true,
      answers: { 201: "PassAnswer", 200: "WaitingAnswer" }, refusals: ["not_found", "drop_not_open", "drop_closed", "drop_paused", "too_many_requests", ...BOUND, ...BODY],
    },
  },
  "/api/drops/{drop}/holds/{hold}": {
    put: {
      summary: "Holds units, all lines or none.", credentials: ["pass"], body: "HoldRequest", answers: { 201: "HoldAnswer" },
      refusals: ["not_found", "drop_not_open", "drop_closed", "drop_paused", "not_admitted", "pass_expired", "id_reused", "limit_reached", "sold_out", "too_many_requests", ...BOUND, ...BODY],
    },
    get: { summary: "The state of a hold.", credentials: ["pass"], answers: { 200: "HoldAnswer" }, refusals: ["not_found", "too_many_requests", ...BOUND] },
    delete: { summary: "Gives a hold up.", credentials: ["pass"], answers: { 200: "HoldAnswer" }, refusals: ["not_found", "order_placed", "origin_refused", "too_many_requests", ...BOUND] },
  },
  "/api/drops/{drop}/record": {
    get: {
      summary: "A page of the public record: movements, one a line, then the signed head. A full page never changes; the tail is at most two seconds old.",
      query: [{ name: "from", summary: "The first row wanted, from 1; a page ends at the next multiple of 1000." }],
      answers: { 200: "ndjson" }, refusals: ["not_found", "invalid_request"],
    },
  },
  "/api/drops/{drop}/entries": {
    get: { summary: "The leaves of a sealed shard in the order of its trees.", query: [{ name: "shard", summary: "The shard's number, from 0." }], answers: { 200: "EntriesAnswer" }, refusals: ["not_found", "invalid_request"] },
  },
  "/api/orders/{order}": {
    put: {
      summary: "Places an order from a hold and opens its payment.", credentials: ["pass"], body: "OrderRequest", answers: { 201: "OrderAnswer" },
      refusals: ["not_found", "id_reused", "order_placed", "limit_reached", "coupon_used_up", "hold_expired", "coupon_invalid", "identity_differs", "too_many_requests", ...BOUND, ...BODY],
    },
    get: { summary: "The order as it stands, with its story.", credentials: ["receipt", "pass"], answers: { 200: "OrderStatusAnswer" }, refusals: ["not_found", ...BOUND] },
  },
  "/api/orders/{order}/receipt": {
    get: { summary: "The receipt, signed, and in schema.org's words.", credentials: ["receipt", "pass"], answers: { 200: "ReceiptAnswer" }, refusals: ["not_found", ...BOUND] },
  },
  "/webhooks/stripe": { post: { summary: "The payment provider's events; 200 once one is durably stored.", answers: { 200: "anything" }, refusals: ["webhook_unverified", "too_large"] } },
  "/.well-known/jwks.json": { get: { summary: "The public keys that verify coupons, receipts and the record's heads.", answers: { 200: "anything" }, refusals: [] } },
};

/** The OpenAPI 3.1 document of the shoppers' API, made from the shapes that the server parses with. */
export function openApiDocument(origin: string, version: string): Record<string, unknown> {
  const schemas = Object.entries(SHAPES).map(([name, shape]) => {
    const { $schema: _dialect, ...schema } = toJsonSchema(shape, { target: "draft-2020-12", typeMode: "input", ignoreActions: ["trim", "check"], overrideAction: unicodePattern });
    return [name, schema] as const;
  });
  const paths = Object.entries(OPERATIONS).map(([path, operations]) => [
    path,
    {
      ...(path.includes("{") ? { parameters: [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({ name, in: "path", required: true, schema: { type: "string" } })) } : {}),
      ...Object.fromEntries(Object.entries(operations).map(([method, operation]) => [method, operationObject(operation)])),
    },
  ]);
  return {
    openapi: "3.1.0",
    info: { title: "Tranche storefront", version, summary: "Limited editions in live drops, released in tranches." },
    servers: [{ url: origin }],
    paths: Object.fromEntries(paths),
    components: {
      schemas: Object.fromEntries(schemas),
      securitySchemes: {
        ticket: { type: "http", scheme: "DPoP", description: "A ticket with a DPoP proof (RFC 9449) of the key that it was made for." },
        pass: { type: "http", scheme: "DPoP", description: "A pass with a DPoP proof of the same key." },
        receipt: { type: "http", scheme: "bearer", description: "The receipt that came with the order." },
      },
    },
  };
}

/** JSON Schema reads patterns as ECMA-262 with Unicode, which is what our `u` flag says; other flags it does not know. */
function unicodePattern({ valibotAction: action, jsonSchema }: Parameters<NonNullable<ConversionConfig["overrideAction"]>>[0]): JsonSchema | undefined {
  if (action.type !== "regex" || !("requirement" in action) || !(action.requirement instanceof RegExp) || action.requirement.flags !== "u") return undefined;
  return { ...jsonSchema, pattern: action.requirement.source };
}

function operationObject(operation: Operation): Record<string, unknown> {
  const { summary, body, query, credentials } = operation;
  return {
    summary,
    ...(credentials === undefined ? {} : { security: credentials.map((credential) => (credential === "none" ? {} : { [credential]: [] })) }),
    ...(query === undefined ? {} : { parameters: query.map(({ name, summary: description }) => ({ name, in: "query", description, schema: { type: "integer" } })) }),
    ...(body === undefined ? {} : { requestBody: { required: operation.isBodyOptional !== true, content: { "application/json": { schema: reference(body) } } } }),
    responses: { ...answersObject(operation), ...refusalsObject([...operation.refusals, ...ALWAYS]) },
  };
}

function answersObject({ answers }: Operation): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(answers).map(([status, shape]) => {
      if (shape === "none") return [status, { description: "Switching protocols." }];
      if (shape === "ndjson") return [status, { description: "One JSON object a line.", content: { "application/x-ndjson": { schema: { type: "string" } } } }];
      if (shape === "anything") return [status, { description: "Done.", content: { "application/json": { schema: { type: "object" } } } }];
      return [status, { description: "Done.", content: { "application/json": { schema: reference(shape) } } }];
    }),
  );
}

/** The refusals by status: several codes share one, and `code` tells them apart. */
function refusalsObject(codes: readonly ProblemCode[]): Record<string, unknown> {
  const byStatus = Map.groupBy(new Set(codes), (code) => PROBLEMS[code].status);
  return Object.fromEntries(
    [...byStatus].map(([status, ofStatus]) => [
      String(status),
      { description: ofStatus.map((code) => `\`${code}\`: ${PROBLEMS[code].title}.`).join(" "), content: { "application/problem+json": { schema: reference("ProblemDocument") } } },
    ]),
  );
}

function reference(name: ShapeName): { readonly $ref: string } {
  return { $ref: `#/components/schemas/${name}` };
}
