/** Stages of a drop that are the steps of one drip; `stage` is the number of the first, from 1. */
export interface PageDrip {
  readonly stage: number;
  readonly steps: number;
}

/** Whether the next stage is only a further step of the drip that runs. */
export function isDripping(stage: number | null, drips: readonly PageDrip[] | undefined): boolean {
  return (drips ?? []).some((drip) => stage !== null && stage >= drip.stage && stage < drip.stage + drip.steps - 1);
}

/** What happens next, to be followed by its time. A drip's stages are counted as one, as the release is shown. */
export function nextWords(stage: number | null, drips: readonly PageDrip[] | undefined): string {
  if (isDripping(stage, drips)) return "More comes";
  const next = (stage ?? 0) + 1;
  const passed = (drips ?? []).filter((drip) => drip.stage < next).reduce((sum, drip) => sum + drip.steps - 1, 0);
  return `Stage ${next - passed} opens`;
}
