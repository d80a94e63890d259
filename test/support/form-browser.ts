/*
 * A browser without script, as far as forms go: it keeps cookies, reads the
 * forms of the page that it was shown, fills them in and follows one redirect.
 * It shares no code with the product.
 */

export type FormSender = (url: string, init: RequestInit) => Promise<Response>;

export interface ShownPage {
  readonly status: number;
  readonly headers: Headers;
  readonly html: string;
  /** The path and query that were shown in the end. */
  readonly path: string;
}

export interface SendOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** In place of the form's own encoding. */
  readonly body?: string;
  /** Whether it takes the time that a person does. */
  readonly isHasty?: boolean;
}

const READING_MS = 330;

export class FormBrowser {
  readonly jar = new Map<string, string>();
  /** Every `Set-Cookie` that ever came, as it came. */
  readonly cookiesSet: string[] = [];
  /** Every address that was shown or named as the next one. */
  readonly addresses: string[] = [];
  readonly #origin: string;
  readonly #sender: FormSender;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #wait: (ms: number) => Promise<void>;
  page: ShownPage = { status: 0, headers: new Headers(), html: "", path: "" };

  constructor(origin: string, { sender = fetch, headers = {}, wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)) }: { readonly sender?: FormSender; readonly headers?: Readonly<Record<string, string>>; readonly wait?: (ms: number) => Promise<void> } = {}) {
    this.#origin = origin;
    this.#sender = sender;
    this.#headers = headers;
    this.#wait = wait;
  }

  /** The words of the page that is shown. */
  get text(): string {
    return this.page.html.replace(/^.*<main/s, "<main").replaceAll(/<[^>]+>/g, " ").replaceAll("&#39;", "'").replaceAll("&amp;", "&").replaceAll(/\s+/g, " ");
  }

  get heading(): string {
    return (/<h1[^>]*>(.*?)<\/h1>/s.exec(this.page.html)?.[1] ?? "").replaceAll(/<[^>]+>/g, "");
  }

  async open(path: string): Promise<ShownPage> {
    return this.#shown(await this.#ask("GET", path, null, {}), path);
  }

  /** What the form that goes to a path ending with `to` says before anything is filled in. */
  fields(to: string): { readonly action: string; readonly fields: Record<string, string> } {
    const form = [...this.page.html.matchAll(/<form method="post" action="([^"]*)">(.*?)<\/form>/gs)].find(([, action]) => action?.endsWith(to));
    if (form === undefined) throw new Error(`the page "${this.heading}" has no form that goes to ${to}: ${this.text}`);
    const [, action = "", inside = ""] = form;
    const fields: Record<string, string> = {};
    for (const [tag] of inside.matchAll(/<input[^>]*>/g)) {
      const named = attribute(tag, "name");
      if (named === null || (attribute(tag, "type") === "radio" && !/\schecked/.test(tag))) continue;
      fields[named] = attribute(tag, "value") ?? "";
    }
    for (const [, tag = "", options = ""] of inside.matchAll(/<select([^>]*)>(.*?)<\/select>/gs)) {
      const all = [...options.matchAll(/<option[^>]*>/g)].map(([option]) => option);
      fields[attribute(tag, "name") ?? ""] = attribute(all.find((option) => /\sselected/.test(option)) ?? all[0] ?? "", "value") ?? "";
    }
    return { action, fields };
  }

  /** Fills in the form that goes to `to`, sends it and shows what comes of it. */
  async send(to: string, entered: Readonly<Record<string, string>> = {}, options: SendOptions = {}): Promise<ShownPage> {
    const { action, fields } = this.fields(to);
    if (options.isHasty !== true) await this.#wait(READING_MS);
    return this.post(action, { ...fields, ...entered }, options);
  }

  /** Posts to a path, whatever page is shown. */
  async post(path: string, fields: Readonly<Record<string, string>>, { headers = { origin: this.#origin }, body }: SendOptions = {}): Promise<ShownPage> {
    const response = await this.#ask("POST", path, body ?? new URLSearchParams(fields).toString(), { "content-type": "application/x-www-form-urlencoded", ...headers });
    return this.#shown(response, path);
  }

  async #ask(method: string, path: string, body: string | null, headers: Readonly<Record<string, string>>): Promise<Response> {
    const cookie = [...this.jar].map(([name, value]) => `${name}=${value}`).join("; ");
    const all = { accept: "text/html", ...this.#headers, ...(cookie === "" ? {} : { cookie }), ...headers };
    const response = await this.#sender(this.#origin + path, { method, redirect: "manual", headers: all, ...(body === null ? {} : { body }) });
    this.addresses.push(path);
    for (const text of response.headers.getSetCookie()) this.#keep(text);
    return response;
  }

  #keep(text: string): void {
    this.cookiesSet.push(text);
    const [pair = ""] = text.split(";");
    const name = pair.slice(0, pair.indexOf("="));
    if (/max-age=0\b/i.test(text)) this.jar.delete(name);
    else this.jar.set(name, pair.slice(pair.indexOf("=") + 1));
  }

  async #shown(response: Response, path: string): Promise<ShownPage> {
    const location = response.headers.get("location");
    if (response.status === 303 && location?.startsWith("/")) {
      await response.body?.cancel();
      return this.open(location);
    }
    this.page = { status: response.status, headers: response.headers, html: await response.text(), path };
    return this.page;
  }
}

function attribute(tag: string, name: string): string | null {
  return new RegExp(`\\s${name}="([^"]*)"`).exec(tag)?.[1]?.replaceAll("&amp;", "&").replaceAll("&#39;", "'").replaceAll("&quot;", '"') ?? null;
}
