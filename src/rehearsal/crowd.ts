import { assert } from "../kernel/result.ts";
import type { RandomSource } from "./random.ts";

/*
 * Who comes to a rehearsed drop, and what they are going to do: everything that
 * a seed decides before the first request is sent. What the store answers
 * decides the rest.
 */

export interface CrowdTerms {
  readonly people: number;
  readonly bots: number;
  /** How many addresses and networks all bots that buy have together; the few that only try side doors have one each. */
  readonly identities: number;
  /** Of the people, how many do not buy although they joined: from 0 to 1. */
  readonly abandonShare: number;
  readonly limitPerPerson: number;
  readonly items: readonly { readonly sku: string; readonly quantity: number }[];
  /** Where the store's regions are: people live around them. */
  readonly regions: readonly Region[];
  /** For whom a part is kept; `region` is null where an invitation is asked for. */
  readonly lanes: readonly { readonly lane: string; readonly region: string | null }[];
}

export interface Region {
  readonly slug: string;
  readonly country: string;
  readonly near: { readonly lat: number; readonly lon: number };
}

/** Somebody's addresses, card and network: what a store can tell people apart by. */
export interface Identity {
  readonly email: string;
  /** Where it is sent to: the house in its street. */
  readonly street: string;
  /** The number of a card of the sandbox that pays. */
  readonly card: string;
  readonly network: string;
  readonly country: string;
  readonly lat: number;
  readonly lon: number;
}

export interface Want {
  readonly sku: string;
  readonly quantity: number;
}

/**
 * What becomes of somebody whose turn comes: buys, never comes, holds and walks
 * away, or gives the hold up like a polite person.
 */
export type Intent = "buys" | "never-comes" | "walks-away" | "gives-up";

/** How it goes at the payment page: at once, after a card that was declined, or after going away and coming back. */
export type Paying = "at-once" | "second-card" | "comes-back";

/** The page with its script, or the plain forms of the way without. */
export type Way = "script" | "forms";

/**
 * What somebody shows for a lane, beside the place where the platform sees them:
 * an invitation of their own (the `number`-th of its lane), one that somebody
 * has used already, or headers that claim another place than the platform's.
 */
export type Shown =
  | { readonly kind: "nothing" }
  | { readonly kind: "invitation"; readonly lane: string; readonly number: number }
  | { readonly kind: "used-invitation" }
  | { readonly kind: "false-place"; readonly country: string; readonly lat: number; readonly lon: number };

export interface Shopper {
  readonly name: string;
  readonly identity: Identity;
  readonly way: Way;
  readonly shows: Shown;
  readonly region: string;
  /** When they join, as a fraction of the lobby's time; above 1 they come after the opening, as a fraction of the sale. */
  readonly arrival: number;
  readonly wants: readonly Want[];
  readonly intent: Intent;
  readonly paying: Paying;
  /** How much of a claim window passes until they react, and of a hold until they order: fractions. */
  readonly reaction: number;
  readonly checkout: number;
}

export interface Person extends Shopper {
  readonly kind: "person";
  /** How often the page is loaded again while they wait. */
  readonly reloads: number;
  /** Closes the tab while waiting, and comes back with what the browser had stored. */
  readonly closesTab: boolean;
}

/** What a bot does beside joining with everything that it has; a `browser` is a real one. */
export type Tactic = "plain" | "hammers" | "shares-ticket" | "hoards" | "side-doors" | "browser";

export interface Bot extends Shopper {
  readonly kind: "bot";
  /** Whose tickets it knows of, by the number of the identity that they belong to. */
  readonly owner: number;
  readonly tactic: Tactic;
}

export interface Crowd {
  readonly people: readonly Person[];
  readonly bots: readonly Bot[];
  readonly identities: readonly Identity[];
  /** How many invitations have to be there before the first of them comes. */
  readonly invitations: readonly { readonly lane: string; readonly count: number }[];
}

/** Of those who do not buy, this many come all the same and leave what they held. */
const COMES_ALL_THE_SAME = 0.05;
/** Of all people, this many share their network with others: an office, a venue. */
const SHARES_NETWORK = 0.1;
const LATE = 0.03;
/** Of people, of those among them who buy, and of bots, this many take the way without script. */
const BY_FORMS = 0.02;
/** The mail providers of the people who come by forms: that way counts the places of each. */
const MAIL_PROVIDERS = 20;
/** Of all people, this many have an invitation where a drop keeps something for the invited. */
const INVITED = 0.08;
/** Of all bots, this many try to get into a lane by each false way that the drop's lanes leave open. */
const PRETENDS = 0.1;
const TACTICS: readonly (readonly [Tactic, share: number])[] = [["hammers", 0.1], ["shares-ticket", 0.1], ["hoards", 0.02], ["side-doors", 0.002]];

/** The crowd of a seed. Each shopper has a branch of the seed, so that one more of them changes none of the others. */
export function crowdOf(terms: CrowdTerms, random: RandomSource): Crowd {
  assert(terms.items.length > 0 && terms.regions.length > 0, "a drop sells something somewhere");
  assert(terms.bots === 0 || terms.identities > 0, "bots have at least one identity");
  const intents = intentsOf(terms, random.branch("intents"));
  const byForms = indicesByForms(intents, random.branch("ways"));
  const identities = Array.from({ length: terms.bots === 0 ? 0 : terms.identities }, (_, index) => botIdentity(index));
  const { people, invitations } = invited(intents.map((intent, index) => person(index, { intent, way: byForms.has(index) ? "forms" : "script" }, terms, random.branch(`person ${index}`))), terms, random);
  return {
    identities, people, invitations,
    bots: Array.from({ length: terms.bots }, (_, index) => bot(index, identities, terms, random.branch(`bot ${index}`))),
  };
}

/** Exactly as many of each as the terms say: chance decides only who. */
function intentsOf({ people, abandonShare }: CrowdTerms, random: RandomSource): Intent[] {
  const abandons = Math.round(people * abandonShare);
  const leaves = Math.round(abandons * COMES_ALL_THE_SAME);
  const intents = Array.from({ length: people }, (_, index): Intent => {
    if (index >= abandons) return "buys";
    if (index >= leaves) return "never-comes";
    return index % 2 === 0 ? "walks-away" : "gives-up";
  });
  return shuffled(intents, random);
}

/** Exactly as many of those who buy and of the others: in a small crowd chance would leave nobody who goes this way to its end. */
function indicesByForms(intents: readonly Intent[], random: RandomSource): Set<number> {
  const [buyers, others] = [true, false].map((buys) => intents.flatMap((intent, index) => ((intent === "buys") === buys ? [index] : [])));
  return new Set([buyers ?? [], others ?? []].flatMap((indices) => shuffled(indices, random).slice(0, Math.ceil(indices.length * BY_FORMS))));
}

/** A bot that is a real browser: it has an address of its own beside those of the army, and buys one of the first item. */
export function browserBot(index: number, { items, regions, identities }: Pick<CrowdTerms, "items" | "regions" | "identities">): Bot {
  const [item, region] = [items[0], regions[0]];
  assert(item !== undefined && region !== undefined, "a drop sells something somewhere");
  return {
    kind: "bot", name: `browser-${index}`, owner: identities + index, tactic: "browser", way: "script", shows: { kind: "nothing" }, region: region.slug,
    identity: { ...botIdentity(index), ...belongings("browser", index), email: `browser-${index}@army.example`, network: `browser-${index}` },
    arrival: 0, wants: [{ sku: item.sku, quantity: 1 }], intent: "buys", paying: "at-once", reaction: 0, checkout: 0,
  };
}

/** Gives some people an invitation, each of their own, where the drop keeps something for those who have one. */
function invited(people: readonly Person[], { lanes }: CrowdTerms, random: RandomSource): Pick<Crowd, "people" | "invitations"> {
  const counts = new Map(lanes.flatMap(({ lane, region }): [string, number][] => (region === null ? [[lane, 0]] : [])));
  if (counts.size === 0) return { people, invitations: [] };
  const withTheirs = people.map((one): Person => {
    const drawn = random.branch(`invitation of ${one.name}`);
    if (!drawn.chance(INVITED)) return one;
    const lane = drawn.pick([...counts.keys()]);
    const number = counts.get(lane) ?? 0;
    counts.set(lane, number + 1);
    return { ...one, shows: { kind: "invitation", lane, number } };
  });
  return { people: withTheirs, invitations: [...counts].map(([lane, count]) => ({ lane, count })) };
}

function person(index: number, { intent, way }: Pick<Person, "intent" | "way">, terms: CrowdTerms, random: RandomSource): Person {
  const region = random.pick(terms.regions);
  const isLate = random.chance(LATE);
  const venue = random.integer(0, Math.max(1, Math.floor((terms.people * SHARES_NETWORK) / 20)));
  return {
    kind: "person",
    name: `person-${index}`,
    way,
    shows: { kind: "nothing" },
    identity: {
      ...belongings("person", index),
      email: `person-${index}@${way === "forms" ? `mail-${(index % MAIL_PROVIDERS) + 1}` : "crowd"}.example`,
      network: random.chance(SHARES_NETWORK) ? `venue-${venue}` : `home-${index}`,
      country: region.country,
      ...around(region, random.chance(0.4) ? 0.1 : 3, random),
    },
    region: region.slug,
    // Most come at any time, and more in the last minutes.
    arrival: isLate ? 1 + 0.4 * random.fraction() : random.chance(0.7) ? random.fraction() : 0.7 + 0.3 * random.fraction(),
    wants: wantsOf(terms, random),
    intent,
    paying: payingOf(random),
    reaction: 0.05 + 0.25 * random.fraction(),
    checkout: 0.05 + 0.35 * random.fraction(),
    reloads: random.integer(0, 3),
    closesTab: random.chance(0.1),
  };
}

function botIdentity(index: number): Identity {
  return { email: `bot-${index}@army.example`, ...belongings("bot", index), network: `army-${index}`, country: "US", lat: 39.04, lon: -77.49 };
}

const CARD_DIGITS = { person: 1, bot: 2, browser: 3 };

/** A house and a card of their own for each: a drop may count what goes to either. Cards that begin so are approved by the sandbox. */
function belongings(who: keyof typeof CARD_DIGITS, index: number): Pick<Identity, "street" | "card"> {
  return { street: `${index + 1} ${who === "person" ? "Home" : who === "bot" ? "Army" : "Browser"} Street`, card: `411111${CARD_DIGITS[who]}${String(index).padStart(9, "0")}` };
}

/** What it wants is drawn as a person's wants are: otherwise the classes' units could not be compared. */
function bot(index: number, identities: readonly Identity[], terms: CrowdTerms, random: RandomSource): Bot {
  const owner = index % identities.length;
  const shared = identities[owner];
  assert(shared !== undefined, "every bot has an identity");
  const buyer: Bot = {
    kind: "bot",
    name: `bot-${index}`,
    owner,
    identity: shared,
    way: "script",
    shows: pretenceOf(terms, random.branch("pretence")),
    region: random.pick(terms.regions).slug,
    arrival: random.fraction(),
    wants: wantsOf(terms, random),
    intent: "buys",
    paying: "at-once",
    reaction: 0,
    checkout: 0,
    tactic: tacticOf(random),
  };
  if (buyer.tactic === "side-doors") return proberOf(buyer);
  const byForms = random.branch("way");
  return byForms.chance(BY_FORMS) ? formBotOf(buyer, byForms) : buyer;
}

/**
 * The same address by the other way: all of one domain, and half of them from
 * one network, as a script would do it that takes the plain way for a cheaper door.
 */
function formBotOf(bot: Bot, random: RandomSource): Bot {
  const { identity } = bot;
  return { ...bot, way: "forms", tactic: "plain", identity: random.chance(0.5) ? { ...identity, network: "army-forms" } : identity };
}

function pretenceOf({ lanes, regions }: CrowdTerms, random: RandomSource): Shown {
  const drawn = random.fraction();
  const near = regions.find(({ slug }) => lanes.some(({ region }) => region === slug));
  if (drawn < PRETENDS && near !== undefined) return { kind: "false-place", country: near.country, ...near.near };
  const isKeptForInvited = lanes.some(({ region }) => region === null);
  return drawn >= PRETENDS && drawn < 2 * PRETENDS && isKeptForInvited ? { kind: "used-invitation" } : { kind: "nothing" };
}

/** Whoever only tries doors would waste an identity that another bot could buy with, and make the army look weaker than it is. */
function proberOf(bot: Bot): Bot {
  return { ...bot, identity: { ...bot.identity, email: `${bot.name}@probers.example`, network: `prober-${bot.name}` }, intent: "never-comes" };
}

function tacticOf(random: RandomSource): Tactic {
  let drawn = random.fraction();
  for (const [tactic, share] of TACTICS) {
    if (drawn < share) return tactic;
    drawn -= share;
  }
  return "plain";
}

function payingOf(random: RandomSource): Paying {
  const drawn = random.fraction();
  return drawn < 0.06 ? "second-card" : drawn < 0.09 ? "comes-back" : "at-once";
}

/** One item, the larger editions more often, and any number that one person may have. */
function wantsOf({ items, limitPerPerson }: CrowdTerms, random: RandomSource): Want[] {
  const total = items.reduce((sum, { quantity }) => sum + quantity, 0);
  let place = random.integer(1, Math.max(1, total));
  const item = items.find(({ quantity }) => (place -= quantity) <= 0) ?? items[0];
  assert(item !== undefined, "a drop sells something");
  return [{ sku: item.sku, quantity: random.integer(1, Math.min(limitPerPerson, 2)) }];
}

/** A place within so many degrees of a region. */
function around({ near }: Region, degrees: number, random: RandomSource): { readonly lat: number; readonly lon: number } {
  const shifted = (centre: number, max: number) => Math.max(-max, Math.min(max, Number((centre + (2 * random.fraction() - 1) * degrees).toFixed(4))));
  return { lat: shifted(near.lat, 90), lon: shifted(near.lon, 180) };
}

function shuffled<Element>(list: readonly Element[], random: RandomSource): Element[] {
  const keyed = list.map((element) => ({ element, key: random.fraction() }));
  return keyed.toSorted((a, b) => a.key - b.key).map(({ element }) => element);
}
