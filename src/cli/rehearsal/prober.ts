import { sideDoors, type Door } from "../../rehearsal/side-doors.ts";
import type { Bot } from "../../rehearsal/crowd.ts";
import type { RandomSource } from "../../rehearsal/random.ts";
import { type Night, Shopping } from "./shopping.ts";
import { wait } from "./visitor.ts";

/** How long after the opening the doors are tried: when there is something to have behind them. */
const AFTER_OPENING_MS = 2_000;
const PAUSE_MS = 15;
/** What somebody shows who got none: of the right form, and nobody's. */
const NO_TICKET = "t1.eyJ0eXAiOiJ0aWNrZXQifQ.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/**
 * Tries a part of the store's side doors with a ticket that is not admitted:
 * the `part`-th of `parts`. What opens is seen in the record.
 */
export async function probe(bot: Bot, night: Night, random: RandomSource, { part, parts }: { readonly part: number; readonly parts: number }): Promise<void> {
  const shopping = new Shopping(bot, night, random);
  const { visitor, evening } = shopping;
  await shopping.join();
  evening.end = "tried the side doors";
  await wait(Math.max(0, night.opensAt + AFTER_OPENING_MS - Date.now()));
  const { drop } = night.surroundings;
  const pages: Record<string, string> = {};
  for (const path of ["/", `/${bot.region}/${drop}`, `/drops/${drop}/plan`, `/drops/${drop}/record`]) {
    pages[path] = (await visitor.ask({ route: "GET page, crawling", method: "GET", path })).text;
  }
  const openapi: unknown = JSON.parse((await visitor.ask({ route: "GET openapi", method: "GET", path: "/openapi.json" })).text);
  const doors = sideDoors(openapi, pages, {
    drop, sku: bot.wants[0]?.sku ?? "", email: bot.identity.email, ticketId: evening.ticket ?? visitor.id("tkt"), ticket: shopping.ticket || NO_TICKET, jwk: visitor.jwk, freshId: (prefix) => visitor.id(prefix),
  });
  for (const door of doors.filter((_door, index) => index % parts === part)) {
    if (Date.now() > night.closesAt) return;
    await tryDoor(door, shopping);
    await wait(PAUSE_MS);
  }
}

async function tryDoor({ method, path, headers, body, credential }: Door, shopping: Shopping): Promise<void> {
  const { visitor, night } = shopping;
  night.notebook.note("side doors tried");
  const bound = credential.scheme === "dpop" ? { token: credential.token } : credential.scheme === "bearer" ? { bearer: credential.token } : {};
  try {
    const reply = await visitor.once({ route: "side doors", method, path, ...bound, ...(body === null ? {} : { body }) }, headers);
    if (reply.status < 300 && reply.text.includes('"state":"held"')) night.notebook.break("a side door gave a hold", `${method} ${path} with ${credential.name}`);
  } catch {
    // A request that the store's own HTTP parser refuses has no answer.
  }
}
