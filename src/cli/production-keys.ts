import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { makeKeys } from "./keys.ts";
import { projectPath } from "./project.ts";

/*
 * npm run keys -- [FOLDER]
 *
 * Makes the secrets of a store that is to be deployed, one file a Worker, in the
 * form that `wrangler secret bulk` takes. What others issue is not made here.
 */
const folder = process.argv[2] === undefined ? projectPath(".keys") : path.resolve(process.argv[2]);
const keys = makeKeys();
const secrets = {
  objects: { HEAD_KEY: keys.HEAD_KEY },
  desk: { DESK_KEY: keys.DESK_KEY, COUPON_KEY: keys.COUPON_KEY },
  storefront: { TICKET_KEYS: keys.TICKET_KEYS, RECEIPT_KEY: keys.RECEIPT_KEY, PUBLIC_KEYS: keys.PUBLIC_KEYS },
};
mkdirSync(folder, { recursive: true, mode: 0o700 });
for (const [worker, values] of Object.entries(secrets)) {
  const file = path.join(folder, `${worker}.json`);
  const config = worker === "storefront" ? "wrangler.toml" : `workers/${worker}/wrangler.toml`;
  // Never over an earlier one: a store whose keys are lost cannot prove what it signed.
  writeFileSync(file, `${JSON.stringify(values, null, 2)}\n`, { mode: 0o600, flag: "wx" });
  process.stdout.write(`npx wrangler secret bulk ${path.relative(process.cwd(), file)} -c ${config}\n`);
}
process.stdout.write("npx wrangler secret put MAIL_KEY -c wrangler.toml   # only where a drop asks for e-mail codes; as Resend issues it\n");
process.stdout.write("npx wrangler secret put TURNSTILE_SECRET -c wrangler.toml   # only where a drop has a Turnstile gate; the widget's own\n");
process.stdout.write("npx wrangler secret put STRIPE_KEY -c workers/settlement/wrangler.toml\nnpx wrangler secret put STRIPE_WEBHOOK_SECRET -c workers/settlement/wrangler.toml\n");
