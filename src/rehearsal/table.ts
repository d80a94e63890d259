/** A table of figures, for the page and for the terminal. */
export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** What the figures mean and how they were taken. */
  readonly note: string | null;
}
