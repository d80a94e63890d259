import { instantToWire } from "../../kernel/time.ts";
import { instantText } from "./when.ts";

/** An instant that reads well without script and is rewritten in the viewer's zone with it. */
export function Moment({ at, locale, withSeconds = false }: { readonly at: number; readonly locale: string; readonly withSeconds?: boolean }) {
  const marked = withSeconds ? { "data-seconds": "" } : {};
  return <time datetime={instantToWire(at)} {...marked}>{instantText(at, locale, withSeconds)}</time>;
}
