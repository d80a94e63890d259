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

function offer(live: LobbyLive, region: Region, sku: string, priceMinor: number, url: string, seller: Json): Json {
  const { plan } = live;
  const exponent = currencyExponent(plan.currency);
  const nextAt = live.live.nextStageAt;
  return {
    "@type": "Offer",
    url,
    price: (priceMinor / 10 ** exponent).toFixed(exponent),
    priceCurrency: plan.currency,
    availability: availabilityOf(live, sku),
    availabilityStarts: instantToWire(live.live.phase === "sold-out" && nextAt !== null ? nextAt : plan.opensAt),
    availabilityEnds: instantToWire(plan.closesAt),
    eligibleQuantity: { "@type": "QuantitativeValue", maxValue: plan.limitPerPerson },
    areaServed: { "@type": "Place", name: region.label, address: { "@type": "PostalAddress", addressCountry: region.country }, geo: { "@type": "GeoCoordinates", latitude: region.near.lat, longitude: region.near.lon } },
    ...(region.pickup.length === 0 ? {} : { availableAtOrFrom: region.pickup.map((point) => ({ "@type": "Place", name: point.label })) }),
    seller,
  };
}

/** Product and offer for every item, and the drop as an event, as one schema.org graph. */
export function dropGraph(store: StoreConfig, config: DropConfig, live: LobbyLive, region: Region, origin: string): Json {
  const { plan } = live;
  const url = `${origin}/${region.slug}/${config.slug}`;
  const image = config.image === null ? {} : { image: new URL(config.image, origin).href };
  const seller: Json = { "@type": "Organization", name: store.name, url: `${origin}/`, email: store.support };
  const products = plan.items.map((item) => ({
    "@type": "Product", "@id": `${url}#${encodeURIComponent(item.sku)}`, sku: item.sku, name: item.title, description: config.story, ...image,
    offers: offer(live, region, item.sku, item.priceMinor, url, seller),
  }));
  const event = {
    "@type": "Event", "@id": `${url}#drop`, name: plan.title, description: config.story, ...image,
    startDate: instantToWire(plan.opensAt), endDate: instantToWire(plan.closesAt), doorTime: instantToWire(plan.lobbyOpensAt),
    eventStatus: live.live.phase === "cancelled" ? "https://schema.org/EventCancelled" : "https://schema.org/EventScheduled",
    eventAttendanceMode: region.pickup.length === 0 ? "https://schema.org/OnlineEventAttendanceMode" : "https://schema.org/MixedEventAttendanceMode",
    location: [{ "@type": "VirtualLocation", url }, ...region.pickup.map((point) => ({ "@type": "Place", name: point.label, address: { "@type": "PostalAddress", streetAddress: point.label, addressCountry: region.country } }))],
    organizer: seller,
    offers: products.map((product) => ({ "@id": product["@id"] })),
  };
  return { "@context": "https://schema.org", "@graph": [...products, event] };
}
