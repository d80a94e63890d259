/** A Worker has six connections to the outside at a time; more would only wait there. */
const LANES = 6;

/** Runs `work` on every item, a few at a time. `work` handles its own failures. */
export async function inParallel<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  const waiting = items.values();
  const lane = async () => {
    for (const item of waiting) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(LANES, items.length) }, lane));
}
