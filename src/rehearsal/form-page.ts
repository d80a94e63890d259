/*
 * What a browser without script does with a page: reads its forms, keeps its
 * cookies, and looks again when it is told to. Written from what such browsers
 * do, and not from how the store makes its pages.
 */

export interface PageForm {
  /** Where it is sent: a path of the store. */
  readonly action: string;
  /** Every field with what it says before anybody has touched it. */
  readonly fields: Readonly<Record<string, string>>;
}

/** The forms of a page that are posted. */
export function formsOf(html: string): PageForm[] {
  return [...html.matchAll(/<form method="post" action="([^"]*)">(.*?)<\/form>/gs)].map(([, action = "", inside = ""]) => ({ action: unescaped(action), fields: fieldsOf(inside) }));
}

function fieldsOf(inside: string): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const [tag] of inside.matchAll(/<input[^>]*>/g)) {
    const name = attribute(tag, "name");
    const isChosen = attribute(tag, "type") !== "radio" || /\schecked/.test(tag);
    if (name !== null && isChosen) fields[name] = attribute(tag, "value") ?? "";
  }
  for (const [, tag = "", inner = ""] of inside.matchAll(/<select([^>]*)>(.*?)<\/select>/gs)) {
    const options = [...inner.matchAll(/<option[^>]*>/g)].map(([option]) => option);
    const name = attribute(tag, "name");
    if (name !== null) fields[name] = attribute(options.find((option) => /\sselected/.test(option)) ?? options[0] ?? "", "value") ?? "";
  }
  return fields;
}

/** What the page is called at its head; an empty text where it has no heading. */
export function headingOf(html: string): string {
  return wordsOf(/<h1[^>]*>(.*?)<\/h1>/s.exec(html)?.[1] ?? "");
}

/** In which words a page refuses something; null where it refuses nothing. */
export function refusalOf(html: string): string | null {
  const title = /<h2 id="refused-title">(.*?)<\/h2>/s.exec(html)?.[1];
  return title === undefined ? null : wordsOf(title);
}

/** Where a `Refresh` header leads, and after how many seconds; null without one. */
export function refreshOf(header: string | undefined): { readonly seconds: number; readonly url: string } | null {
  const [, seconds, url = ""] = /^(\d+)(?:;\s*url=(.*))?$/.exec(header ?? "") ?? [];
  return seconds === undefined ? null : { seconds: Number(seconds), url };
}

/** The cookies of one browser for one store. */
export class CookieJar {
  readonly #values = new Map<string, string>();

  /** Takes what came as `Set-Cookie`. */
  take(cookies: readonly string[]): void {
    for (const cookie of cookies) {
      const [pair = ""] = cookie.split(";");
      const at = pair.indexOf("=");
      const name = pair.slice(0, at).trim();
      if (/;\s*max-age=0\b/i.test(cookie)) this.#values.delete(name);
      else this.#values.set(name, pair.slice(at + 1).trim());
    }
  }

  get(name: string): string | null {
    return this.#values.get(name) ?? null;
  }

  /** As it is sent; empty without a cookie. */
  get header(): string {
    return [...this.#values].map(([name, value]) => `${name}=${value}`).join("; ");
  }
}

function attribute(tag: string, name: string): string | null {
  const value = new RegExp(`\\s${name}="([^"]*)"`).exec(tag)?.[1];
  return value === undefined ? null : unescaped(value);
}

function wordsOf(html: string): string {
  return unescaped(html.replaceAll(/<[^>]+>/g, "")).trim();
}

function unescaped(text: string): string {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"').replaceAll("&#39;", "'").replaceAll("&amp;", "&");
}
