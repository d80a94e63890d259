import { CookieJar, formsOf, headingOf, type PageForm, refreshOf, refusalOf } from "../../rehearsal/form-page.ts";
import type { Lane } from "./http-client.ts";
import { retryAfterMs, type Visitor, wait } from "./visitor.ts";

/** A page as somebody without script sees it. */
export interface FormPage {
  readonly status: number;
  /** The path and query that were shown in the end, after every redirect. */
  readonly path: string;
  readonly html: string;
  readonly heading: string;
  /** In which words something was refused; null where nothing was. */
  readonly refusal: string | null;
  readonly refresh: ReturnType<typeof refreshOf>;
  /** How long a refusal asks to be left alone; 0 where it does not. */
  readonly retryAfterMs: number;
}

export interface Sending {
  /** At once, faster than anybody reads. */
  readonly isHasty?: boolean;
  /** In place of the store's own. */
  readonly origin?: string;
  readonly lane?: Lane;
}

/** Nobody reads and fills in a form in less; the store refuses what comes within 300 ms. */
const READING_MS = 330;
const REDIRECTS_MAX = 4;
const NOTHING_SHOWN: FormPage = { status: 0, path: "", html: "", heading: "", refusal: null, refresh: null, retryAfterMs: 0 };

/**
 * A browser without script: it keeps cookies, fills in the forms of the page
 * that is shown, says from which store a form comes, and follows redirects. When
 * an answer is lost it sends the same form again, as a person does who presses
 * reload.
 */
export class FormBrowser {
  readonly visitor: Visitor;
  readonly #jar = new CookieJar();
  #page = NOTHING_SHOWN;
  #shownAt = 0;

  constructor(visitor: Visitor) {
    this.visitor = visitor;
  }

  get page(): FormPage {
    return this.#page;
  }

  cookie(name: string): string | null {
    return this.#jar.get(name);
  }

  /** The form of the shown page that goes to a path ending with `to`; null where it has none. */
  form(to: string): PageForm | null {
    return formsOf(this.#page.html).find(({ action }) => action.endsWith(to)) ?? null;
  }

  open(path: string, lane: Lane = "crowd"): Promise<FormPage> {
    return this.#show("GET", path, null, { lane });
  }

  /** Fills in the form that goes to `to` and sends it. Throws where the page has no such form. */
  async send(to: string, entered: Readonly<Record<string, string>> = {}, sending: Sending = {}): Promise<FormPage> {
    const form = this.form(to);
    if (form === null) throw new Error(`the page "${this.#page.heading}" (${this.#page.status} ${this.#page.path}) has no form that goes to ${to}`);
    if (sending.isHasty !== true) await wait(this.#shownAt + READING_MS - Date.now());
    return this.#show("POST", form.action, new URLSearchParams({ ...form.fields, ...entered }).toString(), sending);
  }

  async #show(method: string, path: string, body: string | null, { origin = this.visitor.surroundings.store, lane = "crowd" }: Sending): Promise<FormPage> {
    let [how, where, what] = [method, path, body];
    for (let redirect = 0; redirect <= REDIRECTS_MAX; redirect++) {
      const cookie = this.#jar.header;
      const reply = await this.visitor.ask({
        route: `forms: ${how} ${stepOf(where)}`, method: how, path: where, lane,
        headers: { accept: "text/html", ...(cookie === "" ? {} : { cookie }), ...(what === null ? {} : { origin, "content-type": "application/x-www-form-urlencoded" }) },
        ...(what === null ? {} : { body: what }),
      });
      this.#jar.take(reply.headers["set-cookie"] ?? []);
      const { location } = reply.headers;
      if (reply.status === 303 && location?.startsWith("/") === true) {
        [how, where, what] = ["GET", location, null];
        continue;
      }
      this.#shownAt = Date.now();
      const header = reply.headers["refresh"];
      this.#page = {
        status: reply.status, path: where, html: reply.text, heading: headingOf(reply.text), refusal: refusalOf(reply.text),
        refresh: refreshOf(typeof header === "string" ? header : undefined), retryAfterMs: retryAfterMs(reply, 0),
      };
      return this.#page;
    }
    throw new Error(`${method} ${path} led on and on`);
  }
}

/** The step of the way that a path is, whatever region, drop or order it is about. */
function stepOf(path: string): string {
  const [bare = ""] = path.split("?");
  return bare.replace(/^\/[^/]+\/[^/]+\/line/, "line").replace(/ord_[0-9A-Z]{26}/, "{order}");
}
