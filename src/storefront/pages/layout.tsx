import { html, raw } from "hono/html";
import type { Child } from "hono/jsx";
import type { StoreConfig } from "../../config/store-config.ts";
import { assetPath } from "./assets.ts";
import { themeColour } from "./brand.ts";
import { embeddedJson } from "./structured-data.ts";

export interface PageHead {
  readonly title: string;
  readonly description: string;
  /** The language and country of the page, such as `en-DE`. */
  readonly lang: string;
  /** The page's own address without query; null for pages that nobody should find. */
  readonly canonical: string | null;
  readonly image?: string | null;
  /** The module of this page, by its name in the build; null where nothing moves. */
  readonly module: "drop.js" | "order.js" | "record.js" | "home.js" | null;
  /** A script of another house that the page cannot do without. */
  readonly script?: string | null;
  readonly graph?: unknown;
  readonly data?: unknown;
}

function Head({ store, head }: { readonly store: StoreConfig; readonly head: PageHead }) {
  return (
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <title>{head.title}</title>
      <meta name="description" content={head.description} />
      <meta name="theme-color" content={themeColour(store.brand)} />
      <meta name="color-scheme" content="light" />
      <link rel="icon" href="/mark.svg" type="image/svg+xml" />
      <link rel="stylesheet" href={assetPath("store.css")} />
      <link rel="stylesheet" href="/brand.css" />
      {head.canonical === null ? <meta name="robots" content="noindex" /> : <link rel="canonical" href={head.canonical} />}
      <meta property="og:site_name" content={store.name} />
      <meta property="og:title" content={head.title} />
      <meta property="og:description" content={head.description} />
      <meta property="og:type" content="website" />
      {head.canonical === null ? null : <meta property="og:url" content={head.canonical} />}
      {head.image == null ? null : <meta property="og:image" content={head.image} />}
      {head.graph === undefined ? null : <script type="application/ld+json">{raw(embeddedJson(head.graph))}</script>}
      {head.data === undefined ? null : <script type="application/json" id="page-data">{raw(embeddedJson(head.data))}</script>}
      {head.script == null ? null : <script src={head.script} async></script>}
      {head.module === null ? null : <script type="module" src={assetPath(head.module)}></script>}
    </head>
  );
}

/** A whole document: the frame that every page shares, and what is its own. */
export function Page({ store, head, where, children }: { readonly store: StoreConfig; readonly head: PageHead; readonly where?: string; readonly children: Child }) {
  const page = (
    <html lang={head.lang}>
      <Head store={store} head={head} />
      <body>
        <a class="skip" href="#main">Skip to the page</a>
        <header class="top">
          <a class="home" href="/"><span class="mark" aria-hidden="true">{store.brand.mark}</span>{store.name}</a>
          {where === undefined ? null : <span class="where">{where}</span>}
        </header>
        <main id="main" tabindex={-1}>{children}</main>
        <footer class="foot">
          <p>Something wrong or unclear? Write to <a href={`mailto:${store.support}`}>{store.support}</a>.</p>
          <p>Drawn, not raced: being fast gains nothing here, and anyone can check it.</p>
        </footer>
      </body>
    </html>
  );
  return html`<!doctype html>${page}`;
}

/** The store's mark as a picture for the browser's tab. */
export function markPicture(store: StoreConfig): string {
  const escape = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
  const { mark, ink, paper } = store.brand;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" fill="${escape(ink)}"/><text x="16" y="23" font-family="Georgia,serif" font-weight="700" font-size="20" text-anchor="middle" fill="${escape(paper)}">${escape(mark)}</text></svg>`;
}
