/** Sizes, times and rates in as few characters as say what matters. */

const UNITS = ['B', 'K', 'M', 'G', 'T', 'P'] as const;

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** As in `0B`, `940B`, `1.2M`, `64G`: powers of 1,024, two digits where the number is short. */
export function sizeText(bytes: number): string {
  let [value, unit] = [bytes, 0];
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  const digits = unit === 0 || value >= 9.95 ? value.toFixed(0) : value.toFixed(1);
  return `${digits}${UNITS[unit] ?? ''}`;
}

/** As in `12s`, `3m20s`, `5h12m`, `2d4h`. */
export function durationText(ms: number): string {
  if (ms < MINUTE_MS) return `${Math.floor(ms / SECOND_MS)}s`;
  if (ms < HOUR_MS) return `${Math.floor(ms / MINUTE_MS)}m${Math.floor((ms % MINUTE_MS) / SECOND_MS)}s`;
  if (ms < DAY_MS) return `${Math.floor(ms / HOUR_MS)}h${Math.floor((ms % HOUR_MS) / MINUTE_MS)}m`;
  return `${Math.floor(ms / DAY_MS)}d${Math.floor((ms % DAY_MS) / HOUR_MS)}h`;
}

/** As in `0`, `12`, `1.2k`, `34k`, `1.2m`: powers of 1,000. */
export function rateText(perSecond: number): string {
  if (perSecond < 999.5) return perSecond > 0 && perSecond < 9.95 ? trimmed(perSecond) : perSecond.toFixed(0);
  const thousands = perSecond / 1_000;
  if (thousands < 999.5) return `${trimmed(thousands)}k`;
  return `${trimmed(thousands / 1_000)}m`;
}

function trimmed(value: number): string {
  return value < 9.95 ? value.toFixed(1).replace(/\.0$/, '') : value.toFixed(0);
}
