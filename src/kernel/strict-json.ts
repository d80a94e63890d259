/**
 * The value of a JSON text, or null when it is not one or when an object in it
 * names a member twice. Parsers disagree about which of the two counts, and
 * what one layer checks must be what the next one uses.
 */
export function strictJson(text: string): { readonly value: unknown } | null {
  try {
    const value: unknown = JSON.parse(text);
    return hasDuplicateMember(text) ? null : { value };
  } catch {
    return null;
  }
}

const STRING = /"(?:[^"\\]|\\.)*"/y;

/** Walks a text that is known to be JSON. Not recursive: deep nesting must not end the isolate. */
function hasDuplicateMember(text: string): boolean {
  // One entry for each open bracket: the names so far for an object, null for an array.
  const open: (Set<string> | null)[] = [];
  let isNameNext = false;
  for (let index = 0; index < text.length; ) {
    const character = text.charAt(index);
    if (character === '"') {
      STRING.lastIndex = index;
      const literal = STRING.exec(text)?.[0] ?? '"';
      const names = open.at(-1);
      if (isNameNext && names !== null && names !== undefined) {
        // Two spellings of one name ("a" and "\u0061") are one name.
        const name = String(JSON.parse(literal));
        if (names.has(name)) return true;
        names.add(name);
        isNameNext = false;
      }
      index += literal.length;
      continue;
    }
    if (character === "{" || character === "[") open.push(character === "{" ? new Set() : null);
    else if (character === "}" || character === "]") open.pop();
    if (character === "{" || character === ",") isNameNext = open.at(-1) !== null;
    else if (character === "}" || character === "]") isNameNext = false;
    index++;
  }
  return false;
}
