import type { StoreConfig } from "../../config/store-config.ts";
import type { MovementRow, RecordPage as RecordRows } from "../../drop/port.ts";
import type { LobbyLive } from "../../lobby/port.ts";
import { pageLanguage } from "../browser/language.ts";
import { Page } from "./layout.tsx";

const SHOWN_MAX = 60;

/** Members that every row has, or that have a column of their own. */
const COLUMNS: readonly string[] = ["seq", "kind", "at", "prevHash", "hash", "sku", "quantity", "stage"];

const text = (row: MovementRow, name: string) => (row[name] === undefined || row[name] === null ? "" : String(row[name]));

/** What else a row says, shortened where it is a hash: the whole row is in the file. */
export function rowFacts(row: MovementRow): string {
  const facts = Object.entries(row).filter(([name]) => !COLUMNS.includes(name));
  return facts
    .map(([name, value]) => {
      const words = typeof value === "string" ? value : JSON.stringify(value);
      return `${name} ${words.length > 24 ? `${words.slice(0, 12)}…` : words}`;
    })
    .join(" · ");
}

/** The latest rows of the public record, and where to get all of it. */
export function RecordPage({ store, live, page, origin, now }: { readonly store: StoreConfig; readonly live: LobbyLive; readonly page: RecordRows; readonly origin: string; readonly now: number }) {
  const { plan } = live;
  const rows = page.rows.slice(-SHOWN_MAX).toReversed();
  const starts = Array.from({ length: Math.ceil(page.head.seq / 1_000) }, (_, index) => index * 1_000 + 1);
  const head = { title: `The record of ${plan.title} · ${store.name}`, description: `Every movement of ${plan.title}'s stock, hash-chained and signed.`, lang: pageLanguage(store.regions[0]?.locale ?? "en"), canonical: `${origin}/drops/${plan.drop}/record`, module: "home.js", data: { now } } as const;
  return (
    <Page store={store} head={head}>
      <article class="paper wide">
        <p class="kicker"><a href={`/${plan.drop}`}>{plan.title}</a></p>
        <h1>The record</h1>
        <p class="story">Every unit that was held, sold or came back, in order. Each row carries the hash of the one before it, and the head is signed: a row cannot be changed or left out without everyone seeing it.</p>
        <dl class="facts hashes">
          <div><dt>Rows</dt><dd>{page.head.seq}</dd></div>
          <div><dt>Head</dt><dd><code class="hash">{page.head.hash}</code></dd></div>
          <div><dt>Signature of the head</dt><dd><code class="hash">{page.signature}</code></dd></div>
        </dl>
        <p>As newline-delimited JSON: {starts.map((from, index) => <><a href={`/api/drops/${plan.drop}/record?from=${from}`}>rows from {from}</a>{index + 1 < starts.length ? " · " : ""}</>)}. The keys are at <a href="/.well-known/jwks.json">/.well-known/jwks.json</a>.</p>
        <div class="scroll" tabindex={0} role="region" aria-label="The latest rows">
          <table class="record">
            <thead><tr><th scope="col" class="number">Row</th><th scope="col">When</th><th scope="col">What</th><th scope="col">Item</th><th scope="col" class="number">Units</th><th scope="col" class="number">Stage</th><th scope="col">More</th><th scope="col">Hash</th></tr></thead>
            <tbody>{rows.map((row) => (
              <tr><td class="number">{row.seq}</td><td><code>{row.at}</code></td><td><strong>{row.kind}</strong></td><td><code>{text(row, "sku")}</code></td><td class="number">{text(row, "quantity")}</td><td class="number">{text(row, "stage")}</td><td class="more">{rowFacts(row)}</td><td><code>{row.hash.slice(0, 12)}…</code></td></tr>
            ))}</tbody>
          </table>
        </div>
        {page.rows.length > SHOWN_MAX || starts.length > 1 ? <p class="fine">The latest {rows.length} rows are shown; the files above hold all of them.</p> : null}
      </article>
    </Page>
  );
}
