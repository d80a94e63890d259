import * as v from "valibot";
import type { Paying } from "../../rehearsal/crowd.ts";
import { GaveUp, read, type Visitor, wait } from "./visitor.ts";

const PAID = v.looseObject({ status: v.string() });
const AGAIN_MS = 500;
const TRIES_MAX = 60;

/**
 * Pays at the provider's hosted page, however that goes: at once, with a second
 * card, or after going away and coming back. True when the page says that the
 * payment is made. `pauseMaxMs` is how long somebody is away at most.
 */
export async function payAt(visitor: Visitor, url: string, { paying, pauseMaxMs }: { readonly paying: Paying; readonly pauseMaxMs: number }): Promise<boolean> {
  if (paying === "second-card") await visitPage(visitor, url, { outcome: "decline" });
  if (paying === "comes-back") await visitPage(visitor, url, { outcome: "abandon" });
  if (paying !== "at-once") await wait(pauseMaxMs * visitor.random.fraction());
  return visitPage(visitor, url, { outcome: "approve", card: visitor.identity.card });
}

/** One visit to the payment page; true when it says that the payment is made. */
async function visitPage(visitor: Visitor, url: string, said: { readonly outcome: "approve" | "decline" | "abandon"; readonly card?: string }): Promise<boolean> {
  const { http } = visitor.surroundings;
  for (let attempt = 0; attempt < TRIES_MAX; attempt++) {
    try {
      if (attempt === 0) await http.ask({ lane: "buying", route: "GET pay page", method: "GET", url });
      if (visitor.faults.strikes("request-lost")) throw new GaveUp("lost on the way");
      const reply = await http.ask({ lane: "buying", route: "POST pay page", method: "POST", url, body: said });
      if (visitor.faults.strikes("reply-lost")) throw new GaveUp("lost on the way back");
      if (reply.status < 500) {
        const { status } = read(reply, PAID);
        // "complete": it was paid with a request whose answer was lost.
        return status === "approved" || status === "processing" || status === "complete";
      }
    } catch {
      // The provider is slow or the network is: the same page again.
    }
    await wait(AGAIN_MS * (1 + visitor.random.fraction()));
  }
  return false;
}
