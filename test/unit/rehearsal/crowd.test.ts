import { expect, test } from "vitest";
import { browserBot, crowdOf, type CrowdTerms } from "../../../src/rehearsal/crowd.ts";
import { seededRandom } from "../../../src/rehearsal/random.ts";

const TERMS: CrowdTerms = {
  people: 1_000, bots: 4_000, identities: 40, abandonShare: 0.8, limitPerPerson: 2,
  items: [{ sku: "S", quantity: 60 }, { sku: "M", quantity: 90 }, { sku: "L", quantity: 50 }],
  regions: [{ slug: "berlin", country: "DE", near: { lat: 52.52, lon: 13.405 } }, { slug: "lisbon", country: "PT", near: { lat: 38.7223, lon: -9.1393 } }],
  lanes: [],
};
const crowd = (seed: number, terms = TERMS) => crowdOf(terms, seededRandom(seed));

test("the same seed makes the same crowd, and another seed another", () => {
  expect(crowd(7)).toEqual(crowd(7));
  expect(crowd(8).people.map(({ arrival }) => arrival)).not.toEqual(crowd(7).people.map(({ arrival }) => arrival));
});

test("one more bot changes none of the others", () => {
  const more = crowd(7, { ...TERMS, bots: TERMS.bots + 1 });
  expect(more.people).toEqual(crowd(7).people);
  expect(more.bots.slice(0, TERMS.bots)).toEqual(crowd(7).bots);
});

test("exactly as many people do not buy as the terms say, whatever the seed", () => {
  for (const seed of [1, 2, 3]) {
    const intents = Map.groupBy(crowd(seed).people, ({ intent }) => intent);
    expect(intents.get("buys")).toHaveLength(200);
    expect(intents.get("never-comes")).toHaveLength(760);
    expect((intents.get("walks-away")?.length ?? 0) + (intents.get("gives-up")?.length ?? 0)).toBe(40);
  }
});

test("bots that buy hide behind as many addresses and networks as they have identities, and people have one each", () => {
  const { people, bots: army, identities } = crowd(7);
  expect(identities).toHaveLength(40);
  const [bots, probers] = [army.filter(({ tactic }) => tactic !== "side-doors"), army.filter(({ tactic }) => tactic === "side-doors")];
  // Whoever only tries doors takes none of the identities away from the bots that buy.
  expect(probers.length).toBeGreaterThan(0);
  expect(probers.map(({ intent }) => intent)).toEqual(probers.map(() => "never-comes"));
  expect(probers.filter(({ identity }) => identities.some(({ email }) => email === identity.email))).toEqual([]);
  expect(new Set(bots.map(({ identity }) => identity.email)).size).toBe(40);
  expect(new Set(bots.filter(({ way }) => way === "script").map(({ identity }) => identity.network)).size).toBe(40);
  expect(new Set(people.map(({ identity }) => identity.email)).size).toBe(1_000);
  const addresses = new Set(people.map(({ identity }) => identity.email));
  expect(bots.filter(({ identity }) => addresses.has(identity.email))).toEqual([]);
});

test("bots want what people want: units can only be compared where the wishes are alike", () => {
  const { people, bots } = crowd(7);
  const mean = (of: readonly { readonly wants: readonly { readonly quantity: number }[] }[]) => of.reduce((sum, { wants }) => sum + wants.reduce((units, { quantity }) => units + quantity, 0), 0) / of.length;
  expect(mean(people)).toBeCloseTo(1.5, 1);
  expect(mean(bots)).toBeCloseTo(1.5, 1);
  const partOfM = (of: readonly { readonly wants: readonly { readonly sku: string }[] }[]) => of.filter(({ wants }) => wants[0]?.sku === "M").length / of.length;
  expect(Math.abs(partOfM(people) - 0.45)).toBeLessThan(0.05);
  expect(Math.abs(partOfM(bots) - 0.45)).toBeLessThan(0.03);
});

test("nobody wants more than one person may have", () => {
  expect(crowd(7, { ...TERMS, limitPerPerson: 1 }).people.every(({ wants }) => wants.every(({ quantity }) => quantity === 1))).toBe(true);
});

test("one in fifty of the people, of those who buy among them, and of the bots takes the way without script", () => {
  const { people, bots } = crowd(7);
  const byForms = { people: people.filter(({ way }) => way === "forms"), bots: bots.filter(({ way }) => way === "forms") };
  expect(byForms.people.length).toBe(20);
  expect(byForms.people.filter(({ intent }) => intent === "buys")).toHaveLength(4);
  expect(Math.abs(byForms.bots.length - 80)).toBeLessThanOrEqual(25);
  // Real people are at many mail providers, of each of which that way takes only so many a minute.
  expect(new Set(byForms.people.map(({ identity }) => identity.email.split("@")[1])).size).toBeGreaterThan(8);
});

test("bots without script have the addresses of the other bots, of one domain, and half of them one network", () => {
  const { bots, identities } = crowd(7);
  const byForms = bots.filter(({ way }) => way === "forms");
  const known = new Set(identities.map(({ email }) => email));
  expect(byForms.filter(({ identity }) => !known.has(identity.email))).toEqual([]);
  expect(new Set(byForms.map(({ identity }) => identity.email.split("@")[1]))).toEqual(new Set(["army.example"]));
  const fromOne = byForms.filter(({ identity }) => identity.network === "army-forms");
  expect(fromOne.length).toBeGreaterThan(0);
  expect(byForms.filter(({ identity, owner }) => identity.network === `army-${owner}`)).toHaveLength(byForms.length - fromOne.length);
});

test("without bots there are no identities and no bots of any way, and the people are the same", () => {
  const without = crowd(7, { ...TERMS, bots: 0 });
  expect([without.bots, without.identities]).toEqual([[], []]);
  expect(without.people).toEqual(crowd(7).people);
});

test("real browsers have identities of their own beside those of the army", () => {
  const browsers = [0, 1].map((index) => browserBot(index, TERMS));
  expect(new Set([...crowd(7).identities, ...browsers.map(({ identity }) => identity)].map(({ email }) => email)).size).toBe(42);
});

test("every invited person has an invitation of their own, of those that are minted, and only where a drop keeps something for them", () => {
  const lanes = [{ lane: "local", region: "berlin" }, { lane: "member", region: null }, { lane: "press", region: null }];
  const { people, bots, invitations } = crowd(7, { ...TERMS, lanes });
  const theirs = people.flatMap(({ shows }) => (shows.kind === "invitation" ? [`${shows.lane} ${shows.number}`] : []));
  expect(theirs.length).toBeGreaterThan(40);
  expect(theirs.toSorted()).toEqual(invitations.flatMap(({ lane, count }) => Array.from({ length: count }, (_, number) => `${lane} ${number}`)).toSorted());
  expect(new Set(bots.map(({ shows }) => shows.kind))).toEqual(new Set(["nothing", "false-place", "used-invitation"]));
  // What is shown for a lane moves nothing else.
  expect(people.map(({ arrival, wants }) => ({ arrival, wants }))).toEqual(crowd(7).people.map(({ arrival, wants }) => ({ arrival, wants })));
  expect([...crowd(7).people, ...crowd(7).bots].every(({ shows }) => shows.kind === "nothing")).toBe(true);
});
