/*
 * Where a store is, as it is named on the command line.
 */

export const STORE_ADDRESS_NEEDED = "--store is the address of the store, such as https://nightjar.example.";

/**
 * The origin of a store's address, or null where it is none. Beyond this machine
 * only https: what is sent there carries the desk's key, and what is printed is
 * opened by people in a café.
 */
export function storeOrigin(text: string): string | null {
  const url = URL.parse(text);
  // A store has a whole origin to itself: whoever names a path means something else.
  if (url === null || url.pathname !== "/") return null;
  return url.protocol === "https:" || (url.protocol === "http:" && isLocalStore(url.origin)) ? url.origin : null;
}

/** On this machine a config may have what exists only here, such as relative times, and a store has keys that lie beside it. */
export function isLocalStore(origin: string): boolean {
  return ["127.0.0.1", "localhost", "[::1]"].includes(new URL(origin).hostname);
}
