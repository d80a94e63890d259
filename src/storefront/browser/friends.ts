import { fill, find, make } from "./dom.ts";
import type { FriendCode, Friends, FriendsFacts, FriendsHost } from "./friends-port.ts";

/*
 * Standing in line together: the addresses of friends and the codes that came
 * to them, before the join. A module of its own: only drops that have groups
 * load it.
 */

const CODE_FIELD = "friend-code";

/** Wires the form of the friends beside the form of the own code. */
export function createFriends({ groupMax }: FriendsFacts, host: FriendsHost): Friends {
  const form = find<HTMLFormElement>('[data-form="friend"]');
  const list = find<HTMLUListElement>("[data-friends]");
  const address = form === null ? null : find<HTMLInputElement>("input", form);
  const codes = () => [...(list?.querySelectorAll<HTMLInputElement>("input") ?? [])];

  form?.addEventListener("submit", (event) => {
    event.preventDefault();
    const email = address?.value.trim() ?? "";
    void host.add(email).then((isAdded) => {
      if (!isAdded || address === null) return;
      address.value = "";
      // The next thing to be typed is the code, as soon as the friend reads it out.
      codes().at(-1)?.focus();
    });
  });

  function row(email: string): HTMLLIElement {
    // Of the form in which the own code stands: one press joins for all of them.
    const code = make("input", { name: CODE_FIELD, form: "code-form", autocomplete: "off", inputmode: "numeric", maxlength: "20", required: "" });
    const remove = make("button", { type: "button", class: "quiet" }, `Leave ${email} out`);
    remove.addEventListener("click", () => {
      host.remove(email);
      address?.focus();
    });
    return make("li", { "data-friend": email }, make("label", { class: "field" }, `Code that came to ${email}, 8 digits`, code), remove);
  }

  return {
    show(emails) {
      const rows = new Map([...(list?.querySelectorAll<HTMLLIElement>("li") ?? [])].map((item) => [item.dataset["friend"] ?? "", item]));
      // What was typed into a row that stays is kept.
      for (const [email, item] of rows) if (!emails.includes(email)) item.remove();
      for (const email of emails) if (!rows.has(email)) list?.appendChild(row(email));
      const left = groupMax - 1 - emails.length;
      if (form !== null) form.hidden = left < 1;
      fill("friends-left", emails.length === 0 ? "" : left < 1 ? "That is everybody who can stand with you." : left === 1 ? "One more can stand with you." : `${left} more can stand with you.`);
      fill("prove", emails.length === 0 ? "Join with this code" : `Join for ${emails.length + 1} with these codes`);
    },
    codes: (): FriendCode[] => codes().map((input) => ({ email: input.closest("li")?.dataset["friend"] ?? "", code: input.value.trim() })),
    complain(index) {
      const fields = codes();
      for (const [at, field] of fields.entries()) field.setAttribute("aria-invalid", String(at === index));
      if (index !== null) fields[index]?.select();
    },
  };
}
