import { accepted, rejected } from "../kernel/result.ts";
import type { FormTree } from "./form.ts";
import { INTENT_OPERATIONS } from "./intents-api.ts";
import { MONEY_OPERATIONS } from "./money-api.ts";
import type { Answer, Operation } from "./operation.ts";
import { PEOPLE_OPERATIONS } from "./people-api.ts";
import { intentIdOfCharge } from "./records.ts";
import { badParameter, type Refusal } from "./refusal.ts";
import { SESSION_OPERATIONS, sessionLines } from "./sessions-api.ts";
import { bookingsOf, loadIntent, loadSession, sessionView, type Turn } from "./turn.ts";
import { bookingToWire, chargeToWire, customerToWire, disputeToWire, intentToWire, refundToWire, transferToWire, type Wire } from "./wire.ts";

const OPERATIONS = [...SESSION_OPERATIONS, ...INTENT_OPERATIONS, ...MONEY_OPERATIONS, ...PEOPLE_OPERATIONS].map((operation) => ({
  operation, segments: operation.path.split("/"),
}));

export interface Route {
  readonly operation: Operation;
  /** The record that the path names, or empty. */
  readonly id: string;
}

/** The endpoint of a method and a path below `/v1/`; null when there is none. */
export function routeOf(method: string, path: string): Route | null {
  const asked = path.split("/");
  for (const { operation, segments } of OPERATIONS) {
    if (operation.method !== method || segments.length !== asked.length) continue;
    if (segments.every((segment, index) => segment === asked[index] || (segment === ":id" && asked[index] !== ""))) {
      return { operation, id: asked[segments.indexOf(":id")] ?? "" };
    }
  }
  return null;
}

/** Does what the endpoint does and fills in what the caller wants to see within the answer. */
export function runRoute(turn: Turn, route: Route, tree: FormTree): Answer {
  const answer = route.operation.run(turn, route.id, tree);
  if (!answer.ok) return answer;
  let view = answer.value;
  for (const path of Object.values(typeof tree["expand"] === "object" ? tree["expand"] : {})) {
    const expanded = typeof path === "string" ? expandPath(turn, view, path.split(".")) : null;
    if (expanded === null) return rejected(cannotExpand(String(path)));
    view = expanded;
  }
  return accepted(view);
}

function cannotExpand(path: string): Refusal {
  return badParameter("expand", `This property cannot be expanded (${path}).`);
}

function isWire(value: unknown): value is Wire {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The object with the property at `path` filled in; null when it is not one that can be. */
function expandPath(turn: Turn, object: Wire, path: readonly string[]): Wire | null {
  const [name, ...rest] = path;
  if (name === undefined) return object;
  if (name === "line_items" && object["object"] === "checkout.session") return { ...object, line_items: sessionLines(turn, String(object["id"])) };
  const value = object[name];
  if (value === undefined) return null;
  if (value === null) return object;
  if (Array.isArray(value)) {
    const items = value.map((item) => (isWire(item) ? expandPath(turn, item, rest) : null));
    return items.includes(null) ? null : { ...object, [name]: items };
  }
  const child = typeof value === "string" ? viewOf(turn, value) : value;
  const expanded = isWire(child) ? expandPath(turn, child, rest) : null;
  return expanded === null ? null : { ...object, [name]: expanded };
}

/** Any record by its id, as the API shows it. */
function viewOf(turn: Turn, id: string): Wire | null {
  const { shelf } = turn;
  const found = <Item>(item: Item | null, view: (item: Item) => Wire): Wire | null => (item === null ? null : view(item));
  if (id.startsWith("pi_")) return found(loadIntent(turn, id), intentToWire);
  if (id.startsWith("ch_")) return found(loadIntent(turn, intentIdOfCharge(id)), (intent) => chargeToWire(intent, id));
  if (id.startsWith("cs_")) return found(loadSession(turn, id), (session) => sessionView(turn, session));
  if (id.startsWith("re_")) return found(shelf.find("re", id), refundToWire);
  if (id.startsWith("txn_")) return found(shelf.find("txn", id), bookingToWire);
  if (id.startsWith("cus_")) return found(shelf.find("cus", id), customerToWire);
  if (id.startsWith("tr_")) return found(shelf.find("tr", id), transferToWire);
  if (id.startsWith("dp_")) return found(shelf.find("dp", id), (dispute) => disputeToWire(dispute, bookingsOf(turn, dispute)));
  return null;
}
