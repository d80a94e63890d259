import type { Product } from "./product.ts";

/** The code in the newest mail to an address, as soon as there are `mails` of them. */
export async function mailedCode({ sandbox }: Pick<Product, "sandbox">, email: string, mails = 1): Promise<string> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const { messages } = await (await fetch(`${sandbox}/sandbox/mail?to=${encodeURIComponent(email)}`)).json() as { readonly messages: readonly { readonly text: string }[] };
    const newest = messages[0];
    if (newest !== undefined && messages.length >= mails) return /\b\d{8}\b/.exec(newest.text)?.[0] ?? "";
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`no mail to ${email}`);
}
