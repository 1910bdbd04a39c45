export const WAV_HEADER_BYTES = 44;

/** A WAV file of one channel, PCM with 16 bit. @param samples from -1 to 1; beyond that they are cut off */
export function writeWav(samples: Float32Array, rate: number): Uint8Array {
  const file = new Uint8Array(WAV_HEADER_BYTES + samples.length * 2);
  const view = new DataView(file.buffer);
  const text = (at: number, letters: string) => file.set(new TextEncoder().encode(letters), at);
  text(0, "RIFF");
  view.setUint32(4, file.length - 8, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, rate, true);
  view.setUint32(28, rate * 2, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  text(36, "data");
  view.setUint32(40, samples.length * 2, true);
  for (let index = 0; index < samples.length; index += 1) {
    const sample = Math.max(-1, Math.min(1, samples[index] ?? 0));
    view.setInt16(WAV_HEADER_BYTES + index * 2, Math.round(sample * 32_767), true);
  }
  return file;
}
