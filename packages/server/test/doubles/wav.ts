export interface Tone {
  readonly seconds: number;
  /** Peak of each channel, from 0 (silence) to 1. Default: one channel at 0.5 */
  readonly peaks?: readonly number[];
  /** Samples a second. Default: 8000 */
  readonly rate?: number;
}

/** A WAV file (16 bit PCM) with a tone of 440 Hz on each channel. */
export function wav({ seconds, peaks = [0.5], rate = 8000 }: Tone): Uint8Array<ArrayBuffer> {
  const frames = Math.round(seconds * rate);
  const size = frames * peaks.length * 2;
  const file = Buffer.alloc(44 + size);
  file.write("RIFF", 0, "latin1");
  file.writeUInt32LE(36 + size, 4);
  file.write("WAVEfmt ", 8, "latin1");
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(1, 20);
  file.writeUInt16LE(peaks.length, 22);
  file.writeUInt32LE(rate, 24);
  file.writeUInt32LE(rate * peaks.length * 2, 28);
  file.writeUInt16LE(peaks.length * 2, 32);
  file.writeUInt16LE(16, 34);
  file.write("data", 36, "latin1");
  file.writeUInt32LE(size, 40);
  for (let frame = 0; frame < frames; frame += 1) {
    const wave = Math.sin((2 * Math.PI * 440 * frame) / rate);
    for (const [channel, peak] of peaks.entries()) {
      file.writeInt16LE(Math.round(wave * peak * 32_767), 44 + (frame * peaks.length + channel) * 2);
    }
  }
  return new Uint8Array(file);
}

export interface WavInfo {
  readonly seconds: number;
  readonly channels: number;
  readonly rate: number;
  /** The largest sample of all channels, from 0 to 1. */
  readonly peak: number;
}

/** What a WAV file of PCM, 8 or 16 bit, is; undefined when it is none. */
export function readWav(bytes: Uint8Array): WavInfo | undefined {
  const file = Buffer.from(bytes);
  const marks = [file.toString("latin1", 0, 4), file.toString("latin1", 8, 12)];
  if (file.length < 44 || marks.join() !== "RIFF,WAVE") return undefined;
  const data = file.indexOf("data", 12, "latin1");
  const format = file.indexOf("fmt ", 12, "latin1");
  if (data < 0 || format < 0) return undefined;
  const width = file.readUInt16LE(format + 22) / 8;
  if (width !== 1 && width !== 2) return undefined;
  const channels = file.readUInt16LE(format + 10);
  const rate = file.readUInt32LE(format + 12);
  const end = Math.min(file.length, data + 8 + file.readUInt32LE(data + 4));
  let peak = 0;
  for (let at = data + 8; at + width <= end; at += width) {
    // Samples of 8 bit have no sign.
    const sample = width === 1 ? (file.readUInt8(at) - 128) / 128 : file.readInt16LE(at) / 32_768;
    peak = Math.max(peak, Math.abs(sample));
  }
  return { seconds: (end - data - 8) / (width * channels * rate), channels, rate, peak };
}
