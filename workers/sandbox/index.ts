import { nodeHashing } from "../../src/kernel/node-hashing.ts";
import { createSandboxApp } from "../../src/sandbox/app.tsx";
import type { SandboxEnv } from "./books-object.ts";

export { SandboxBooks } from "./books-object.ts";

/** A payment provider for one machine: a shell around the routes and the one object that keeps the books. */
export default {
  async fetch(request, env) {
    const app = createSandboxApp({
      books: env.BOOKS.getByName("books"),
      isLocal: env.ENVIRONMENT === "local",
      isSigning: env.STRIPE_WEBHOOK_SECRET !== undefined,
      hashing: nodeHashing,
      now: () => Date.now(),
    });
    return await app.fetch(request);
  },
} satisfies ExportedHandler<SandboxEnv>;
