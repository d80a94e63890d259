import type { StoreConfig } from "../../config/store-config.ts";
import { pageLanguage } from "../browser/language.ts";
import { Page } from "./layout.tsx";

export interface PlainWords {
  readonly title: string;
  readonly sentence: string;
  readonly next: { readonly href: string; readonly label: string };
}

export const NOT_FOUND: PlainWords = {
  title: "There is nothing here",
  sentence: "The address may be mistyped, or the drop is not announced yet. Whatever is on is on the front page.",
  next: { href: "/", label: "See what is on" },
};

export const MISTAKE: PlainWords = {
  title: "A mistake on our side",
  sentence: "Something went wrong on our side. Nothing was lost: your place, your hold and your order are kept. Try again in a moment.",
  next: { href: "/", label: "To the front page" },
};

export const CODE_INVALID: PlainWords = {
  title: "This code is not valid now",
  sentence: "It may have run out, belong to another store, or not have been read completely. Scan it again, or go on without it: everybody can join, and the price is the same for all who have no voucher.",
  next: { href: "/", label: "See what is on" },
};

/** A page that says one thing and where to go next. */
export function PlainPage({ store, words }: { readonly store: StoreConfig; readonly words: PlainWords }) {
  const head = { title: `${words.title} · ${store.name}`, description: words.sentence, lang: pageLanguage(store.regions[0]?.locale ?? "en"), canonical: null, module: null } as const;
  return (
    <Page store={store} head={head}>
      <article class="plain">
        <h1>{words.title}</h1>
        <p class="story">{words.sentence}</p>
        <p class="actions"><a class="main" href={words.next.href}>{words.next.label}</a></p>
      </article>
    </Page>
  );
}
