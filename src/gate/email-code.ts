import type { Mail } from "./mail.ts";

/** How many digits a code has. Only digits: a phone offers to type them in from the mail. */
export const CODE_DIGITS = 8;

/** Bytes of chance that a code takes. */
export const CODE_RANDOM_BYTES = 6;

/** A code out of at least `CODE_RANDOM_BYTES` random bytes: 48 bits, so that no code is noticeably likelier than another. */
export function codeFromRandom(random: Uint8Array): string {
  let number = 0;
  for (const byte of random.subarray(0, CODE_RANDOM_BYTES)) number = number * 256 + byte;
  return String(number % 10 ** CODE_DIGITS).padStart(CODE_DIGITS, "0");
}

/** What somebody typed, as the code that was meant: people copy spaces and hyphens along. Null where it cannot be one. */
export function typedCode(text: string): string | null {
  const digits = text.normalize("NFKC").replaceAll(/[\s\p{Pd}]/gu, "");
  return /^\d+$/.test(digits) && digits.length === CODE_DIGITS ? digits : null;
}

/** The mail that carries a code. It says nothing that depends on whether the address is known. */
export function codeMail({ to, code, drop, store, key }: { readonly to: string; readonly code: string; readonly drop: string; readonly store: string; readonly key: string }): Mail {
  return {
    to,
    key,
    subject: `${code} is your code for ${oneLine(drop)}`,
    text: [
      `Your code for ${oneLine(drop)} at ${oneLine(store)}:`,
      "",
      code,
      "",
      "Type it on the page where you asked for it. It is good for ten minutes, and for that page only.",
      "",
      "Nobody from the store will ever ask you for it. If you did not ask for it yourself, somebody mistyped an address, and you need not do anything.",
      "",
    ].join("\n"),
  };
}

/** Titles are the store's own; a line break in one would still end a header. */
function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ").trim();
}
