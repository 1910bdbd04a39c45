/** Speech has no shorter pauses between words that would be of use. */
const WINDOW_SECONDS = 0.02;
/** Below this everything counts as silence: -50 dB. */
const QUIET = 0.00316;

export interface CutOptions {
  /** Samples a second. */
  readonly rate: number;
  /** Most samples of a part. */
  readonly most: number;
}

/**
 * Where the parts of a recording end, in samples, the last one at its end. Each cut lies in the middle of the longest
 * silence in the second half of what a part may be, the later of equals; where it is never silent, in the quietest moment
 * of the last tenth.
 */
export function cutPlaces(samples: Float32Array, { rate, most }: CutOptions): readonly number[] {
  const longest = Math.max(1, most);
  if (samples.length <= longest) return samples.length === 0 ? [] : [samples.length];
  const window = Math.max(1, Math.round(rate * WINDOW_SECONDS));
  const levels = levelsOf(samples, window);
  const threshold = Math.max(QUIET, silenceLevel(levels));
  const places: number[] = [];
  for (let start = 0; samples.length - start > longest; start = places.at(-1) ?? samples.length) {
    const limit = start + longest;
    const silence = longestSilence(levels, {
      first: Math.ceil((start + longest / 2) / window),
      end: Math.floor(limit / window),
      threshold,
    });
    const place =
      silence ??
      quietest(levels, {
        first: Math.ceil((start + longest * 0.9) / window),
        end: Math.floor(limit / window),
      });
    places.push(
      place === undefined ? limit : Math.min(limit, Math.max(start + 1, Math.round(place * window))),
    );
  }
  return [...places, samples.length];
}

/** How loud each window is: the root of the mean square. */
function levelsOf(samples: Float32Array, window: number): Float32Array {
  const levels = new Float32Array(Math.ceil(samples.length / window));
  for (let index = 0; index < levels.length; index += 1) {
    const part = samples.subarray(index * window, (index + 1) * window);
    let sum = 0;
    for (const sample of part) sum += sample * sample;
    levels[index] = Math.sqrt(sum / part.length);
  }
  return levels;
}

/** Twice the noise that is always there, but well below what is usual: where nobody ever pauses, nothing is silence. */
function silenceLevel(levels: Float32Array): number {
  const sorted = levels.toSorted();
  const noise = sorted[Math.floor(sorted.length / 10)] ?? 0;
  const usual = sorted[Math.floor(sorted.length / 2)] ?? 0;
  return Math.min(2 * noise, usual / 4);
}

interface Stretch {
  /** In windows; `end` is the first that does not belong. */
  readonly first: number;
  readonly end: number;
}

/** The middle of the longest silence, in windows; undefined when it is never silent. */
function longestSilence(
  levels: Float32Array,
  { first, end, threshold }: Stretch & { readonly threshold: number },
): number | undefined {
  let best: Stretch | undefined;
  let begun: number | undefined;
  for (let index = first; index <= end; index += 1) {
    if (index < end && (levels[index] ?? 0) < threshold) {
      begun ??= index;
      continue;
    }
    if (begun !== undefined && (best === undefined || index - begun >= best.end - best.first)) {
      best = { first: begun, end: index };
    }
    begun = undefined;
  }
  return best === undefined ? undefined : (best.first + best.end) / 2;
}

function quietest(levels: Float32Array, { first, end }: Stretch): number | undefined {
  let best: number | undefined;
  for (let index = first; index < end; index += 1) {
    if (best === undefined || (levels[index] ?? 0) < (levels[best] ?? 0)) best = index;
  }
  return best === undefined ? undefined : best + 0.5;
}
