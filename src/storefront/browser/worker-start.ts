/** The part of the Trusted Types API that is used here; the DOM's own types do not have it yet. */
interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): unknown };
}

/** Named in the content policy of the pages that start a worker. */
const POLICY = "tranche-workers";
const OWN_MODULE = /^\/built\/[a-z-]+-[0-9a-f]{10}\.js$/;

let policy: ReturnType<TrustedTypes["createPolicy"]> | null = null;

/** Starts one of the store's own modules beside the page; any other address is refused. */
export function startWorker(address: string): Worker {
  if (!OWN_MODULE.test(address)) throw new Error("only the store's own modules run");
  const types: TrustedTypes | undefined = Reflect.get(window, "trustedTypes");
  policy ??= types?.createPolicy(POLICY, { createScriptURL: (url) => url }) ?? null;
  // A browser that asks for a trusted address gets one; what the DOM's types call a string is that address.
  const trusted = (policy?.createScriptURL(address) ?? address) as string;
  return new Worker(trusted, { type: "module" });
}
