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

interface CodeMail {
  readonly to: string;
  readonly code: string;
  readonly drop: string;
  readonly store: string;
  readonly key: string;
  /** Whether somebody else joins, with this address in their group. */
  readonly isForGroup?: boolean;
}

/** The mail that carries a code. It says nothing that depends on whether the address is known. */
export function codeMail({ to, code, drop, store, key, isForGroup = false }: CodeMail): Mail {
  const subject = `${code} is your code for ${oneLine(drop)}`;
  if (isForGroup) return { to, key, subject, text: groupText({ code, drop, store }) };
  return {
    to,
    key,
    subject,
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

/** This code is meant to be given away, to one person: whoever reads it has to learn to whom, and what it does. */
function groupText({ code, drop, store }: Pick<CodeMail, "code" | "drop" | "store">): string {
  return [
    `Somebody joins the line for ${oneLine(drop)} at ${oneLine(store)}, and says that you stand in line with them. Your code:`,
    "",
    code,
    "",
    "If you do, give it to that friend and to nobody else. It puts you in their group: they order for all of you, and this address can have no other place in this drop. It is good for ten minutes, and for nothing but their group.",
    "",
    "If you know of nothing, you need not do anything: without the code nothing happens.",
    "",
  ].join("\n");
}

/** Titles are the store's own; a line break in one would still end a header. */
function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ").trim();
}
