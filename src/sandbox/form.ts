/** Parameters as the Stripe API receives them: nested by brackets, every leaf a string. */
export interface FormTree {
  readonly [name: string]: string | FormTree;
}

const PAIRS_MAX = 1_000;
const DEPTH_MAX = 8;

interface GrowingTree {
  [name: string]: string | GrowingTree;
}

/** No prototype: a parameter named `__proto__` is a name like any other, and is refused as unknown. */
const emptyTree = (): GrowingTree => Object.create(null);

/** Splits `a[b][0]` into its names; null when the brackets do not close. */
function namesOf(key: string): string[] | null {
  const match = /^([^[\]]+)((?:\[[^[\]]*\])*)$/.exec(key);
  if (match === null) return null;
  return [match[1] ?? "", ...[...(match[2] ?? "").matchAll(/\[([^[\]]*)\]/g)].map((part) => part[1] ?? "")];
}

/**
 * The tree of `application/x-www-form-urlencoded` text (a body or a query).
 * Lists stay objects with numbered members; `a[]=…` is numbered in order. Null
 * when the text is not such a form, or larger than any honest one.
 */
export function formToTree(text: string): FormTree | null {
  const root = emptyTree();
  let pairs = 0;
  for (const [key, value] of new URLSearchParams(text)) {
    const names = namesOf(key);
    if (names === null || names.length > DEPTH_MAX || ++pairs > PAIRS_MAX) return null;
    let node = root;
    for (const [depth, written] of names.entries()) {
      const name = written === "" ? String(Object.keys(node).length) : written;
      if (depth === names.length - 1) {
        node[name] = value;
        break;
      }
      const child = node[name] ?? emptyTree();
      if (typeof child === "string") return null;
      node[name] = child;
      node = child;
    }
  }
  return root;
}
