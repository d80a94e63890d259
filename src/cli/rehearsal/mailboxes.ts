import * as v from "valibot";
import type { HttpClient } from "./http-client.ts";
import { read, wait } from "./visitor.ts";

const MAILS = v.looseObject({ messages: v.array(v.looseObject({ text: v.string() })) });

const MAIL_POLL_MS = 150;
const MAIL_POLLS_MAX = 40;

/** The crowd's mail, which arrives at the sandbox. */
export class Mailboxes {
  readonly #http: HttpClient;
  readonly #sandbox: string;
  readonly #turns = new Map<string, Promise<unknown>>();
  /** How many mails each address has been seen to have. */
  readonly #seen = new Map<string, number>();

  constructor(http: HttpClient, sandbox: string) {
    this.#http = http;
    this.#sandbox = sandbox;
  }

  /** One after the other for each address: a newer code would be taken for an older one's. */
  inTurn<Value>(email: string, work: () => Promise<Value>): Promise<Value> {
    const turn = (this.#turns.get(email) ?? Promise.resolve()).then(work);
    this.#turns.set(email, turn.catch(() => undefined));
    return turn;
  }

  /** The code of the next mail to an address; null when none comes. Asked for in the address's turn. */
  async newCode(email: string): Promise<string | null> {
    const before = this.#seen.get(email) ?? 0;
    for (let poll = 0; poll < MAIL_POLLS_MAX; poll++) {
      await wait(MAIL_POLL_MS);
      const mails = await this.#mailsTo(email);
      const code = mails.length > before ? /^\d{8}$/m.exec(mails[0]?.text ?? "")?.[0] : undefined;
      if (code === undefined) continue;
      this.#seen.set(email, mails.length);
      return code;
    }
    return null;
  }

  async #mailsTo(email: string): Promise<readonly { readonly text: string }[]> {
    const reply = await this.#http.ask({ route: "GET mail", method: "GET", url: `${this.#sandbox}/sandbox/mail?to=${encodeURIComponent(email)}` }).catch(() => null);
    return reply === null || reply.status !== 200 ? [] : read(reply, MAILS).messages;
  }
}
