import type { Context } from "hono";
import { html } from "hono/html";
import manifest from "../../static/built/manifest.json" with { type: "json" };
import { parsed } from "../http/strict-body.ts";
import { refusal, setSecurityHeaders } from "./door.ts";
import type { Handler } from "./handler.ts";
import { PRESENCE_TICKETS, PRESENCE_TICKETS_MAX } from "../gate/presence.ts";
import { dropSlug, regionSlug } from "./shapes.ts";

const built: Readonly<Record<string, string>> = manifest;
const asset = (name: string): string => built[name] ?? `/built/${name}`;

/** The page may run its own module and ask the desk; it sends no form and shows nothing of anybody else. */
const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

/**
 * The page that a tablet at the pop-up shows. It is the same for everybody and
 * holds no secret: the desk's key is typed into it once and stays in the
 * page's memory, never in an address and never in storage.
 */
export function presencePage(): Handler {
  return async (context: Context) => {
    const drop = parsed(dropSlug, context.req.param("drop"));
    const region = parsed(regionSlug, context.req.param("region"));
    if (!drop.ok || !region.ok) return refusal({ code: "not_found" }, context.req.raw);
    const page = await html`<!doctype html>${<PresencePage drop={drop.value} region={region.value} />}`;
    const response = new Response(String(page), { headers: { "content-type": "text/html; charset=utf-8" } });
    setSecurityHeaders(response.headers);
    response.headers.set("content-security-policy", POLICY);
    return response;
  };
}

function PresencePage({ drop, region }: { readonly drop: string; readonly region: string }) {
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex" />
        <title>{`Code for ${region}`}</title>
        <link rel="stylesheet" href={asset("desk.css")} />
        <script type="module" src={asset("presence.js")}></script>
      </head>
      <body>
        <main data-presence data-drop={drop} data-region={region}>
          <form data-form="key">
            <h1>Show the code for {region}</h1>
            <p>People who are here scan it and join among the local ones. It changes by itself every half minute; a photograph of it is soon worth nothing.</p>
            <label>The desk's key<input type="password" autocomplete="off" required data-field="key" /></label>
            <label>Tickets for each code<input type="number" inputmode="numeric" min="1" max={PRESENCE_TICKETS_MAX} value={String(PRESENCE_TICKETS)} required data-field="tickets" /></label>
            <button type="submit">Show it</button>
            <p class="fine">The key stays in this page and is gone when it is closed.</p>
          </form>
          <section data-screen hidden>
            <h1 data-fill="title"></h1>
            <p>Here now? Scan this with your telephone and join.</p>
            <img data-code alt="The code of this moment, to be scanned" width="600" height="600" />
            <p class="fine" data-fill="left"></p>
          </section>
          <p class="said" role="status" aria-live="polite" data-fill="said"></p>
          <noscript><p>This page needs JavaScript: it asks for a new code every half minute.</p></noscript>
        </main>
      </body>
    </html>
  );
}
