/** Numbers as a person reads them: English grouping, units, no more digits than mean something. */

const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** 1182 -> "1,182". */
export function formatCount(value: number): string {
  return whole.format(value);
}

/** A share of 1 as percent: 0.8418 -> "84.2 %". */
export function formatPercent(share: number, digits = 1): string {
  return Number.isFinite(share) ? `${(share * 100).toFixed(digits)} %` : 'no value';
}

/** A share of 1 as whole percent without its sign, for narrow bars: 0.871 -> "87". */
export function formatPercentShort(share: number): string {
  return Number.isFinite(share) ? (share * 100).toFixed(0) : '?';
}

/** Bytes in decimal units: 15360 -> "15 kB", 5_116_416 -> "5.1 MB". */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  const digits = unit === 0 || value >= 9.95 ? 0 : 1;
  return `${value.toFixed(digits)} ${units[unit]}`;
}

/** A span of time: 0.42 -> "0.4 s", 11 -> "11 s", 95 -> "1 min 35 s", 4000 -> "1 h 7 min". */
export function formatSeconds(seconds: number): string {
  if (!Number.isFinite(seconds) || seconds < 0) return 'unknown';
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const rounded = Math.round(seconds);
  if (rounded < 60) return `${rounded} s`;
  if (rounded < 3600) {
    const rest = rounded % 60;
    return rest === 0 ? `${rounded / 60} min` : `${Math.floor(rounded / 60)} min ${rest} s`;
  }
  const minutes = Math.round(rounded / 60);
  const rest = minutes % 60;
  return rest === 0 ? `${minutes / 60} h` : `${Math.floor(minutes / 60)} h ${rest} min`;
}

/** A measured number with about three digits that mean something: 0.0312 -> "0.0312", 1385.2 -> "1,385". */
/** A short time: "250 ms", "1.3 s". */
export function formatMilliseconds(ms: number): string {
  return ms < 1000 ? `${Number(ms.toPrecision(3))} ms` : formatSeconds(ms / 1000);
}

export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'not a number' : 'infinite';
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size >= 1000) return size >= 1e7 ? value.toExponential(2) : whole.format(value);
  if (size < 1e-4) return value.toExponential(1);
  return String(Number(value.toPrecision(3)));
}

/** A setting as it was typed: 0.3 -> "0.3", 0.00001 -> "1e-5". */
export function formatSetting(value: number): string {
  return Math.abs(value) >= 1e6 || (value !== 0 && Math.abs(value) < 1e-3)
    ? value.toExponential().replace('e+', 'e')
    : String(value);
}

/** Steps (or tokens) a second: 31.4 -> "31", 0.42 -> "0.42". */
export function formatRate(perSecond: number): string {
  if (!Number.isFinite(perSecond)) return '?';
  return perSecond >= 9.95 ? whole.format(perSecond) : String(Number(perSecond.toPrecision(2)));
}

/** "1 row", "2 rows". */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}
