import { type Context, Hono } from "hono";
import { askedTooOften } from "../../drop/entry-budget.ts";
import type { OrderView } from "../../settlement/port.ts";
import { refusal } from "../api/answers.ts";
import { portProblem } from "../api/refusals.ts";
import { refusedPage, sendAgainPage } from "../pages/without-script/frame.tsx";
import { apply, resend, showApplication, showProof } from "./application.ts";
import { seatOf } from "./carried.ts";
import { giveUp, order, showHold } from "./holding.ts";
import { changeWants, hold, leave, showPlace, showWants } from "./place.ts";
import { proveAddress, proveByStaff } from "./proof.ts";
import { receiptOf, savedReceipt, shownPayment, shownReceipt } from "./receipt.ts";
import { readForm, type SentForm } from "./sent-form.ts";
import { type FormShop, refusedBy, seeOther, shownPage, statusOf, type Visit, visitOf, wayFacts } from "./visit.ts";

type Look = (visit: Visit) => Promise<Response>;
type Send = (visit: Visit, form: SentForm) => Promise<Response>;

/** One step of the way: what it shows, and what sending its form does. */
interface Step {
  readonly show?: Look;
  readonly send?: Send;
}

const STEPS: Readonly<Record<string, Step>> = {
  "": { show: showApplication, send: apply },
  "/proof": { show: showProof, send: proveAddress },
  "/codes": { send: resend },
  "/attestation": { send: proveByStaff },
  "/place": { show: showPlace },
  "/wants": { show: showWants, send: changeWants },
  "/hold": { show: showHold, send: hold },
  "/hold/end": { send: giveUp },
  "/order": { send: order },
  "/end": { send: leave },
};

/**
 * A shopper's whole way without script, in plain forms: each is posted and
 * answered with the address of the next step. Below it the API's own functions
 * are called; what differs is only how a browser proves that it is the one.
 */
export function formRoutes(shop: FormShop): Hono {
  const app = new Hono();
  for (const [path, step] of Object.entries(STEPS)) {
    const full = `/:region/:drop/line${path}`;
    app.get(full, async (context, next) => {
      const visit = await visitOf(shop, context);
      // What can only be sent is shown by going on from where the shopper stands.
      if (visit === null) return next();
      if (step.show === undefined) return seeOther(visit.base);
      return (await flooding(visit)) ?? step.show(visit);
    });
    const { send } = step;
    if (send !== undefined) {
      app.post(full, async (context, next) => {
        const visit = await visitOf(shop, context);
        return visit === null ? next() : ((await flooding(visit)) ?? sent(visit, path, send));
      });
    }
    const allowed = send === undefined ? ["GET", "HEAD"] : ["GET", "HEAD", "POST"];
    app.all(full, (context, next) => (allowed.includes(context.req.method) ? next() : refusal({ code: "method_not_allowed" }, context, { allow: allowed.join(", ") })));
  }
  const receipt = (path: string, show: (shop: FormShop, context: Context, view: OrderView) => Promise<Response>) =>
    app.get(`/orders/:order${path}`, async (context, next) => {
      const view = await receiptOf(shop, context);
      return view === null ? next() : show(shop, context, view);
    });
  receipt("", shownReceipt);
  receipt("/payment", shownPayment);
  receipt("/receipt", savedReceipt);
  return app;
}

/** What whoever was admitted hears who asks the drop again and again; null for everybody else. */
async function flooding(visit: Visit): Promise<Response | null> {
  const seat = await seatOf(visit);
  const tooOften = seat === null ? null : askedTooOften(visit.asks, seat.entry, visit.now);
  if (tooOften === null) return null;
  const problem = portProblem(tooOften, visit.now);
  const facts = await wayFacts(visit, refusedBy(visit, problem));
  return shownPage(visit.context, refusedPage(facts, "Not so fast", { href: `${visit.base}/place`, label: "Open the page again" }), statusOf(problem));
}

async function sent(visit: Visit, path: string, send: Send): Promise<Response> {
  const { context } = visit;
  const form = await readForm(visit);
  if (form.ok) return send(visit, form.value);
  if (form.rejection.kind === "again") return shownPage(context, sendAgainPage(await wayFacts(visit), path, form.rejection.fields), { status: 422 });
  const { problem } = form.rejection;
  const facts = await wayFacts(visit, refusedBy(visit, problem));
  return shownPage(context, refusedPage(facts, "Not sent", { href: visit.base, label: "Open the page again" }), statusOf(problem));
}
