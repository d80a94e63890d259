import { WorkerEntrypoint } from "cloudflare:workers";
import desk from "../../workers/desk/index.ts";
import sandbox from "../../workers/sandbox/index.ts";
import settlement from "../../workers/settlement/index.ts";
import storefront from "../../workers/storefront/index.ts";

/*
 * All Workers in one isolate, so that a test can move the one clock they share:
 * time cannot be moved in the served product.
 */

export { DropObject, LobbyObject } from "../../workers/objects/index.ts";
export { SandboxBooks } from "../../workers/sandbox/index.ts";
export { Checkout, MoneyDesk } from "../../workers/settlement/index.ts";

export class Desk extends WorkerEntrypoint<never> {
  override fetch(request: Request<unknown, IncomingRequestCfProperties>): Response | Promise<Response> {
    return desk.fetch(request, this.env);
  }
}

export class Webhooks extends WorkerEntrypoint<never> {
  override fetch(request: Request<unknown, IncomingRequestCfProperties>): Response | Promise<Response> {
    return settlement.fetch(request, this.env);
  }
}

export class Provider extends WorkerEntrypoint<never> {
  override fetch(request: Request<unknown, IncomingRequestCfProperties>): Response | Promise<Response> {
    return sandbox.fetch(request, this.env);
  }
}

export default { fetch: storefront.fetch, queue: settlement.queue };
