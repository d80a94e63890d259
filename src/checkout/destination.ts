import type { Address } from "./placed-order.ts";

/**
 * The text by which an address is told from another, for counting what is sent
 * there: country, postal code, and street with house number. Case, spaces,
 * punctuation, accented forms of the same letter in another encoding, and
 * "Straße", "Strasse" or "Str." make no other address; nor does the name of
 * whoever receives it, or how the town is written, which the postal code says.
 *
 * It is an obstacle and no proof: a street that is misspelt still gets its
 * parcel, and is another address here.
 */
export function destinationText({ country, postalCode, line1, line2 }: Address): string {
  const street = wordsOf(`${line1} ${line2 ?? ""}`).map((word) => word.replace(/(?:strasse|str)$/u, "str"));
  return [country, wordsOf(postalCode).join(""), joined(street)].join("\n");
}

function wordsOf(text: string): string[] {
  // Upper case first: "ß" becomes "SS" by it, and stays "ß" in lower case.
  return text.normalize("NFKC").toUpperCase().toLowerCase().split(/[^\p{L}\p{N}\p{M}]+/u).filter((word) => word !== "");
}

/** Without spaces, but never so that two numbers run into one: "Flat 1, 12" is not "Flat 11, 2". */
function joined(words: readonly string[]): string {
  return words.reduce((text, word) => (/\p{N}$/u.test(text) && /^\p{N}/u.test(word) ? `${text} ${word}` : `${text}${word}`), "");
}
