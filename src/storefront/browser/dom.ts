/*
 * The few things that the modules do to a page. Markup comes from the server;
 * script only shows, hides and fills in text, so that no string ever becomes
 * markup.
 */

/** The part of a page that is looked into. */
export interface Scope {
  querySelector<Kind extends Element>(selector: string): Kind | null;
  querySelectorAll<Kind extends Element>(selector: string): NodeListOf<Kind>;
}

export function find<Kind extends Element = HTMLElement>(selector: string, within: Scope = document): Kind | null {
  return within.querySelector<Kind>(selector);
}

/** Puts `text` into every element marked `data-fill="name"`; leaves an equal text alone, so that nothing is read out twice. */
export function fill(name: string, text: string, within: Scope = document): void {
  for (const element of within.querySelectorAll(`[data-fill="${name}"]`)) if (element.textContent !== text) element.textContent = text;
}

export function show(selector: string, isShown: boolean, within: Scope = document): void {
  for (const element of within.querySelectorAll<HTMLElement>(selector)) element.hidden = !isShown;
}

export function make<Tag extends keyof HTMLElementTagNameMap>(tag: Tag, attributes: Readonly<Record<string, string>>, ...children: readonly (Node | string)[]): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  for (const child of children) element.appendChild(typeof child === "string" ? document.createTextNode(child) : child);
  return element;
}

/** What the server put into the page for its module; null on a page that has none. */
export function pageData(): unknown {
  const element = document.getElementById("page-data");
  return element === null ? null : JSON.parse(element.textContent ?? "null");
}

/** Instants in the viewer's own zone; without script they stay as the server wrote them. */
export function localiseTimes(locale: string, within: Scope = document): void {
  const parts = { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", timeZoneName: "short" } as const;
  const format = new Intl.DateTimeFormat(locale, parts);
  const toTheSecond = new Intl.DateTimeFormat(locale, { ...parts, second: "2-digit" });
  for (const element of within.querySelectorAll("time[datetime]")) {
    const at = Date.parse(element.getAttribute("datetime") ?? "");
    if (!Number.isNaN(at)) element.textContent = (element.hasAttribute("data-seconds") ? toTheSecond : format).format(at);
  }
}
