/** A mail in plain text. Nobody's mail program has to draw anything, and no string becomes markup. */
export interface Mail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  /** At most 256 characters. The same key sends the same mail once, however often it is asked for within a day. */
  readonly key: string;
}

export interface Mailer {
  /** Resolves when the provider has taken the mail over; throws a fault, retryable where a second try with the same key may help. */
  send(mail: Mail): Promise<void>;
}
