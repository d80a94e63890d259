import { play, seeded, tellOnTerminal, words, type Demonstration, type Tell } from "./figures.ts";
import { FLOWS, WebhookWorld, type Flow, type ProviderEvent } from "./webhook-world.ts";

/*
 * node test/prove/webhooks.ts
 *
 * Every order in which the webhooks of a payment can arrive, and every order in
 * which only some of them do: up to seven events, each twice, with the
 * shopper's return and the cron's look in between, and in some flows days late.
 * Each flow has one final state.
 */

const HOUR_MS = 3_600_000;

/** All sequences of distinct numbers below `count`, of every length from 0 to `count`. */
function* arrangements(count: number, begun: readonly number[] = []): Generator<readonly number[]> {
  yield begun;
  for (let next = 0; next < count; next++) if (!begun.includes(next)) yield* arrangements(count, [...begun, next]);
}

type Action = number | "redirect" | "poll" | "payment_due" | "order_expired";

/** The events with their second copies, the redirect, the poll and, for late news, the drop's messages among them; `index` decides where. */
function withCompany(arrangement: readonly number[], index: number, isDaysLate: boolean): Action[] {
  const random = seeded(index);
  const actions: Action[] = [...arrangement];
  const company: readonly Action[] = [...arrangement, "redirect", "poll", "poll", ...(isDaysLate ? ["payment_due" as const, "order_expired" as const] : [])];
  for (const extra of company) {
    // A second copy never comes before the first, and the end of the time to pay not before its beginning.
    const first = typeof extra === "number" ? actions.indexOf(extra) + 1 : extra === "order_expired" ? actions.indexOf("payment_due") + 1 : 0;
    actions.splice(first + Math.floor(random() * (actions.length - first + 1)), 0, extra);
  }
  return actions;
}

async function playSequence(flow: Flow, arrangement: readonly number[], index: number): Promise<string> {
  const world = new WebhookWorld(flow.verdict);
  await world.open();
  world.later(5_000);
  await flow.happen(world);
  const events = await world.events();
  if (events.length !== flow.events) throw new Error(`the provider made ${events.length} events, not ${flow.events}: ${events.map(({ type }) => type).join(", ")}`);
  if (flow.isDaysLate) world.later(24 * HOUR_MS);
  const random = seeded(index ^ 0x5eed);
  for (const action of withCompany(arrangement, index, flow.isDaysLate)) {
    if (flow.isDaysLate) world.later(Math.floor(random() * 4 * HOUR_MS));
    await act(world, action, events, random);
  }
  // What the sequence left out never comes; the cron makes up for it, and for the drop's messages.
  if (flow.isDaysLate) {
    await world.tell("payment_due");
    await world.tell("order_expired");
  }
  await world.settle();
  const end = await world.end();
  // What settlement's own effects set off comes last, twice, and changes nothing.
  for (const event of await world.events()) for (let copy = 0; copy < 2; copy++) await world.deliver(event);
  for (const event of events) await world.deliver(event);
  const after = await world.end();
  if (after !== end) throw new Error(`news of what was settled changed it: ${end} became ${after}`);
  return end;
}

async function act(world: WebhookWorld, action: Action, events: readonly ProviderEvent[], random: () => number): Promise<void> {
  if (action === "redirect") return world.redirect();
  if (action === "poll") return world.poll();
  if (typeof action === "string") return world.tell(action);
  const event = events[action];
  if (event === undefined) throw new Error("there is no such event");
  // Sometimes two copies at the same moment, and the shopper with them.
  if (random() < 0.25) await Promise.all([world.deliver(event), world.deliver(event), world.redirect()]);
  else await world.deliver(event);
}

function fits(end: string, expected: Flow["end"]): boolean {
  const { order, payment, capturedMinor } = JSON.parse(end) as Flow["end"];
  return order === expected.order && payment === expected.payment && capturedMinor === expected.capturedMinor;
}

/** Plays every `every`th sequence of every flow: 1 for all of them. */
export async function webhooks(tell: Tell = tellOnTerminal, every = 1): Promise<Demonstration> {
  const failures: string[] = [];
  let played = 0;
  let whole = 0;
  for (const flow of FLOWS) {
    const ends = new Map<string, { count: number; readonly first: string }>();
    let count = 0;
    let index = -1;
    for (const arrangement of arrangements(flow.events)) {
      if (!flow.isWithGaps && arrangement.length < flow.events) continue;
      index++;
      if (index % every !== 0) continue;
      count++;
      if (arrangement.length === flow.events) whole++;
      const sequence = `${flow.name}, sequence ${index} (${arrangement.join(" ")})`;
      try {
        const end = await playSequence(flow, arrangement, index);
        const known = ends.get(end) ?? { count: 0, first: sequence };
        known.count++;
        ends.set(end, known);
      } catch (error) {
        if (failures.length < 20) failures.push(`${sequence}: ${words(error)}`);
      }
    }
    played += count;
    tell(`${flow.name}: ${count} sequences of ${flow.events} events, ${ends.size} final ${ends.size === 1 ? "state" : "states"}`);
    const wrong = [...ends].filter(([end]) => !fits(end, flow.end));
    for (const [end, { count: times, first }] of wrong) failures.push(`${first} and ${times - 1} more ended wrongly: ${end}`);
    if (ends.size !== 1) failures.push(`${flow.name} has ${ends.size} final states: ${[...ends].map(([end, { count: times, first }]) => `\n  ${times}, first ${first}: ${end}`).join("")}`);
  }
  return {
    figures: [{ name: "webhooks", value: `${played} sequences of up to 7 events in ${FLOWS.length} flows, ${whole} of them with all events, each event at least twice; ${failures.length === 0 ? "one final state a flow" : "NOT one final state a flow"}` }],
    failures,
  };
}

if (import.meta.main) await play(() => webhooks(tellOnTerminal, Number(process.argv[2] ?? "1")));
