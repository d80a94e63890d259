import type { Context } from "hono";
import type { HtmlEscapedString } from "hono/utils/html";
import type { Region } from "../../config/store-config.ts";
import { idFromRandom } from "../../kernel/ids.ts";
import { type Problem, type ProblemCode, PROBLEMS } from "../../kernel/problem.ts";
import { announcedDrop, type AnnouncedDrop } from "../api/announced-drop.ts";
import type { AttemptBudget } from "../../kernel/attempt-budget.ts";
import type { HeardRefusals } from "../api/heard-refusals.ts";
import type { ApiPorts } from "../ports.ts";
import type { Refused, WayFacts } from "../pages/without-script/frame.tsx";
import { momentsOf } from "../pages/without-script/moments.ts";
import { refusedWords } from "../pages/without-script/refusal-words.ts";
import { pageHeaders } from "../security-headers.ts";

/** What the handlers of forms may use: the ports, and the budgets that they share with the API. */
export interface FormShop {
  readonly ports: ApiPorts;
  readonly guesses: AttemptBudget;
  readonly refreshes: AttemptBudget;
  /** What an entry asks of its drop. */
  readonly asks: AttemptBudget;
  readonly refused: HeardRefusals;
}

/** Somebody on the way without script, in a drop of a region. */
export interface Visit extends FormShop {
  readonly context: Context;
  readonly request: Request;
  readonly region: Region;
  readonly drop: AnnouncedDrop;
  /** The path under which every step of this way lies. */
  readonly base: string;
  readonly now: number;
}

/** How long a form may lie open; what is sent after that is asked for once more. */
const STAMP_LIFETIME_MS = 7 * 86_400_000;

/** The visit that a path names, or null where there is no such drop or region. */
export async function visitOf(shop: FormShop, context: Context): Promise<Visit | null> {
  const { ports } = shop;
  const region = ports.store.regions.find(({ slug }) => slug === context.req.param("region"));
  const drop = region === undefined ? null : await announcedDrop(ports, context.req.param("drop"));
  if (region === undefined || drop === null) return null;
  return { ...shop, context, request: context.req.raw, region, drop, base: `/${region.slug}/${drop.plan.drop}/line`, now: ports.now() };
}

export interface Shown {
  readonly status?: (typeof PROBLEMS)[ProblemCode]["status"] | 200;
  readonly cookies?: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
}

/** A page for one person: nobody keeps it. */
export async function shownPage(context: Context, page: HtmlEscapedString | Promise<HtmlEscapedString>, { status = 200, cookies = [], headers = {} }: Shown = {}): Promise<Response> {
  const response = await context.html(page, status, { ...pageHeaders(), "cache-control": "private, no-store", ...headers });
  for (const cookie of cookies) response.headers.append("set-cookie", cookie);
  return response;
}

/** The next step, as an address of its own: a reload of it sends nothing again. */
export function seeOther(path: string, cookies: readonly string[] = []): Response {
  const response = new Response(null, { status: 303, headers: { location: path, "cache-control": "private, no-store" } });
  for (const cookie of cookies) response.headers.append("set-cookie", cookie);
  return response;
}

/** What every page of the way is made from, with a fresh stamp for its forms. */
export async function wayFacts({ ports, region, drop, base, now }: Visit, refused: Refused | null = null): Promise<WayFacts> {
  // What a form makes has this id, with the prefix of its kind.
  const id = idFromRandom("tkt", ports.randomBytes(26)).slice("tkt_".length);
  const stamp = await ports.credentials.cookies.mintStamp({ drop: drop.plan.drop, id, madeAt: now }, now + STAMP_LIFETIME_MS);
  return { store: ports.store, region, plan: drop.plan, base, moments: momentsOf(region), stamp, refused };
}

/** A refusal in a shopper's words, with the mistakes by the fields that they belong to. */
export function refusedBy({ region }: Pick<Visit, "region">, problem: Problem, fields: ReadonlyMap<string, string> = new Map()): Refused {
  return { ...refusedWords(problem, momentsOf(region)), fields };
}

/** How a page with a refusal is answered: with the refusal's own status. */
export function statusOf(problem: Problem): Shown {
  const headers: Record<string, string> = problem.retryAfterSeconds === undefined ? {} : { "retry-after": String(problem.retryAfterSeconds) };
  return { status: PROBLEMS[problem.code].status, headers };
}
