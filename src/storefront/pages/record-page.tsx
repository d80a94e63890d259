import type { StoreConfig } from "../../config/store-config.ts";
import type { MovementRow, RecordPage as RecordRows } from "../../drop/port.ts";
import type { LobbyLive } from "../../lobby/port.ts";
import { pageLanguage } from "../browser/language.ts";
import type { RecordPageData } from "../browser/record.ts";
import { assetPath } from "./assets.ts";
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

/** A list of the report that the page's module fills in. */
function ReportPart({ name, title }: { readonly name: string; readonly title: string }) {
  return <div data-part={name} hidden><h4>{title}</h4><ul class="points"></ul></div>;
}

/** How to check the record: here, where there is script, and in a terminal. */
function CheckBlock({ address }: { readonly address: string }) {
  return (
    <section class="block" id="check" aria-labelledby="check-title">
      <h2 id="check-title">Check it</h2>
      <p>Everything about this drop can be recomputed from what is public: that no row was changed or left out, that the draw follows from what was promised before it, that everybody stood where the draw put them, and that never more was held or sold than was released.</p>
      <div class="panel check" data-panel="check" hidden>
        <div class="actions"><button type="button" class="main" data-do="check">Check it here</button></div>
        <p class="fine">Your browser reads the whole record and does the sums itself; nothing of the store's is believed. A long record takes some seconds.</p>
        <div data-progress hidden><progress aria-label="Progress of the check"></progress><p class="fine" aria-hidden="true" data-fill="check-count"></p></div>
        <p role="status" data-fill="check-state"></p>
        <div class="report" data-panel="report" hidden>
          <h3 tabindex={-1} data-fill="verdict"></h3>
          <p data-fill="verdict-sentence"></p>
          <p data-fill="ticket"></p>
          <ReportPart name="wrong" title="What is wrong" />
          <ReportPart name="checked" title="What was recomputed" />
          <ReportPart name="unchecked" title="What was not checked" />
          <ReportPart name="untold" title="What nobody can tell from what is public" />
        </div>
      </div>
      <p>In a terminal, with the source of this store's software: <code>npm run verify -- {address}</code></p>
      <p class="fine" data-fill="witness"></p>
    </section>
  );
}

/** The latest rows of the public record, where to get all of it, and how to check it. */
export function RecordPage({ store, live, page, origin }: { readonly store: StoreConfig; readonly live: LobbyLive; readonly page: RecordRows; readonly origin: string }) {
  const { plan } = live;
  const rows = page.rows.slice(-SHOWN_MAX).toReversed();
  const starts = Array.from({ length: Math.ceil(page.head.seq / 1_000) }, (_, index) => index * 1_000 + 1);
  const data: RecordPageData = { drop: plan.drop, planHash: live.planHash, head: page.head, isDrawn: live.live.seed !== null, worker: assetPath("record-worker.js") };
  const head = { title: `The record of ${plan.title} · ${store.name}`, description: `Every movement of ${plan.title}'s stock, hash-chained and signed.`, lang: pageLanguage(store.regions[0]?.locale ?? "en"), canonical: `${origin}/drops/${plan.drop}/record`, module: "record.js", data } as const;
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
        <CheckBlock address={`${origin}/drops/${plan.drop}/record`} />
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
