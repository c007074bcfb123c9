/** Norms on an axis of logarithms. */

export interface LogAxis {
  low: number;
  high: number;
  /** 0 to 1 along the axis. */
  at(value: number): number;
  ticks: number[];
}

/** An axis that holds all positive values, from a round number to a round number. */
export function logAxis(...parts: ArrayLike<number>[]): LogAxis {
  let [least, most] = [Infinity, 0];
  for (const values of parts)
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      if (!(value > 0) || !Number.isFinite(value)) continue;
      least = Math.min(least, value);
      most = Math.max(most, value);
    }
  if (!(least <= most)) [least, most] = [1, 10];
  const round = [1, 2, 5].flatMap((digit) => Array.from({ length: 25 }, (_, i) => digit * 10 ** (i - 12)));
  round.sort((a, b) => a - b);
  const low = round.findLast((value) => value <= least * 0.999) ?? round[0]!;
  const high = round.find((value) => value >= most * 1.001) ?? round.at(-1)!;
  const all = round.filter((value) => value >= low && value <= high);
  const decades = all.filter((value) => Number.isInteger(Math.round(Math.log10(value) * 1e6) / 1e6));
  return {
    low,
    high,
    at: (value) => (value > 0 ? Math.log(value / low) / Math.log(high / low) : 0),
    ticks: all.length <= 9 ? all : [low, ...decades.filter((v) => v > low && v < high), high],
  };
}

/** Values by equal parts of an axis: a share of all for each. */
export function histogram(values: ArrayLike<number>, axis: LogAxis, bins: number): number[] {
  const counts = new Array<number>(bins).fill(0);
  let all = 0;
  for (let i = 0; i < values.length; i++) {
    const at = axis.at(values[i]!);
    if (!(values[i]! > 0) || at < 0 || at > 1) continue;
    counts[Math.min(bins - 1, Math.floor(at * bins))]!++;
    all++;
  }
  return counts.map((count) => (all ? count / all : 0));
}
