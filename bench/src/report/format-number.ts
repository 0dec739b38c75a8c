/** Measured numbers as people read them; pure. */

import type { Unit } from '../metrics.ts';

const KILO = 1000;
const MEGA = KILO * KILO;
const MEBI = 1024 * 1024;

/** @returns Three digits and a unit, such as `1.23 M/s`, `45.6 MiB` or `0.789 ms`. */
export function formatValue(value: number, unit: Unit): string {
  switch (unit) {
    case 'ops/s':
    case 'rows/s':
    case 'entries/s':
      return `${formatScaled(value)}/s`;
    case 'bytes':
      return `${threeDigits(value / MEBI)} MiB`;
    case 'ms':
      return `${threeDigits(value)} ms`;
    case 'us':
      return `${threeDigits(value)} µs`;
    case 'ratio':
      return threeDigits(value);
  }
}

/** @returns `3.1x`; below 1 with two decimals. */
export function formatRatio(ratio: number): string {
  return `${ratio < 1 ? ratio.toFixed(2) : threeDigits(ratio)}x`;
}

function formatScaled(value: number): string {
  if (value >= MEGA) return `${threeDigits(value / MEGA)} M`;
  if (value >= KILO) return `${threeDigits(value / KILO)} k`;
  return `${threeDigits(value)} `;
}

/** Without exponents, which `toPrecision` alone gives for large numbers. */
function threeDigits(value: number): string {
  return Math.abs(value) >= KILO ? value.toFixed(0) : value.toPrecision(3);
}
