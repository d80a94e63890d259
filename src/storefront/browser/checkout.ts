import { fill, find } from "./dom.ts";
import type { OrderBody } from "./errands.ts";
import type { PageData } from "./page-data.ts";

/** The checkout form: which fields count, what is sent, and how the goods arrive in words. */
export interface Checkout {
  body(scannedCoupon: string | null): OrderBody;
  handover(): string;
}

/** Where the goods are handed over. The seller's note is about every way at once and stands on a line of its own. */
export function handoverWords(method: "pickup" | "ship", point: string | null, slot: string | null): string {
  if (method === "ship") return "By post, to your address";
  const place = point === null ? "Pick-up" : `Pick-up at ${point}`;
  return slot === null ? place : `${place} · ${slot.replace("-", "–")}`;
}

export function createCheckout(page: PageData, form: HTMLFormElement, onSubmit: () => void): Checkout {
  const text = (name: string) => {
    const value = new FormData(form).get(name);
    return typeof value === "string" ? value.trim() : "";
  };
  const slotOf = (point: string) => (text(`slot-${point}`) === "" ? null : text(`slot-${point}`));

  function handover(): string {
    const point = page.pickup.find(({ id }) => id === text("point"));
    return handoverWords(text("method") === "ship" ? "ship" : "pickup", point?.label ?? null, point === undefined ? null : slotOf(point.id));
  }

  function draw(): void {
    const method = text("method");
    for (const part of form.querySelectorAll<HTMLFieldSetElement>("[data-way]")) {
      const isChosen = part.dataset["way"] === method;
      part.hidden = !isChosen;
      // A disabled part is neither asked for nor sent.
      part.disabled = !isChosen;
    }
    for (const way of form.querySelectorAll(".way")) {
      const radio = find<HTMLInputElement>('input[name="point"]', way);
      const slot = find(".slot", way);
      if (slot !== null) slot.hidden = radio?.checked === false;
    }
    fill("eta", handover(), form);
  }

  function delivery(): unknown {
    if (text("method") === "pickup") return { method: "pickup", point: text("point"), slot: slotOf(text("point")) };
    const line2 = text("line2");
    return { method: "ship", address: { name: text("name"), line1: text("line1"), line2: line2 === "" ? null : line2, postalCode: text("postalCode"), city: text("city"), country: text("country") } };
  }

  form.addEventListener("change", draw);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    onSubmit();
  });
  draw();
  return {
    handover,
    body(scannedCoupon) {
      const typed = text("coupon");
      return { email: text("email"), delivery: delivery(), coupon: typed === "" ? scannedCoupon : typed };
    },
  };
}
