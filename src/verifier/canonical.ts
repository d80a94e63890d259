/** JSON in the canonical form of RFC 8785, for what JSON can say. */
export function jcs(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(jcs).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    // Sorted by UTF-16 code units, as the RFC wants it; that is what JavaScript does by itself.
    const members = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
    return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${jcs(member)}`).join(",")}}`;
  }
  return JSON.stringify(value);
}

/**
 * Why a line could be read in two ways, or null. What gets hashed is what was
 * parsed; a member that is there twice, or a number that one reader rounds and
 * another does not, would let two honest people see two records.
 */
export function ambiguityOf(line: string, parsed: unknown): string | null {
  if (JSON.stringify(parsed) !== withoutSpaces(line)) return "is not written in the plain way: a member that is there twice, a needless escape or an unusual number makes two readers see two things";
  return oddValue(parsed);
}

function oddValue(value: unknown): string | null {
  if (typeof value === "number") return Number.isSafeInteger(value) && !Object.is(value, -0) ? null : "has a number that is not a whole number which every reader knows exactly";
  if (typeof value === "string") return value.isWellFormed() ? null : "has a text that is not Unicode";
  if (typeof value !== "object" || value === null) return null;
  for (const [name, member] of Object.entries(value)) {
    const odd = oddValue(name) ?? oddValue(member);
    if (odd !== null) return odd;
  }
  return null;
}

/** The line without white space outside of its texts. */
function withoutSpaces(line: string): string {
  return line.replace(/("(?:[^"\\]|\\.)*")|[ \t\r\n]+/g, (_, text: string | undefined) => text ?? "");
}
