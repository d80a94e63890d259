import type { Refusal } from "./api.ts";
import type { ServerClock } from "./clock.ts";
import { fill, find, show } from "./dom.ts";
import type { Errands, Outcome } from "./errands.ts";
import type { Friends, FriendsFacts, FriendsHost } from "./friends-port.ts";
import type { PageData } from "./page-data.ts";
import type { Memory } from "./storage.ts";

/*
 * The small step before the join of a drop that gives places to e-mail
 * addresses: the address, and the code that came to it.
 */

/** Mails need a moment; asking again at once would only make two of them. */
const RESEND_AFTER_MS = 30_000;

/** Whether a token of an invitation names an address; its middle part is public. */
export function isBound(invite: string | null): boolean {
  try {
    const claims: unknown = JSON.parse(atob((invite?.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/")));
    return typeof claims === "object" && claims !== null && "to" in claims && claims.to !== null;
  } catch {
    return false;
  }
}

/** Whether scanned evidence waits for a place that it can still change. */
export function isEvidenceDue({ evidence, ticket }: Pick<Memory, "evidence" | "ticket">, page: Pick<PageData, "opensAt">, now: number): boolean {
  return evidence !== null && ticket !== null && now < page.opensAt;
}

/** Whether the next join needs an address that is not there yet. */
export function isAddressAsked(memory: Memory, page: Pick<PageData, "asksCode" | "lobbyOpensAt" | "opensAt">, now: number): boolean {
  const { ticket, ticketId, identity, evidence, address } = memory;
  const isJoining = ticket === null ? ticketId !== null : isEvidenceDue(memory, page, now);
  return isJoining && identity === null && now >= page.lobbyOpensAt && ((page.asksCode && ticket === null) || (isBound(evidence?.invite ?? null) && address === null));
}

/** Which of the friends a refused join is about, by their number from 0; null where it is about none of them. */
export function friendAt(refusal: Pick<Refusal, "pointer"> | null): number | null {
  const [, index] = /^\/identity\/group\/(\d)\//.exec(refusal?.pointer ?? "") ?? [];
  return index === undefined ? null : Number(index);
}

export interface Identity {
  /** Called whenever the page is drawn. */
  show(memory: Memory, now: number): void;
}

type Run = (errand: () => Promise<Outcome>) => Promise<boolean>;

/** Loads what people need who stand in line together; `onReady` draws it for the first time. */
async function openFriends(facts: FriendsFacts, errands: Errands, run: Run): Promise<Friends> {
  const { createFriends }: { createFriends(facts: FriendsFacts, host: FriendsHost): Friends } = await import(facts.module);
  return createFriends(facts, {
    add: (email) => run(() => errands.askFriend(email)),
    remove: (email) => errands.update({ friends: errands.memory().friends.filter((friend) => friend !== email) }),
  });
}

/** Wires the two forms; `run` runs an errand and says why it was refused, `onTogether` is called when several people have joined. */
export function createIdentity(page: PageData, errands: Errands, clock: ServerClock, run: Run, onTogether: () => void): Identity | null {
  const addressForm = find<HTMLFormElement>('[data-form="address"]');
  const codeForm = find<HTMLFormElement>('[data-form="code"]');
  if (addressForm === null || codeForm === null) return null;
  let friends: Friends | null = null;
  if (page.friends !== null) {
    void openFriends(page.friends, errands, run).then((opened) => {
      friends = opened;
      opened.show(errands.memory().friends);
    });
  }
  const field = (form: HTMLFormElement) => find<HTMLInputElement>('input[name="email"], input[name="code"]', form);
  const send = async (email: string) => {
    const isDone = await run(() => (page.asksCode ? errands.sendCode(email) : errands.nameAddress(email)));
    // The field that had the focus is hidden by now, and the page was drawn with the other one.
    if (isDone && page.asksCode) field(codeForm)?.focus();
  };
  addressForm.addEventListener("submit", (event) => {
    event.preventDefault();
    void send(field(addressForm)?.value.trim() ?? "");
  });
  codeForm.addEventListener("submit", (event) => {
    event.preventDefault();
    const input = field(codeForm);
    let refused: Refusal | null = null;
    const prove = async () => {
      const outcome = await errands.prove(input?.value.trim() ?? "", friends?.codes() ?? []);
      refused = outcome.done ? null : outcome.refusal;
      return outcome;
    };
    void run(prove).then((isProven) => {
      const friend = friendAt(refused);
      friends?.complain(friend);
      if (isProven && (errands.memory().ticket?.people ?? 1) > 1) onTogether();
      if (input === null) return;
      input.setAttribute("aria-invalid", String(!isProven && friend === null));
      if (isProven) input.value = "";
      else if (friend === null) input.select();
    });
  });
  find('[data-do="resend"]')?.addEventListener("click", () => {
    const { asked } = errands.memory();
    if (asked !== null && clock.now() >= asked.at + RESEND_AFTER_MS) void send(asked.email);
  });
  find('[data-do="other-address"]')?.addEventListener("click", () => {
    errands.update({ asked: null });
    field(addressForm)?.focus();
  });

  return {
    show({ asked, friends: emails }, now) {
      const isCodeShown = page.asksCode && asked !== null;
      addressForm.hidden = isCodeShown;
      codeForm.hidden = !isCodeShown;
      show("[data-together]", isCodeShown && friends !== null);
      friends?.show(emails);
      if (asked === null) return;
      fill("asked", asked.email);
      const waitMs = asked.at + RESEND_AFTER_MS - now;
      fill("resend", waitMs > 0 ? `Send another code in ${Math.ceil(waitMs / 1_000)} s` : "Send another code");
      // aria-disabled instead of disabled: a button that vanishes under the finger takes the focus with it.
      find('[data-do="resend"]')?.setAttribute("aria-disabled", String(waitMs > 0));
    },
  };
}

/** The order goes to the address that the place was given to; another one would be refused. */
export function fillOrderAddress(address: string | null): void {
  const field = find<HTMLInputElement>('[data-form="checkout"] input[name="email"]');
  if (field === null || address === null || field.readOnly) return;
  field.value = address;
  field.readOnly = true;
}
