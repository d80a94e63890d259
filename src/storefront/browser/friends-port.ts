/*
 * What the page and the module of its groups say to each other. Apart from the
 * module, so that a page that names these does not carry it.
 */

/** What the module needs to know of the drop. */
export interface FriendsFacts {
  /** The address of the module. */
  readonly module: string;
  readonly groupMax: number;
}

export interface FriendCode {
  readonly email: string;
  readonly code: string;
}

export interface Friends {
  /** Called whenever the page is drawn; `emails` are the friends that codes were sent to. */
  show(emails: readonly string[]): void;
  /** What was typed, friend by friend. */
  codes(): readonly FriendCode[];
  /** Marks the friend's code that was refused; null marks none. */
  complain(index: number | null): void;
}

export interface FriendsHost {
  /** Has a code sent to a friend; answers whether it is on its way. */
  add(email: string): Promise<boolean>;
  remove(email: string): void;
}
