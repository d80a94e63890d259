/*
 * The objects live in a Worker of their own, so that deploying a page never
 * resets a live drop. It has no public door: other Workers call the objects
 * through their bindings.
 */
export { DropObject } from "./drop-object.ts";
export { LobbyObject } from "./lobby-object.ts";

export default {
  fetch: (): Response => new Response(null, { status: 404 }),
} satisfies ExportedHandler;
