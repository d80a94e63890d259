import { instantToWire } from "../../kernel/time.ts";
import { instantText } from "./when.ts";

/** An instant that reads well without script and is rewritten in the viewer's zone with it. */
export function Moment({ at, locale }: { readonly at: number; readonly locale: string }) {
  return <time datetime={instantToWire(at)}>{instantText(at, locale)}</time>;
}
