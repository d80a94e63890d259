import type { Bot } from "../../rehearsal/crowd.ts";
import type { RandomSource } from "../../rehearsal/random.ts";
import { FormShopping } from "./form-shopping.ts";
import { arrive, shop } from "./people.ts";
import { type Night, Shopping } from "./shopping.ts";
import { codeOf, Visitor, wait } from "./visitor.ts";

/** By this part of the lobby's time they are all there: that way counts places by the minute, and more of them only wait. */
const FORMS_ARRIVE_BY = 0.3;

/** Claims that one hammering bot sends from the moment of the opening on, whether it was called or not. */
const HAMMER_CLAIMS = 3;

/** What all bots of one owner know: tickets are passed around, with or without their key. */
export class Army {
  readonly #tickets = new Map<number, string>();

  /** The first ticket of an owner is the one that gets copied. */
  share(owner: number, ticket: string): void {
    if (!this.#tickets.has(owner)) this.#tickets.set(owner, ticket);
  }

  copyFor(owner: number): string | null {
    return this.#tickets.get(owner) ?? null;
  }
}

/** One bot's evening. A bot that gets no ticket tries what is left: copies of another's. */
export async function botEvening(bot: Bot, night: Night, army: Army, random: RandomSource): Promise<void> {
  if (bot.way === "forms") return formBotEvening(bot, night, random);
  await arrive(bot.arrival, night);
  const shopping = new Shopping(bot, night, random);
  const { evening } = shopping;
  const hasTicket = await shopping.join();
  if (hasTicket) army.share(bot.owner, shopping.ticket);
  if (!hasTicket || bot.tactic === "shares-ticket") await useCopy(bot, night, army, shopping);
  if (!hasTicket) {
    evening.end = `no ticket: ${evening.refusedJoin ?? ""}`;
    return;
  }
  const hammering = bot.tactic === "hammers" ? hammer(shopping) : Promise.resolve();
  const isTurn = await shopping.turn();
  await hammering;
  if (!isTurn) {
    evening.end = "never called";
    return;
  }
  if (bot.tactic === "hoards") await hoard(shopping);
  await shop({ intent: "buys", checkout: 0, wants: bot.wants }, shopping);
}

/** Fills the plain forms as fast as they are taken, with an address that other bots have as well. */
async function formBotEvening(bot: Bot, night: Night, random: RandomSource): Promise<void> {
  await arrive(bot.arrival * FORMS_ARRIVE_BY, night);
  const shopping = new FormShopping(bot, night, random);
  const { evening } = shopping;
  if (!(await shopping.join())) evening.end = `no ticket: ${evening.refusedJoin ?? ""}`;
  else if (!(await shopping.turn())) evening.end = "never called";
  else await shop({ intent: "buys", checkout: 0, wants: bot.wants }, shopping);
}

/** Claims with another's ticket and a key of its own, which must be worth nothing. */
async function useCopy(bot: Bot, night: Night, army: Army, shopping: Shopping): Promise<void> {
  const copy = army.copyFor(bot.owner);
  // One in ten is enough to see that it never works; all of them would only be load.
  if (copy === null || copy === shopping.ticket || shopping.visitor.random.chance(0.9)) return;
  const thief = new Visitor(bot.identity, night.surroundings, shopping.visitor.random);
  const reply = await thief.ask({ route: "POST pass, copied ticket", method: "POST", path: shopping.path("/passes"), body: {}, token: copy });
  night.notebook.note("claims with a copied ticket and another key");
  if (reply.status < 400) night.notebook.break("a copied ticket was accepted with another key", `${bot.name}: ${reply.status} ${reply.text.slice(0, 120)}`);
}

/** Asks for a pass and for goods from the first millisecond on, called or not. */
async function hammer(shopping: Shopping): Promise<void> {
  const { night, visitor } = shopping;
  await wait(Math.max(0, night.opensAt - Date.now()));
  for (let claim = 0; claim < HAMMER_CLAIMS && !night.feed.isGone(shopping.evening.shopper.wants); claim++) {
    const reply = await visitor.ask({ route: "POST pass, hammering", method: "POST", path: shopping.path("/passes"), body: {}, token: shopping.ticket });
    night.notebook.note("claims out of turn");
    if (reply.status !== 201) {
      const hold = await visitor.ask({ route: "PUT hold, without a pass", method: "PUT", path: shopping.path(`/holds/${visitor.id("hld")}`), body: { lines: shopping.evening.shopper.wants }, token: shopping.ticket });
      night.notebook.note("holds with a ticket in place of a pass");
      if (hold.status < 400) night.notebook.break("a ticket that was not admitted held units", shopping.evening.shopper.name);
    }
    await wait(1_000 * visitor.random.fraction());
  }
}

/** Holds as much as it may and lets it run out: units that nobody else can have meanwhile. */
async function hoard(shopping: Shopping): Promise<void> {
  if (!(await shopping.claim())) return;
  const held = await shopping.hold();
  if (held === null || typeof held === "string") return;
  const { night, visitor } = shopping;
  night.notebook.note("holds that a bot let run out");
  await wait(night.holdMs + 500);
  const late = await visitor.ask({ route: "PUT order, too late", method: "PUT", path: `/api/orders/${visitor.id("ord")}`, token: shopping.pass ?? "", body: { drop: night.surroundings.drop, hold: held.id, email: visitor.identity.email, delivery: { method: "pickup", point: Object.values(night.pickupPoints).find((point) => point !== null) ?? "none" } } });
  if (late.status < 400) night.notebook.break("a hold that had run out was ordered", `${held.id}: ${codeOf(late)}`);
}
