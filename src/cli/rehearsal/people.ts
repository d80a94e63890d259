import * as v from "valibot";
import type { Person } from "../../rehearsal/crowd.ts";
import type { RandomSource } from "../../rehearsal/random.ts";
import { FormShopping } from "./form-shopping.ts";
import { type Night, type Shoppers, Shopping } from "./shopping.ts";
import { read, type Visitor, wait } from "./visitor.ts";

const STANDING = v.looseObject({ state: v.string(), position: v.nullable(v.number()) });

/** A ticket gets two sittings a stage; nobody in a rehearsal tries more often than this in all. */
const SITTINGS_MAX = 8;

/** By this part of the lobby's time everybody has come who comes in time: joining takes a moment as well. */
const ARRIVED_BY = 0.9;

/** Waits until somebody arrives: a part of the lobby's time, or of the sale for those who come late. */
export async function arrive(arrival: number, { startsAt, opensAt, closesAt }: Night): Promise<void> {
  const at = arrival <= 1 ? startsAt + arrival * ARRIVED_BY * (opensAt - startsAt) : opensAt + (arrival - 1) * (closesAt - opensAt);
  await wait(Math.max(0, at - Date.now()));
}

/** One person's evening. */
export async function personEvening(person: Person, night: Night, random: RandomSource): Promise<void> {
  await arrive(person.arrival, night);
  if (person.way === "forms") return formEvening(person, night, new FormShopping(person, night, random));
  const shopping = new Shopping(person, night, random);
  const { evening, visitor } = shopping;
  await openPage(person, night, visitor);
  if (!(await shopping.join())) {
    evening.end = `no ticket: ${evening.refusedJoin ?? ""}`;
    return;
  }
  const meanwhile = whileWaiting(person, shopping, random);
  const isTurn = await shopping.turn();
  await meanwhile;
  if (!isTurn) {
    evening.end = "never called";
    return;
  }
  if (person.intent === "never-comes") {
    evening.end = "called, and did not come";
    return;
  }
  await wait(person.reaction * night.claimWindowMs);
  await shop(person, shopping);
}

/** The evening of somebody without script, who reads every page before filling it in. */
async function formEvening(person: Person, night: Night, shopping: FormShopping): Promise<void> {
  const { evening, visitor } = shopping;
  await openPage(person, night, visitor);
  if (!(await shopping.join())) {
    evening.end = `no ticket: ${evening.refusedJoin ?? ""}`;
    return;
  }
  // Whoever loses the browser's cookies has the address, and nothing else.
  if (person.closesTab && Date.now() < night.opensAt) await shopping.comeBack();
  if (!(await shopping.turn())) evening.end = "never called";
  else if (person.intent === "never-comes") evening.end = "called, and did not come";
  else {
    await wait(person.reaction * night.claimWindowMs);
    await shop(person, shopping);
  }
}

/** From the first claim to the receipt, as often as it takes and is allowed. */
export async function shop(person: Pick<Person, "intent" | "checkout" | "wants">, shopping: Shoppers): Promise<void> {
  const { evening, night } = shopping;
  for (let sitting = 0; sitting < SITTINGS_MAX; sitting++) {
    if (!(await shopping.claim())) break;
    const held = await shopping.hold();
    if (typeof held === "string") {
      evening.end = `hold refused: ${held}`;
      return;
    }
    if (held !== null) {
      await wait(person.checkout * night.holdMs);
      if (person.intent === "gives-up") await shopping.giveUp(held.id);
      if (person.intent !== "buys") {
        evening.end = "held, and left";
        return;
      }
      const order = await shopping.order(held.id);
      if (order !== null) await shopping.pay(order);
      if (evening.end !== "order refused: hold_expired") return;
    }
    // The place is kept: somebody whose turn was in vain comes back when there is something to have.
    while (!night.feed.isGone(person.wants) && !night.feed.isAvailable(person.wants) && Date.now() < night.closesAt) await wait(700);
  }
  evening.end ||= "called, and nothing was left";
}

async function openPage(person: Person, { surroundings }: Night, visitor: Visitor): Promise<void> {
  await visitor.ask({ route: "GET page", method: "GET", path: `/${person.region}/${surroundings.drop}` });
}

/** What people do while they wait: load the page again, look where they stand, close the tab and come back. */
async function whileWaiting(person: Person, shopping: Shopping, random: RandomSource): Promise<void> {
  const { night, evening } = shopping;
  let shown = Number.POSITIVE_INFINITY;
  for (let reload = 0; reload < person.reloads; reload++) {
    const at = Date.now() + random.fraction() * (night.closesAt - Date.now()) * 0.5;
    while (Date.now() < at && evening.calledAt === null && !night.feed.isGone(person.wants)) await wait(500);
    if (evening.calledAt !== null || night.feed.isGone(person.wants)) return;
    // Whoever closed the tab has the ticket's id and the key, and nothing else.
    if (person.closesTab) await shopping.join();
    else await openPage(person, night, shopping.visitor);
    const reply = await shopping.visitor.ask({ route: "GET ticket", method: "GET", path: shopping.path(`/tickets/${evening.ticket ?? ""}`) });
    if (reply.status !== 200) {
      night.notebook.break("a ticket that was given is not known", `${evening.ticket ?? ""}: ${reply.status}`);
      continue;
    }
    const { position } = read(reply, STANDING);
    if (position !== null && position > shown) night.notebook.break("a position that was shown grew", `${evening.ticket ?? ""}: ${shown} and then ${position}`);
    shown = position ?? shown;
  }
}
