export interface TestDrop {
  readonly slug: string;
  readonly items: readonly { sku: string; priceMinor: number; quantity: number }[];
  readonly opensAfter?: string;
  readonly stages?: string;
  readonly closesAfter?: string;
  readonly limitPerPerson?: number;
  /** Up to how many people may stand in line with one ticket. */
  readonly group?: number;
  readonly admit?: "all" | "paced";
  readonly shards?: number;
  readonly capture?: "at-once" | "on-fulfilment";
  readonly hold?: string;
  readonly claimWindow?: string;
  readonly campaigns?: string;
  readonly splits?: string;
  /** As the config has them, in TOML. */
  readonly gates?: string;
  readonly lanes?: string;
  readonly budgets?: string;
  readonly limits?: string;
  readonly beacon?: "quicknet" | "sandbox";
  /** Shown to people as it is; the tests of what a page does with markup put it here. */
  readonly title?: string;
  readonly story?: string;
}

function dropTable(drop: TestDrop): string {
  const items = drop.items.map((item) => `{ sku = "${item.sku}", title = "Item ${item.sku}", priceMinor = ${item.priceMinor}, quantity = ${item.quantity} }`).join(", ");
  return `
[vars.DROP_${drop.slug.toUpperCase().replaceAll("-", "_")}]
title = ${JSON.stringify(drop.title ?? `Drop ${drop.slug}`)}
story = ${JSON.stringify(drop.story ?? "One run, for a test.")}
announceAt = "+0s"
lobbyOpensAt = "+0s"
opensAt = "+${drop.opensAfter ?? "1s"}"
closesAt = "+${drop.closesAfter ?? "1h"}"
stages = ${drop.stages ?? '[ { share = 100, after = "0s" } ]'}
limitPerPerson = ${drop.limitPerPerson ?? 2}
${drop.group === undefined ? "" : `group = ${drop.group}`}
hold = "${drop.hold ?? "8m"}"
capture = "${drop.capture ?? "at-once"}"
low = 3
items = [ ${items} ]
splits = ${drop.splits ?? '[ { party = "partner:kiosk-k", fixedMinor = 300 }, { party = "creator:ana", percent = 70 }, { party = "platform", remainder = true } ]'}
${drop.beacon === undefined ? "" : `beacon = "${drop.beacon}"`}
${drop.campaigns === undefined ? "" : `campaigns = ${drop.campaigns}`}
${drop.gates === undefined ? "" : `gates = ${drop.gates}`}
${drop.lanes === undefined ? "" : `lanes = ${drop.lanes}`}
${drop.budgets === undefined ? "" : `budgets = ${drop.budgets}`}
${drop.limits === undefined ? "" : `limits = ${drop.limits}`}
lobby = { shards = ${drop.shards ?? 1}, claimWindow = "${drop.claimWindow ?? "60s"}", admit = "${drop.admit ?? "all"}" }
`;
}

/** A store's `[vars]` in the form that a creator writes, with the given drops. */
export function storeVars(...drops: readonly TestDrop[]): string {
  return storeVarsIn("EUR", ...drops);
}

/** The same store with prices in another currency. */
export function storeVarsIn(currency: string, ...drops: readonly TestDrop[]): string {
  return `
[vars.STORE]
name = "Test store"
currency = "${currency}"
support = "help@store.example"
brand = { mark = "T", ink = "#17130f", paper = "#f4efe6", accent = "#c2410c" }

[vars.REGION_BERLIN]
label = "Berlin"
country = "DE"
near = { lat = 52.52, lon = 13.405 }
locale = "de-DE"
pickup = [ { id = "kiosk-k", label = "Kiosk K", slots = "17:00-21:00/30m", perSlot = 8 } ]
${drops.map(dropTable).join("\n")}`;
}
