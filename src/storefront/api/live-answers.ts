import type { LobbyLive } from "../../lobby/port.ts";
import type { ApiPorts } from "../ports.ts";
import { sealedHeaders } from "../security-headers.ts";
import { refusal } from "./answers.ts";
import { liveTexts } from "./live-text.ts";
import type { Handler } from "./resource.ts";

/** What stands before an address's path; whatever follows is read as it is written, query and all. */
const BEFORE_PATH = /^https?:\/\/[^/?#]+/;

/**
 * The live object's answers. Not for any cache on the way: each carries the
 * server's clock and its own age.
 *
 * A waiting room reads it more often than everything else together, so that
 * nothing is made for an answer that could be made once.
 */
export class LiveAnswers {
  readonly #ports: ApiPorts;
  readonly #slugsByPath: ReadonlyMap<string, string>;
  readonly #headers: Headers;
  readonly #textOf = liveTexts();

  constructor(ports: ApiPorts) {
    this.#ports = ports;
    this.#slugsByPath = new Map(ports.store.drops.map(({ slug }) => [`/api/drops/${slug}/live`, slug]));
    this.#headers = sealedHeaders({ "content-type": "application/json", "cache-control": "no-store" }, ports.isLocal);
  }

  /**
   * The answer to a GET of `url` from the state that lies in memory, without
   * waiting; null when there is none to give out, when the address is written
   * in any other way than the plainest, and when something fails: then the
   * route, which refuses and logs, answers.
   */
  atHand(url: string): Response | null {
    const slug = this.#slugsByPath.get(url.replace(BEFORE_PATH, ""));
    if (slug === undefined) return null;
    try {
      const live = this.#ports.liveAtHand(slug);
      return live === null ? null : this.#answerOf(live);
    } catch {
      return null;
    }
  }

  /** The route: waits for a state where none is at hand. */
  readonly show: Handler = async (context) => {
    const config = this.#ports.store.drops.find((drop) => drop.slug === context.req.param("drop"));
    const live = config === undefined ? null : await this.#ports.live(config.slug);
    return (live === null ? null : this.#answerOf(live)) ?? refusal({ code: "not_found" }, context);
  };

  /** Null before the drop is announced. */
  #answerOf(live: LobbyLive): Response | null {
    const now = this.#ports.now();
    if (now < live.plan.announceAt) return null;
    return new Response(this.#textOf(live, now, this.#ports.credentials.dpopNonce(now)), { headers: this.#headers });
  }
}
