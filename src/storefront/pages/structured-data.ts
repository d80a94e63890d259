import type { DropConfig, Region, StoreConfig } from "../../config/store-config.ts";
import { currencyExponent } from "../../kernel/money.ts";
import { instantToWire } from "../../kernel/time.ts";
import type { LobbyLive } from "../../lobby/port.ts";

type Json = Readonly<Record<string, unknown>>;

/**
 * JSON that can stand inside a script element: `<` is the one character with
 * which a title could end the element, and the two line separators are not
 * allowed in older readers' strings.
 */
export function embeddedJson(value: unknown): string {
  return JSON.stringify(value).replaceAll("<", "\\u003c").replaceAll("\u2028", "\\u2028").replaceAll("\u2029", "\\u2029");
}

/** What a search engine or a bot is told about one item, from the same state as the page. */
export function availabilityOf(live: LobbyLive, sku: string): string {
  const item = live.live.items.find((candidate) => candidate.sku === sku);
  const { phase } = live.live;
  if (phase === "announced" || phase === "lobby" || phase === "drawing") return "https://schema.org/PreOrder";
  if (item?.soldOut === "final") return "https://schema.org/SoldOut";
  if (phase === "closed" || phase === "cancelled") return "https://schema.org/Discontinued";
  if (phase === "paused" || phase === "sold-out" || item === undefined || item.soldOut === "stage" || item.available <= 0) return "https://schema.org/OutOfStock";
  return live.live.low ? "https://schema.org/LimitedAvailability" : "https://schema.org/InStock";
}

/** Nodes that several others name: whole where they are first met, after that by their `@id` alone. */
function namedOnce(): (node: Json & { readonly "@id": string }) => Json {
  const met = new Set<string>();
  return (node) => {
    const id = node["@id"];
    if (met.has(id)) return { "@id": id };
    met.add(id);
    return node;
  };
}

/** What all nodes of one graph refer to. */
interface Named {
  readonly seller: () => Json;
  readonly area: () => Json;
  readonly pickup: () => Json[];
}

/** Their names begin with a slash, which no item's has: that one's would be written as %2F. */
function namedNodes(store: StoreConfig, region: Region, url: string, origin: string): Named {
  const once = namedOnce();
  return {
    seller: () => once({ "@type": "Organization", "@id": `${origin}/#seller`, name: store.name, url: `${origin}/`, email: store.support }),
    area: () => once({ "@type": "Place", "@id": `${url}#/area`, name: region.label, address: { "@type": "PostalAddress", addressCountry: region.country }, geo: { "@type": "GeoCoordinates", latitude: region.near.lat, longitude: region.near.lon } }),
    pickup: () => region.pickup.map(({ id, label }) => once({ "@type": "Place", "@id": `${url}#/points/${id}`, name: label, address: { "@type": "PostalAddress", streetAddress: label, addressCountry: region.country } })),
  };
}

function offer(live: LobbyLive, sku: string, priceMinor: number, url: string, { seller, area, pickup }: Named): Json {
  const { plan } = live;
  const exponent = currencyExponent(plan.currency);
  const nextAt = live.live.nextStageAt;
  const points = pickup();
  return {
    "@type": "Offer",
    url,
    price: (priceMinor / 10 ** exponent).toFixed(exponent),
    priceCurrency: plan.currency,
    availability: availabilityOf(live, sku),
    availabilityStarts: instantToWire(live.live.phase === "sold-out" && nextAt !== null ? nextAt : plan.opensAt),
    availabilityEnds: instantToWire(plan.closesAt),
    eligibleQuantity: { "@type": "QuantitativeValue", maxValue: plan.limitPerPerson },
    areaServed: area(),
    ...(points.length === 0 ? {} : { availableAtOrFrom: points }),
    seller: seller(),
  };
}

/** Product and offer for every item, and the drop as an event, as one schema.org graph. */
export function dropGraph(store: StoreConfig, config: DropConfig, live: LobbyLive, region: Region, origin: string): Json {
  const { plan } = live;
  const url = `${origin}/${region.slug}/${config.slug}`;
  const image = config.image === null ? {} : { image: new URL(config.image, origin).href };
  const named = namedNodes(store, region, url, origin);
  const products = plan.items.map((item) => ({
    "@type": "Product", "@id": `${url}#${encodeURIComponent(item.sku)}`, sku: item.sku, name: item.title, description: config.story, ...image,
    offers: offer(live, item.sku, item.priceMinor, url, named),
  }));
  const event = {
    "@type": "Event", "@id": `${url}#drop`, name: plan.title, description: config.story, ...image,
    startDate: instantToWire(plan.opensAt), endDate: instantToWire(plan.closesAt), doorTime: instantToWire(plan.lobbyOpensAt),
    eventStatus: live.live.phase === "cancelled" ? "https://schema.org/EventCancelled" : "https://schema.org/EventScheduled",
    eventAttendanceMode: region.pickup.length === 0 ? "https://schema.org/OnlineEventAttendanceMode" : "https://schema.org/MixedEventAttendanceMode",
    location: [{ "@type": "VirtualLocation", url }, ...named.pickup()],
    organizer: named.seller(),
    offers: products.map((product) => ({ "@id": product["@id"] })),
  };
  return { "@context": "https://schema.org", "@graph": [...products, event] };
}
