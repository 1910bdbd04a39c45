/** All channels as one: their mean. */
export function mix(channels: readonly Float32Array[]): Float32Array {
  const [first] = channels;
  if (first === undefined) return new Float32Array();
  if (channels.length === 1) return first;
  const mixed = new Float32Array(first.length);
  for (const channel of channels) {
    for (let index = 0; index < mixed.length; index += 1) {
      mixed[index] = (mixed[index] ?? 0) + (channel[index] ?? 0) / channels.length;
    }
  }
  return mixed;
}

/** The largest amplitude. */
export function loudest(samples: Float32Array): number {
  let most = 0;
  for (const sample of samples) most = Math.max(most, Math.abs(sample));
  return most;
}

/**
 * Fewer samples for the same time. Each is the mean of those that it stands for, which is low-pass enough for speech.
 *
 * @param rates samples a second; `to` is at most `from`
 */
export function toRate(
  samples: Float32Array,
  { from, to }: { readonly from: number; readonly to: number },
): Float32Array {
  if (from <= to) return samples;
  const ratio = from / to;
  const fewer = new Float32Array(Math.floor(samples.length / ratio));
  for (let index = 0; index < fewer.length; index += 1) {
    const first = Math.floor(index * ratio);
    const end = Math.max(first + 1, Math.floor((index + 1) * ratio));
    let sum = 0;
    for (let at = first; at < end; at += 1) sum += samples[at] ?? 0;
    fewer[index] = sum / (end - first);
  }
  return fewer;
}
