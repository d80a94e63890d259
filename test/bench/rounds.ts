/** The middle value; of an even number of them the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** What one round of one contender showed. */
export interface Sample {
  /** Processor time of the server for one request or one piece of work. */
  readonly processorUs: number;
  /** Requests or pieces of work in a second of the clock. */
  readonly perSecond: number;
}

export type Rounds<Name extends string, Shown extends Sample = Sample> = Readonly<Record<Name, readonly Shown[]>>;

/**
 * Plays rounds in which every contender has its turn, so that a noisy minute
 * of the machine hits all of them. The order turns round with each round.
 */
export async function playRounds<Name extends string, Shown extends Sample>(
  rounds: number, contenders: Readonly<Record<Name, () => Promise<Shown>>>, tell: (line: string) => void,
): Promise<Rounds<Name, Shown>> {
  // Object.keys forgets what the record's type knows of its names.
  const names = Object.keys(contenders) as Name[];
  const samples = Object.fromEntries(names.map((name) => [name, [] as Shown[]])) as Record<Name, Shown[]>;
  for (let round = 0; round < rounds; round++) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      const sample = await contenders[name]();
      samples[name].push(sample);
      tell(`round ${round + 1} of ${rounds}: ${name} ${sample.processorUs.toFixed(0)} µs of processor, ${sample.perSecond.toFixed(0)} a second`);
    }
  }
  return samples;
}

/** How many times cheaper and how many times faster `name` was than `other`: each the median over the rounds. */
export function ratioOf<Name extends string>(samples: Rounds<Name>, name: Name, other: Name): { readonly byProcessor: number; readonly bySpeed: number } {
  const pairs = samples[name].flatMap((sample, round) => {
    const against = samples[other][round];
    return against === undefined ? [] : [{ sample, against }];
  });
  return {
    byProcessor: median(pairs.map(({ sample, against }) => against.processorUs / sample.processorUs)),
    bySpeed: median(pairs.map(({ sample, against }) => sample.perSecond / against.perSecond)),
  };
}

export function middleOf(samples: readonly Sample[]): Sample {
  return { processorUs: median(samples.map((sample) => sample.processorUs)), perSecond: median(samples.map((sample) => sample.perSecond)) };
}
