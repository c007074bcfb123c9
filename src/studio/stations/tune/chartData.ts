/** From runs to lines: what the two charts draw, and the tables behind them. */
import { groupBy } from '../../groupBy.ts';
import type { RunView } from '../../stores/runs.ts';

export interface Line {
  id: string;
  name: string;
  /** The current run; the others are ice blue. */
  warm: boolean;
  /** Each batch by itself, behind the smoothed line; the table leaves it out. */
  faint?: boolean;
  points: readonly (readonly [x: number, y: number])[];
}

/** Between the lowest and the highest of runs that differ in their seed only. */
export interface Band {
  id: string;
  warm: boolean;
  points: readonly (readonly [x: number, low: number, high: number])[];
}

/** Dev accuracy over the seeds of each recipe, at the steps that at least two of its runs were measured at. */
export function accuracyBands(runs: readonly RunView[], currentId: string | undefined): Band[] {
  const groups = groupBy(
    runs.filter((run) => !run.hidden || run.id === currentId),
    ({ recipe, modelId, dataName }) => JSON.stringify([modelId, dataName, { ...recipe, seed: 0 }]),
  );
  return [...groups].flatMap(([id, seeds]) => {
    if (new Set(seeds.map((run) => run.recipe.seed)).size < 2) return [];
    const at = groupBy(
      seeds.flatMap((run) => run.evals),
      (record) => record.step,
    );
    const points = [...at]
      .filter(([, records]) => records.length > 1)
      .sort(([a], [b]) => a - b)
      .map(([step, records]): [number, number, number] => {
        const values = records.map((record) => record.accuracy);
        return [step, Math.min(...values), Math.max(...values)];
      });
    return points.length > 1 ? [{ id, warm: seeds.some((run) => run.id === currentId), points }] : [];
  });
}

/** A dashed line that carries its own name. */
export interface Flat {
  name: string;
  value: number;
}

/** More points than this are drawn as means of as many equal stretches: a chart has no more pixels. */
export const MOST_POINTS = 320;

/** Dev accuracy per run. */
export function accuracyLines(runs: readonly RunView[], currentId: string | undefined): Line[] {
  return lines(runs, currentId, (run) => run.evals.map((e) => [e.step, e.accuracy]));
}

/** Training loss per run as a mean over about `over` steps; behind the current run's line its batches one by one. */
export function lossLines(
  runs: readonly RunView[],
  currentId: string | undefined,
  over: number = SMOOTH_OVER,
): Line[] {
  const smoothed = lines(runs, currentId, (run) =>
    thin(
      smooth(
        run.steps.map((s) => [s.step, s.loss]),
        over,
      ),
    ),
  );
  const current = runs.find((run) => run.id === currentId);
  if (!current || over === 1) return smoothed;
  const each = thin(current.steps.map((s) => [s.step, s.loss]));
  return [
    { id: `${current.id} each`, name: current.name, warm: true, faint: true, points: each },
    ...smoothed,
  ];
}

/** Steps that the smoothed loss looks back on, unless a person chooses otherwise. */
export const SMOOTH_OVER = 10;

/**
 * Exponential mean that forgets a step after about `over` further ones (1: nothing is smoothed), without the pull towards zero at
 * its start (as in Adam); what is not finite is passed over.
 */
export function smooth(
  points: readonly (readonly [number, number])[],
  over: number = SMOOTH_OVER,
): readonly (readonly [number, number])[] {
  const memory = 1 - 1 / over;
  let mean = 0;
  let weight = 0;
  return points
    .filter(([, y]) => Number.isFinite(y))
    .map(([x, y]) => {
      mean = memory * mean + (1 - memory) * y;
      weight = memory * weight + (1 - memory);
      return [x, mean / weight] as const;
    });
}

function lines(
  runs: readonly RunView[],
  currentId: string | undefined,
  pointsOf: (run: RunView) => Line['points'],
): Line[] {
  return (
    runs
      .filter((run) => !run.hidden || run.id === currentId)
      .map((run) => ({ id: run.id, name: run.name, warm: run.id === currentId, points: pointsOf(run) }))
      // The warm line is drawn last, over the others.
      .sort((a, b) => Number(a.warm) - Number(b.warm))
  );
}

/** At most `MOST_POINTS` points: the mean of each of that many stretches of neighbours, at the stretch's last x. */
export function thin(points: readonly (readonly [number, number])[]): readonly (readonly [number, number])[] {
  if (points.length <= MOST_POINTS) return points;
  const size = Math.ceil(points.length / MOST_POINTS);
  const thinned: [number, number][] = [];
  for (let i = 0; i < points.length; i += size) {
    const part = points.slice(i, i + size).filter(([, y]) => Number.isFinite(y));
    if (part.length) thinned.push([part.at(-1)![0], part.reduce((sum, [, y]) => sum + y, 0) / part.length]);
  }
  return thinned;
}

/** Lowest and highest tick of accuracy: room below the lowest line, never above 100 %. */
export function accuracyRange(all: readonly Line[], flats: readonly Flat[]): [number, number] {
  const values = [
    ...all.flatMap((line) => line.points.map(([, y]) => y)),
    ...flats.map((flat) => flat.value),
  ];
  if (values.length === 0) return [0, 1];
  const low = Math.max(0, Math.floor((Math.min(...values) - 0.04) * 10) / 10);
  return [Math.min(low, 0.8), 1];
}

export function lossRange(all: readonly Line[]): [number, number] {
  const values = all.flatMap((line) => line.points.map(([, y]) => y)).filter(Number.isFinite);
  if (values.length === 0) return [0, 1];
  // A few first steps far above the rest would press the curve flat.
  const sorted = [...values].sort((a, b) => a - b);
  const high = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * 0.985))]!;
  const step = high > 4 ? 1 : high > 1.5 ? 0.5 : 0.2;
  return [0, Math.max(step, Math.ceil((high * 1.1) / step) * step)];
}

/** All lines over one x axis, as uPlot wants them: x first, then a column per line with gaps as null. */
export function align(all: readonly Line[]): (number | null)[][] {
  const steps = [...new Set(all.flatMap((line) => line.points.map(([x]) => x)))].sort((a, b) => a - b);
  return [
    steps,
    ...all.map((line) => {
      const at = new Map(line.points);
      return steps.map((x) => at.get(x) ?? null);
    }),
  ];
}

/** The table behind a chart: at most `most` steps, the last always among them. */
export function tableOf(all: readonly Line[], most = 20): { step: number; values: (number | null)[] }[] {
  const [steps, ...columns] = align(all);
  const count = steps?.length ?? 0;
  const stride = Math.max(1, Math.ceil(count / most));
  return (steps ?? [])
    .map((step, i) => ({ step: step as number, values: columns.map((column) => column[i] ?? null), i }))
    .filter(({ i }) => i % stride === 0 || i === count - 1)
    .map(({ step, values }) => ({ step, values }));
}
