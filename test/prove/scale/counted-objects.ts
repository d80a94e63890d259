import type { HoldCommand, LinePage, PlaceCommand, ShardSeal, TicketFacts } from "../../../src/drop/port.ts";
import type { JoinCommand, ShardReport } from "../../../src/lobby/port.ts";
import { DropObject } from "../../../workers/objects/drop-object.ts";
import { LobbyObject } from "../../../workers/objects/lobby-object.ts";

/*
 * The shipped objects, which count who asks them what in which second. All
 * objects of this Worker share its isolate, so that one table has all counts.
 */

const asked = new Map<string, number>();

function count(object: string | undefined, request: string): void {
  const key = `${object ?? ""} ${request} ${Math.floor(Date.now() / 1_000)}`;
  asked.set(key, (asked.get(key) ?? 0) + 1);
}

export interface Asked {
  readonly object: string;
  readonly request: string;
  /** Seconds since the epoch. */
  readonly second: number;
  readonly times: number;
}

export function askedSoFar(): Asked[] {
  return [...asked].map(([key, times]) => {
    const [object = "", request = "", second] = key.split(" ");
    return { object, request, second: Number(second), times };
  });
}

export class CountedDrop extends DropObject {
  override snapshot(pages: readonly LinePage[]) {
    count(this.ctx.id.name, "snapshot");
    return super.snapshot(pages);
  }
  override seal(seal: ShardSeal) {
    count(this.ctx.id.name, "seal");
    return super.seal(seal);
  }
  override claim(ticket: TicketFacts) {
    count(this.ctx.id.name, "claim");
    return super.claim(ticket);
  }
  override hold(command: HoldCommand) {
    count(this.ctx.id.name, "hold");
    return super.hold(command);
  }
  override place(command: PlaceCommand) {
    count(this.ctx.id.name, "place");
    return super.place(command);
  }
  override confirm(order: string, payment: string, card: string | null = null) {
    count(this.ctx.id.name, "confirm");
    return super.confirm(order, payment, card);
  }
  override acknowledge(outboxIds: readonly string[]) {
    count(this.ctx.id.name, "acknowledge");
    return super.acknowledge(outboxIds);
  }
  override sweep() {
    count(this.ctx.id.name, "sweep");
    return super.sweep();
  }
}

export class CountedLobby extends LobbyObject {
  override join(command: JoinCommand) {
    count(this.ctx.id.name, "join");
    return super.join(command);
  }
  override live(report: ShardReport | null) {
    count(this.ctx.id.name, report === null ? "live" : "report");
    return super.live(report);
  }
  override sweep() {
    count(this.ctx.id.name, "sweep");
    return super.sweep();
  }
}
