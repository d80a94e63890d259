/**
 * An address to which a receipt can be sent, with its domain in lower case and
 * in ASCII; null for what is none. Deliberately narrow: quoted local parts and
 * addresses without a dot are legal, and always a typing mistake in a shop.
 */
export function emailAddress(text: string): string | null {
  const normal = text.normalize("NFC").trim();
  const at = normal.lastIndexOf("@");
  const [local, domain] = [normal.slice(0, at), normal.slice(at + 1)];
  if (at < 1 || normal.length > 254 || local.length > 64) return null;
  if (!/^[^\s@"'`<>()[\],;:\\\p{C}]+$/u.test(local) || local.startsWith(".") || local.endsWith(".") || local.includes("..")) return null;
  // The URL standard does what mail does with names from other scripts.
  if (!/^[\p{L}\p{N}.-]+$/u.test(domain) || !URL.canParse(`https://${domain}`)) return null;
  const { hostname } = new URL(`https://${domain}`);
  const isName = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]$/.test(hostname);
  return isName && hostname.length <= 253 ? `${local}@${hostname}` : null;
}

/**
 * The address by which people are counted: case and sub-address do not make
 * another person. Only `+` starts a sub-address; other providers' rules about
 * dots would count strangers as one.
 */
export function personAddress(email: string): string {
  const text = email.normalize("NFKC").trim().toLowerCase();
  const at = text.lastIndexOf("@");
  const local = text.slice(0, at);
  const plus = local.indexOf("+");
  return `${plus > 0 ? local.slice(0, plus) : local}${text.slice(at)}`;
}
