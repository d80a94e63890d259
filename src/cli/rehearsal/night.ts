import * as v from "valibot";
import type { DropConfig, StoreConfig } from "../../config/store-config.ts";
import { type Compression, compressionOf } from "../../rehearsal/compression.ts";
import { type Bot, browserBot, type Crowd, crowdOf, type CrowdTerms } from "../../rehearsal/crowd.ts";
import type { NightFacts } from "../../rehearsal/facts.ts";
import { type RandomSource, seededRandom } from "../../rehearsal/random.ts";
import { type ObjectCount, takeObjectCounts } from "../object-trace.ts";
import type { StoreFile } from "../store-file.ts";
import { Army, botEvening } from "./bots.ts";
import { browserEvenings } from "./browser-bots.ts";
import { gatherEvidence } from "./evidence.ts";
import { type GateNames, gatesOf } from "./gates.ts";
import { HttpClient } from "./http-client.ts";
import { Invitations, mintedInvitations } from "./invitations.ts";
import { LiveFeed } from "./live-feed.ts";
import { Mailboxes } from "./mailboxes.ts";
import { factsOf } from "./measuring.ts";
import { Notebook } from "./notebook.ts";
import { personEvening } from "./people.ts";
import { probe } from "./prober.ts";
import { serve, type Serving } from "./serving.ts";
import { type Night, Shopping } from "./shopping.ts";
import { stageSet } from "./stage-set.ts";
import { GaveUp, type NetworkFaults, type Surroundings, wait } from "./visitor.ts";

/** One night: whose drop, which crowd, which gates. */
export interface NightPlan {
  readonly file: StoreFile;
  readonly drop: DropConfig;
  readonly crowd: number;
  readonly bots: number;
  readonly identities: number;
  readonly abandon: number;
  readonly seed: number;
  readonly speed: number;
  readonly units: number | null;
  readonly gates: GateChoice;
  readonly crash: boolean;
  readonly browsers: number;
  readonly port: number;
}

export interface GateChoice {
  /** In words: "all gates", "all gates but email". */
  readonly label: string;
  readonly names: GateNames;
  /** The `gates` of the drop's table; null for none. */
  readonly table: Readonly<Record<string, unknown>> | null;
}

type Tell = (line: string) => void;

/** A phone's network in a crowd: some requests and some answers get lost, and some take their time. */
const NETWORK: NetworkFaults = { "request-lost": 0.01, "reply-lost": 0.01, "slow-network": 0.02 };
const PERFECT: NetworkFaults = { "request-lost": 0, "reply-lost": 0, "slow-network": 0 };

/** A provider on a bad evening. Nothing is withheld for ever: what comes of that takes longer than a rehearsal. */
const PROVIDER = {
  delayMs: { min: 0, max: 300 },
  errorBeforeCharging: { rate: 0.02 },
  timeoutAfterCharging: { rate: 0.01, hangMs: 6_000 },
  webhooks: { duplicate: 1, reorder: true, delayMs: { min: 0, max: 1_500 } },
};

/** So many people by whom the machine's pace is measured before, and how much of that pace the night's may take. */
const MEASURED = 240;
const WARMING_UP = 60;
const PACE_USED = 0.7;
/** Most bots are refused with their first request, because their addresses have places already: they are less work than people. */
const BOT_JOIN = 0.3;
const LOBBY_MIN_MS = 10_000;
/** The store has started and answers, and the crowd is not there yet. */
const SETTING_UP_MS = 4_000;
const SOCKETS_MAX = 200;
const TRACE_EVERY_MS = 2_000;
const PROGRESS_EVERY_MS = 5_000;
/** After the close, for whoever has paid and waits for an answer. */
const AFTERMATH_MS = 90_000;

const DROP = v.looseObject({ opensAt: v.string(), closesAt: v.string(), stages: v.array(v.looseObject({ opensAt: v.string(), units: v.number() })) });

/** Plays one night from beginning to end and answers what it left behind. */
export async function playNight(plan: NightPlan, tell: Tell): Promise<NightFacts> {
  const startedAt = performance.now();
  const units = plan.units ?? plan.drop.source.stock.reduce((sum, { quantity }) => sum + quantity, 0);
  const compression = compressionOf(plan.drop, { speed: plan.speed, abandonShare: plan.abandon, units });
  const random = seededRandom(plan.seed);
  const crowd = crowdOf(crowdTerms(plan, units), random.branch("crowd"));
  const set = stageSet(plan.file, plan.drop);
  const complaints = new Map<string, number>();
  let serving: Serving | null = null;
  try {
    const terms = { compression, units: plan.units, gates: plan.gates.table };
    const joinMs = await measuredJoin(plan, set.configFor("measuring", { ...terms, lobbyMs: 3_600_000 }), set.dataFor("measuring"), tell);
    const joins = crowd.people.length + BOT_JOIN * crowd.bots.length;
    const lobbyMs = Math.max(LOBBY_MIN_MS, Math.round((joins * joinMs) / PACE_USED)) + SETTING_UP_MS;
    tell(`${crowd.people.length + crowd.bots.length} people and bots will join within ${Math.round(lobbyMs / 1_000)} s (${joinMs.toFixed(2)} ms for a person on this machine)`);
    serving = await serve({ config: set.configFor("night", { ...terms, lobbyMs }), data: set.dataFor("night"), port: plan.port }, (line) => noteComplaint(line, tell, complaints));
    return await played({ plan, crowd, compression, lobbyMs, units, serving, random, startedAt, complaints }, tell);
  } finally {
    await serving?.stop();
    set.remove();
  }
}

function crowdTerms({ crowd, bots, identities, abandon, drop, file }: NightPlan, units: number): CrowdTerms {
  const { source } = drop;
  const quantityOf = new Map(source.stock.map(({ sku, quantity }) => [sku, quantity]));
  return {
    people: crowd, bots, identities, abandonShare: abandon, limitPerPerson: source.limitPerPerson, regions: file.store.regions,
    lanes: source.lanes.map(({ lane, evidence }) => ({ lane, region: evidence.kind === "presence" ? evidence.region : null })),
    items: source.items.map(({ sku }) => ({ sku, quantity: quantityOf.get(sku) ?? Math.max(1, Math.round(units / source.items.length)) })),
  };
}

function browsingBots(plan: NightPlan, units: number): Bot[] {
  return Array.from({ length: plan.browsers }, (_, index) => browserBot(index, crowdTerms(plan, units)));
}

/**
 * How long it takes on this machine until one more person has joined, when many
 * come at once, in milliseconds: a store of its own is asked, which is thrown
 * away. People alone are asked: bots that are refused at once would make any
 * machine look fast.
 */
async function measuredJoin(plan: NightPlan, config: string, data: string, tell: Tell): Promise<number> {
  tell("starting a store to measure this machine's pace");
  const serving = await serve({ config, data, port: plan.port }, (line) => noteComplaint(line, tell));
  const http = new HttpClient();
  try {
    const random = seededRandom(plan.seed).branch("measuring");
    const sample = crowdOf({ ...crowdTerms(plan, MEASURED), people: MEASURED, bots: 0 }, random);
    const night = nightOf({ plan, serving, http, opensAt: Date.now() + 3_600_000, closesAt: Date.now() + 7_200_000, compression: null, faults: PERFECT, invitations: new Invitations() });
    // Whoever fills in forms takes a second to read them, which would be counted as the machine's.
    const everybody = sample.people.filter(({ way }) => way === "script");
    const join = async (shopper: (typeof everybody)[number]) => {
      const shopping = new Shopping(shopper, night, random.branch(shopper.name));
      if (!(await shopping.join())) throw new Error(`Nobody can join the rehearsed drop: ${shopping.evening.refusedJoin ?? ""}`);
    };
    // The first requests warm the runtime up and are not counted.
    await Promise.all(everybody.slice(0, WARMING_UP).map(join));
    const startedAt = performance.now();
    await Promise.all(everybody.slice(WARMING_UP).map(join));
    return (performance.now() - startedAt) / Math.max(1, everybody.length - WARMING_UP);
  } finally {
    http.close();
    await serving.stop();
  }
}

interface NightTerms {
  readonly plan: NightPlan;
  readonly serving: Serving;
  readonly http: HttpClient;
  readonly opensAt: number;
  readonly closesAt: number;
  readonly compression: Compression | null;
  readonly faults: NetworkFaults;
  readonly invitations: Invitations;
}

function nightOf({ plan, serving, http, opensAt, closesAt, compression, faults, invitations }: NightTerms): Night {
  const { store, sandbox, rehearsalKey } = serving.addresses;
  const drop = plan.drop.slug;
  const mailboxes = new Mailboxes(http, sandbox);
  const surroundings: Surroundings = { http, store, drop, rehearsalKey, faults, nonce: "", givesUpAt: closesAt + AFTERMATH_MS, visitors: [] };
  return {
    surroundings, opensAt, closesAt,
    feed: new LiveFeed(surroundings, opensAt),
    gates: gatesOf(plan.gates.names, { mailboxes, drop }),
    mailboxes, invitations,
    weights: Object.fromEntries(plan.drop.source.lanes.map(({ lane, weight }) => [lane, weight])),
    notebook: new Notebook(),
    startsAt: Date.now(),
    claimWindowMs: compression?.claimWindowMs ?? 0,
    holdMs: compression?.holdMs ?? 0,
    pickupPoints: pickupPoints(plan.file.store),
    shipsTo: Object.fromEntries(plan.file.store.regions.map(({ slug, shipsTo }) => [slug, shipsTo[0] ?? null])),
  };
}

function pickupPoints({ regions }: StoreConfig): Readonly<Record<string, string | null>> {
  return Object.fromEntries(regions.map(({ slug, pickup }) => [slug, pickup[0]?.id ?? null]));
}

/** How long everything lasts on the night itself. */
function realTimes({ source }: DropConfig): Pick<NightFacts["terms"], "realLobbyMs" | "realSaleMs" | "realStages"> {
  const at = (moment: typeof source.opensAt) => ("at" in moment ? moment.at : moment.afterFirstSeenMs);
  return { realLobbyMs: at(source.opensAt) - at(source.lobbyOpensAt), realSaleMs: at(source.closesAt) - at(source.opensAt), realStages: source.stages.map(({ afterMs }) => afterMs) };
}

interface Playing {
  readonly plan: NightPlan;
  readonly crowd: Crowd;
  readonly compression: Compression;
  readonly lobbyMs: number;
  readonly units: number;
  readonly serving: Serving;
  readonly random: RandomSource;
  readonly startedAt: number;
  /** What the store complained about, by code. */
  readonly complaints: ReadonlyMap<string, number>;
}

async function played({ plan, crowd, compression, lobbyMs, units, serving, random, startedAt, complaints }: Playing, tell: Tell): Promise<NightFacts> {
  const http = new HttpClient();
  const { addresses } = serving;
  const shape = v.parse(DROP, JSON.parse((await http.ask({ route: "GET drop", method: "GET", url: `${addresses.store}/api/drops/${plan.drop.slug}` })).text));
  const [opensAt, closesAt] = [Date.parse(shape.opensAt), Date.parse(shape.closesAt)];
  await http.ask({ route: "sandbox", method: "PUT", url: `${addresses.sandbox}/sandbox/behaviour`, body: { seed: String(plan.seed), ...PROVIDER } });
  const invitations = await mintedInvitations(http, addresses, plan.drop.slug, crowd.invitations);
  const night = nightOf({ plan, serving, http, opensAt, closesAt, compression, faults: NETWORK, invitations });
  const calls: ObjectCount[] = [];
  const remarks: string[] = [];
  const crashes: number[] = [];
  night.feed.start();
  night.feed.listen(Math.min(SOCKETS_MAX, crowd.people.length));
  const tracing = setInterval(() => void takeObjectCounts(serving.tracePort).then((taken) => calls.push(...taken), () => undefined), TRACE_EVERY_MS);
  const progress = setInterval(() => tell(progressLine(night, crowd)), PROGRESS_EVERY_MS);
  try {
    const everybody = eveningsOf(crowd, night, random);
    const browsers = browserEvenings(browsingBots(plan, units), night, plan.gates.names, addresses.sandbox, tell);
    if (plan.crash) crashes.push(await crashed(serving, night, compression, tell));
    await Promise.race([everybody, wait(closesAt + AFTERMATH_MS - Date.now())]);
    remarks.push(...(await browsers));
    await wait(closesAt + 1_000 - Date.now());
    await night.feed.end();
    const evidence = await gatherEvidence({ http, addresses, drop: plan.drop.slug }, tell);
    calls.push(...(await takeObjectCounts(serving.tracePort).catch(() => [])));
    if (complaints.size > 0) remarks.push(`The store's own log complained: ${[...complaints].map(([code, count]) => `${code} ${count} times`).join(", ")}.`);
    const stages = shape.stages.map((stage) => ({ opensAt: Date.parse(stage.opensAt), units: stage.units }));
    return factsOf({
      night, evidence, stages, calls, remarks, crashes, lanes: plan.drop.source.lanes, tookSeconds: (performance.now() - startedAt) / 1_000,
      terms: {
        seed: plan.seed, gates: plan.gates.label, isEmailProven: plan.gates.names.email, drop: plan.drop.slug, title: plan.drop.title, people: plan.crowd, bots: plan.bots,
        identities: plan.identities, abandonShare: plan.abandon, units, shards: plan.drop.source.shards, compression, lobbyMs, ...realTimes(plan.drop),
      },
    });
  } finally {
    clearInterval(tracing);
    clearInterval(progress);
    http.close();
  }
}

/** Everybody's evening. One that fails in a way that no evening should is told in the report and ends only itself. */
async function eveningsOf(crowd: Crowd, night: Night, random: RandomSource): Promise<void> {
  const army = new Army();
  const probers = crowd.bots.filter(({ tactic }) => tactic === "side-doors");
  const guarded = async (name: string, evening: Promise<void>) => {
    try {
      await evening;
    } catch (error) {
      const what = error instanceof Error ? error.message : String(error);
      if (error instanceof GaveUp) night.notebook.note(`gave up: ${what}`);
      else night.notebook.break("a client met something that it does not know", `${name}: ${what.slice(0, 200)}`);
    }
  };
  await Promise.all([
    ...crowd.people.map((person) => guarded(person.name, personEvening(person, night, random.branch(person.name)))),
    ...crowd.bots.map((bot) => {
      const part = probers.indexOf(bot);
      const branch = random.branch(bot.name);
      return guarded(bot.name, part >= 0 ? probe(bot, night, branch, { part, parts: probers.length }) : botEvening(bot, night, army, branch));
    }),
  ]);
}

/** The power goes in the middle of the first stage. */
async function crashed(serving: Serving, night: Night, { stages }: Compression, tell: Tell): Promise<number> {
  const gapMs = (stages[1]?.afterMs ?? night.closesAt - night.opensAt) * 0.4;
  await wait(Math.max(0, night.opensAt + gapMs - Date.now()));
  // A kill that meets no request proves nothing about those that it cuts off.
  for (const until = Date.now() + 5_000; night.surroundings.http.underWay < 3 && Date.now() < until;) await wait(1);
  tell(`kill -9 with ${night.surroundings.http.underWay} requests under way`);
  const tookMs = await serving.crash();
  tell(`the store answers again after ${(tookMs / 1_000).toFixed(1)} s`);
  return tookMs;
}

function progressLine({ feed, notebook, opensAt, surroundings }: Night, crowd: Crowd): string {
  const seconds = Math.round((Date.now() - opensAt) / 1_000);
  const joined = notebook.evenings.filter(({ ticket }) => ticket !== null).length;
  const refused = notebook.evenings.filter(({ refusedJoin }) => refusedJoin !== null).length;
  const bought = notebook.evenings.filter(({ end }) => end === "bought").length;
  const { latest } = feed;
  const state = latest === null ? "no answer yet" : `${latest.phase}, ${latest.available} available`;
  return `T${seconds < 0 ? "" : "+"}${seconds} s: ${state}; ${joined} of ${crowd.people.length + crowd.bots.length} joined and ${refused} refused, ${feed.waiting} wait, ${bought} bought, ${surroundings.http.underWay} requests under way`;
}

/** What the runtime says on standard error: that it builds, and errors, of which each kind is told once and then only counted. */
function noteComplaint(line: string, tell: Tell, complaints: Map<string, number> = new Map()): void {
  if (line.startsWith("Building")) return tell(line);
  const code = /^error: .*?"code":"([a-z_]+)"/.exec(line)?.[1];
  // What is refused for its haste is refused on purpose here, and counted where it is tried.
  if (code === undefined || code === "form_refused") return;
  const count = (complaints.get(code) ?? 0) + 1;
  complaints.set(code, count);
  if (count === 1) tell(`the store says ${code}; it is counted from now on: ${line.slice(0, 160)}`);
}
