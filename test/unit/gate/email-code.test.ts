import { describe, expect, test } from "vitest";
import { CODE_DIGITS, codeFromRandom, codeMail, typedCode } from "../../../src/gate/email-code.ts";

describe("a code", () => {
  test("has eight digits whatever the chance was, and every digit at every place", () => {
    expect(codeFromRandom(new Uint8Array(6))).toBe("00000000");
    expect(codeFromRandom(new Uint8Array(6).fill(255))).toBe(String((2 ** 48 - 1) % 10 ** CODE_DIGITS).padStart(8, "0"));
    const seen = Array.from({ length: CODE_DIGITS }, () => new Set<string>());
    for (let index = 0; index < 2_000; index++) codeFromRandom(crypto.getRandomValues(new Uint8Array(6))).split("").forEach((digit, place) => seen[place]?.add(digit));
    expect(seen.map((digits) => digits.size)).toEqual(Array(CODE_DIGITS).fill(10));
  });

  test("is understood as people copy it, and nothing else is taken for one", () => {
    for (const text of ["12345678", " 1234 5678\n", "1234-5678", "1234–5678", "１２３４５６７８", "12 34 56 78"]) expect(typedCode(text)).toBe("12345678");
    for (const text of ["", "1234567", "123456789", "1234567a", "0x123456", "12345678.0", "٣٤٥٦٧٨٩٠", "+12345678"]) expect(typedCode(text), text).toBeNull();
  });

  test("comes in a mail that names drop and store in one line each, and says how long it is good", () => {
    const mail = codeMail({ to: "ana@example.org", code: "12345678", drop: "Moth\r\nBcc: x@example.org\ntee", store: "Nightjar", key: "code/1" });
    expect(mail).toMatchObject({ to: "ana@example.org", key: "code/1", subject: "12345678 is your code for Moth Bcc: x@example.org tee" });
    expect(mail.text).toContain("\n12345678\n");
    expect(mail.text).toContain("ten minutes");
    expect(mail.text).toContain("Nobody from the store will ever ask you for it.");
  });

  test("comes in another mail when it is for a friend's group, which says to whom it may be given and what that does", () => {
    const { text } = codeMail({ to: "ben@example.org", code: "12345678", drop: "Moth tee", store: "Nightjar", key: "code/2", isForGroup: true });
    for (const words of ["\n12345678\n", "give it to that friend and to nobody else", "this address can have no other place in this drop", "ten minutes"]) expect(text).toContain(words);
  });
});
