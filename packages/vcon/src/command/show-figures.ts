/* Sizes and durations for people. */

const units = ["B", "kB", "MB", "GB", "TB"] as const;

/** "812 B", "15.8 kB", "3.2 MB": thousands, not 1024. */
export function sizeText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : 1;
  return `${value.toFixed(digits)} ${units[unit]}`;
}

/** "32s", "3m 17s", "1h 02m", "3d 4h": two units at most. */
export function durationText(seconds: number): string {
  if (seconds > 0 && seconds < 9.95) return `${Number(seconds.toFixed(1))}s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole}s`;
  if (whole < 3600) return `${Math.floor(whole / 60)}m ${twoDigits(whole % 60)}s`;
  const minutes = Math.round(whole / 60);
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)}h ${twoDigits(minutes % 60)}m`;
  const hours = Math.round(whole / 3600);
  return `${Math.floor(hours / 24)}d ${hours % 24}h`;
}

/** "+00:12", or "+1:02:03" from one hour on. */
export function offsetText(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000);
  const rest = `${twoDigits(Math.floor(seconds / 60) % 60)}:${twoDigits(seconds % 60)}`;
  return seconds < 3600 ? `+${rest}` : `+${Math.floor(seconds / 3600)}:${rest}`;
}

/** "1 turn", "1,204 words". */
export function countText(count: number, noun: string): string {
  return `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}
