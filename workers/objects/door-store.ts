import { accepted, type Result } from "../../src/kernel/result.ts";
import { decideProof, decideSending, type PersonPlace, SEND_WINDOW_MS, type SentCode } from "../../src/lobby/address-codes.ts";
import { personKey, type AddressProof, type AddressRejection, type CodeNote, type Redemption, type RedemptionRejection } from "../../src/lobby/door.ts";
import { decideRedemption, type KeyUse } from "../../src/lobby/redemptions.ts";

/**
 * What a shard keeps for the whole drop: uses, revocations and sent codes. Each
 * command looks, decides and writes without a pause in one transaction; nothing
 * of it is kept in memory, because most of it is asked for once.
 */
export class DoorStore {
  readonly #storage: DurableObjectStorage;
  readonly #sql: SqlStorage;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    this.#sql = storage.sql;
  }

  redeem(redemption: Redemption, now: number): Result<null, RedemptionRejection> {
    return this.#storage.transactionSync(() => {
      this.#forget(now);
      const decided = decideRedemption(this.#useOf(redemption), redemption);
      if (!decided.ok) return decided;
      if (decided.value.isNew) this.#noteUse(redemption.key, redemption.ticket, redemption.expiresAt);
      return accepted(null);
    });
  }

  revoke(key: string, until: number): { readonly used: number } {
    return this.#storage.transactionSync(() => {
      this.#sql.exec("INSERT INTO revocations (key, expires_at) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET expires_at = max(expires_at, excluded.expires_at)", key, until);
      return { used: this.#users(key) };
    });
  }

  noteCode(note: CodeNote, now: number): Result<null, { readonly code: "too_many_requests"; readonly retryAt: number }> {
    return this.#storage.transactionSync(() => {
      this.#sql.exec("DELETE FROM codes WHERE sent_at <= ?", now - SEND_WINDOW_MS);
      const decided = decideSending(this.#codesOf(note.person), note, now);
      if (!decided.ok) return decided;
      const { ticket, network, mac, sentAt, tries } = decided.value;
      this.#sql.exec("INSERT INTO codes (person, ticket, network, mac, sent_at, tries) VALUES (?, ?, ?, ?, ?, ?)", note.person, ticket, network, mac, sentAt, tries);
      return accepted(null);
    });
  }

  proveAddress(proof: AddressProof, now: number): Result<null, AddressRejection> {
    return this.#storage.transactionSync(() => {
      const key = personKey(proof.person);
      const place = this.#placeOf(key);
      const { outcome, guessed, isMoved, isRenewed } = decideProof(this.#codesOf(proof.person), place, proof, now);
      for (const { id, tries } of guessed) this.#sql.exec("UPDATE codes SET tries = ? WHERE id = ?", tries, id);
      if (!outcome.ok || proof.isTrial === true) return outcome;
      if (isRenewed === true) this.#sql.exec("UPDATE redemptions SET member_since = ? WHERE key = ?", now, key);
      if (isMoved === true) this.#sql.exec("DELETE FROM redemptions WHERE key = ?", key);
      if (place === null || isMoved === true) this.#noteUse(key, proof.ticket, proof.until, proof.memberMac === undefined ? null : now);
      return outcome;
    });
  }

  /** Counted by the database: a busy network's minute has thousands of rows, and each of its requests asks. */
  #useOf({ key, ticket }: Pick<Redemption, "key" | "ticket">): KeyUse {
    const isUser = this.#sql.exec("SELECT 1 FROM redemptions WHERE key = ? AND ticket = ?", key, ticket).toArray().length > 0;
    return { users: this.#users(key), isUser, isRevoked: this.#isRevoked(key) };
  }

  #users(key: string): number {
    return this.#sql.exec<{ users: number }>("SELECT count(*) AS users FROM redemptions WHERE key = ?", key).one().users;
  }

  #placeOf(key: string): PersonPlace | null {
    const [row] = this.#sql.exec<{ ticket: string; member_since: number | null }>("SELECT ticket, member_since FROM redemptions WHERE key = ? LIMIT 1", key).toArray();
    return row === undefined ? null : { ticket: row.ticket, memberSince: row.member_since };
  }

  #isRevoked(key: string): boolean {
    return this.#sql.exec("SELECT 1 FROM revocations WHERE key = ?", key).toArray().length > 0;
  }

  #noteUse(key: string, ticket: string, expiresAt: number, memberSince: number | null = null): void {
    this.#sql.exec("INSERT INTO redemptions (key, ticket, expires_at, member_since) VALUES (?, ?, ?, ?)", key, ticket, expiresAt, memberSince);
  }

  #codesOf(person: string): StoredCode[] {
    const rows = this.#sql.exec<CodeRow>("SELECT id, ticket, network, mac, sent_at, tries FROM codes WHERE person = ?", person).toArray();
    return rows.map(({ sent_at: sentAt, ...code }) => ({ ...code, sentAt }));
  }

  /** Whatever is past its time is refused for its age by whoever reads its token; its row only takes room. */
  #forget(now: number): void {
    this.#sql.exec("DELETE FROM redemptions WHERE expires_at <= ?", now);
    this.#sql.exec("DELETE FROM revocations WHERE expires_at <= ?", now);
  }
}

interface StoredCode extends SentCode {
  readonly id: number;
}

// A type alias, because the rows of a query must have an index signature, which an interface lacks.
type CodeRow = { id: number; ticket: string; network: string | null; mac: string; sent_at: number; tries: number };
