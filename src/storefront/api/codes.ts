import { CodeRequest, type CodeAnswer } from "../../../schema/wire/code.ts";
import { groupMaxOf } from "../../drop/groups.ts";
import { budgetsOf } from "../../drop/network-budgets.ts";
import { CODE_RANDOM_BYTES, codeFromRandom, codeMail, typedCode } from "../../gate/email-code.ts";
import type { Mail } from "../../gate/mail.ts";
import { invalidMembers, strictBody } from "../../http/strict-body.ts";
import type { Problem } from "../../kernel/problem.ts";
import { accepted, Fault, rejected, type Result } from "../../kernel/result.ts";
import { CODE_LIFETIME_MS, SEND_WINDOW_MS } from "../../lobby/address-codes.ts";
import type { AddressRejection } from "../../lobby/door.ts";
import type { ApiPorts } from "../ports.ts";
import { announcedDrop, type AnnouncedDrop } from "./announced-drop.ts";
import { answer, refusal } from "./answers.ts";
import { countInWindow } from "./counted-window.ts";
import { emailAddress } from "../../gate/email-address.ts";
import type { HeardRefusals } from "./heard-refusals.ts";
import { portProblem } from "./refusals.ts";
import type { Handler } from "./resource.ts";
import { siteOf } from "../visitor.ts";
import { shardOf } from "./tickets.ts";

/** To how many addresses beyond those that stand in line with it one ticket may have codes sent: one that was mistyped, and one spare. */
const SPARE_ADDRESSES = 2;
const MINUTE_MS = 60_000;
/** A mail that the provider does not take is tried again after so long each; the shopper may ask for another code meanwhile. */
const SEND_AGAIN_AFTER_MS = [500, 3_000];
/** An address belongs to its ticket for as long as anything of the drop can still happen. */
const PROOF_OUTLIVES_CLOSE_MS = 7 * 86_400_000;

/**
 * Has a code sent to an address. The answer and its time are the same for every
 * address: the mail leaves after the answer, and nothing was looked up that
 * depends on who the address belongs to.
 */
export function sendCode(ports: ApiPorts, refused: HeardRefusals): Handler {
  return async (context) => {
    const drop = await announcedDrop(ports, context.req.param("drop"));
    if (drop === null || !drop.plan.gates.email) return refusal({ code: "not_found" }, context);
    const body = await strictBody(context.req.raw, CodeRequest);
    if (!body.ok) return refusal(body.rejection, context);
    const email = emailAddress(body.value.email);
    if (email === null) return refusal(invalidMembers({ pointer: "/email", detail: "This is not an e-mail address." }), context);
    const isForGroup = body.value.group === true;
    if (isForGroup && groupMaxOf(drop.plan) === 1) return refusal(invalidMembers({ pointer: "/group", detail: "In this drop everyone stands in line alone." }), context);
    const asked = await askCode(ports, refused, drop, { ticket: body.value.ticket, email, isForGroup, network: ports.visitor(context.req.raw).network });
    return asked.ok ? answer<CodeAnswer>({ validSeconds: CODE_LIFETIME_MS / 1_000 }, 202) : refusal(asked.rejection, context);
  };
}

/** Who asks for a code: the ticket that it is for, the address in its normal form, and the network as the platform names it. */
interface CodeAsked {
  readonly ticket: string;
  readonly email: string;
  /** Whether the ticket is another person's, in whose group the address is going to stand. */
  readonly isForGroup?: boolean;
  readonly network: string;
}

/**
 * Notes a code and has it sent, for whichever way somebody joins by. What was
 * refused until a certain time is refused here until then: a script that asks
 * for the same few addresses again and again would else be the lobby's main
 * business.
 */
export async function askCode(ports: ApiPorts, refused: HeardRefusals, drop: AnnouncedDrop, { ticket, email, isForGroup = false, network }: CodeAsked): Promise<Result<null, Problem>> {
  const { mailer } = ports;
  // A drop that asks for a code which nobody can send lets nobody in; it must not seem to.
  if (mailer === null) return rejected({ code: "temporarily_unavailable", retryAfterSeconds: 60 });
  const early = tooEarly(drop, ports.now());
  if (early !== null) return rejected(early);
  const person = ports.credentials.personOf(email);
  const now = ports.now();
  const where = `codes of ${drop.plan.drop}`;
  const site = ports.credentials.networkOf(siteOf(network));
  // What one network has used up of an address is no other network's to wait for.
  const asking = `${person}/${site}`;
  const heard = refused.find(where, asking, now);
  if (heard !== null) return rejected(portProblem(heard, now));
  const allowed = await withinLimits(ports, refused, drop, { ticket, person, network: ports.credentials.networkOf(network) });
  if (!allowed.ok) return allowed;
  const code = codeFromRandom(ports.randomBytes(CODE_RANDOM_BYTES));
  const mac = ports.credentials.codeMac(drop.plan.drop, person, code, isForGroup ? "group" : "own");
  const noted = await shardOf(ports, drop, person).noteCode({ person, ticket, network: site, mac });
  if (!noted.ok) {
    refused.note(where, asking, noted.rejection);
    return rejected(portProblem(noted.rejection, ports.now()));
  }
  const mail = codeMail({ to: email, code, drop: drop.plan.title, store: ports.store.name, key: `code/${mac}`, isForGroup });
  ports.later(sendMail(ports, mailer.send, mail));
  return accepted(null);
}

/** Why nobody can join now by the plan's own times; null where they do not stand in the way. */
export function tooEarly({ plan }: AnnouncedDrop, now: number): Problem | null {
  if (now >= plan.closesAt) return { code: "drop_closed" };
  return now < plan.lobbyOpensAt ? portProblem({ code: "lobby_not_open", lobbyOpensAt: plan.lobbyOpensAt }, now) : null;
}

/**
 * What a ticket and a network may have sent; how often an address is written
 * to is judged with the code itself. A network may ask for as many codes as it
 * may join, because everybody who joins needs one.
 */
async function withinLimits(ports: ApiPorts, refused: HeardRefusals, drop: AnnouncedDrop, { ticket, person, network }: { readonly ticket: string; readonly person: string; readonly network: string }): Promise<Result<null, Problem>> {
  const now = ports.now();
  // The network first: tickets are made up by whoever asks, and a network that is over its limit must not have a row written for each.
  const limits = [
    { key: `codes/${network}`, by: `${person}/${ticket}`, uses: budgetsOf(drop.plan, network).joinsPerMinute, windowMs: MINUTE_MS, isForAll: true },
    // Refused is only a further address: to those that it has, a ticket may ask for another mail.
    { key: `codes/${ticket}`, by: person, uses: groupMaxOf(drop.plan) + SPARE_ADDRESSES, windowMs: SEND_WINDOW_MS, isForAll: false },
  ];
  for (const { isForAll, ...use } of limits) {
    const heard = isForAll ? refused.find(drop.plan.drop, use.key, now) : null;
    if (heard !== null) return rejected(portProblem(heard, now));
    const retryAt = await countInWindow(ports, drop, use, now);
    if (retryAt === null) continue;
    const refusal = { code: "too_many_requests", retryAt } as const;
    if (isForAll) refused.note(drop.plan.drop, use.key, refusal);
    return rejected(portProblem(refusal, now));
  }
  return accepted(null);
}

/** A mail that is lost is asked for again by whoever waits for it; the log says why there was none, and never to whom. */
async function sendMail(ports: ApiPorts, send: (mail: Mail) => Promise<void>, mail: Mail): Promise<void> {
  for (const pauseMs of [...SEND_AGAIN_AFTER_MS, null]) {
    try {
      return await send(mail);
    } catch (error) {
      const isFinal = pauseMs === null || !(error instanceof Fault) || !error.retryable;
      ports.log({ code: "mail_not_sent", final: isFinal, error: error instanceof Fault ? error.message : "not a fault" });
      if (isFinal) return;
      await ports.wait(pauseMs);
    }
  }
}

/** The person behind an address in its normal form, once the code that was typed proves it for the ticket. */
export async function proveByCode(ports: ApiPorts, drop: AnnouncedDrop, { ticket, email, code: typed }: { readonly ticket: string; readonly email: string; readonly code: string }, now: number): Promise<Result<string, Problem>> {
  // Asked here as well as in the shard: an address must not be given to a ticket that then cannot be had.
  const early = tooEarly(drop, now);
  if (early !== null) return rejected(early);
  const code = typedCode(typed);
  if (code === null) return rejected({ code: "identity_invalid" });
  const person = ports.credentials.personOf(email);
  const proven = await provePlace(ports, drop, { person, ticket, code, isMember: false });
  return proven.ok ? accepted(person) : rejected(portProblem(proven.rejection, ports.now()));
}

/** Somebody who shows a code for a ticket, as its owner or to stand in its group. */
export interface ShownCode {
  readonly person: string;
  readonly ticket: string;
  /** In its normal form; null for whom staff vouch instead. */
  readonly code: string | null;
  readonly isMember: boolean;
  /** Only asks, and gives the address to nobody. */
  readonly isTrial?: boolean;
}

/**
 * Asks the person's shard. Where the person has a ticket that turns out to be
 * the ticket of others, the shard is told so, and they are free: no address may
 * be kept by a ticket that it cannot be used with. The same holds for a group of
 * which the ticket knows nothing, perhaps because it was never joined with, once
 * the join that put them there cannot be on its way any more.
 */
export async function provePlace(ports: ApiPorts, drop: AnnouncedDrop, { person, ticket, code, isMember, isTrial }: ShownCode): Promise<Result<null, AddressRejection>> {
  const { plan } = drop;
  const macOf = (use: "own" | "group") => (code === null ? "" : ports.credentials.codeMac(plan.drop, person, code, use));
  const proof = {
    person, ticket, mac: macOf("own"), until: addressKeptUntil(drop),
    ...(code === null ? { isVouched: true } : {}), ...(isMember ? { memberMac: macOf("group") } : {}), ...(isTrial === true ? { isTrial } : {}),
  };
  const shard = shardOf(ports, drop, person);
  const proven = await shard.proveAddress(proof);
  if (proven.ok || proven.rejection.code !== "identity_in_use") return proven;
  const { ticket: abandoned, isMember: isGrouped = false } = proven.rejection;
  const persons = await shardOf(ports, drop, abandoned).personsOf(abandoned);
  // Whoever is to own a ticket that nobody has joined with can still do so.
  const isTheirs = isGrouped ? persons?.members.includes(person) === true : persons === null || persons.owner === person;
  return isTheirs ? proven : shard.proveAddress({ ...proof, abandoned });
}

/** Until when an address belongs to the ticket that it was proven for. */
function addressKeptUntil({ plan }: AnnouncedDrop): number {
  return plan.closesAt + PROOF_OUTLIVES_CLOSE_MS;
}
