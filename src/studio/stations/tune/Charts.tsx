import { useMemo } from 'react';
import { formatNumber } from '../../format.ts';
import type { RunView } from '../../stores/runs.ts';
import { Chart } from './Chart.tsx';
import { accuracyBands, accuracyLines, accuracyRange, type Flat, lossLines, lossRange } from './chartData.ts';

export interface ChartsProps {
  runs: readonly RunView[];
  currentId: string | undefined;
  xMax: number;
  flats: readonly Flat[];
}

const asPercent = (value: number) => `${Math.round(value * 100)}%`;
const asLoss = (value: number) => (Number.isInteger(value * 10) ? value.toFixed(1) : formatNumber(value));
const NO_FLATS: Flat[] = [];

/** Accuracy first, loss second. */
export function Charts({ runs, currentId, xMax, flats }: ChartsProps) {
  const accuracy = useMemo(() => accuracyLines(runs, currentId), [runs, currentId]);
  const loss = useMemo(() => lossLines(runs, currentId), [runs, currentId]);
  const bands = useMemo(() => accuracyBands(runs, currentId), [runs, currentId]);
  const accuracySpan = useMemo(() => accuracyRange(accuracy, flats), [accuracy, flats]);
  const lossSpan = useMemo(() => lossRange(loss), [loss]);
  return (
    <div className="charts">
      <Chart
        title="Accuracy on dev"
        note={bands.length ? 'band: lowest to highest seed' : undefined}
        bands={bands}
        lines={accuracy}
        flats={flats}
        xMax={xMax}
        range={accuracySpan}
        format={asPercent}
      />
      <Chart
        title="Loss"
        note="thin: each batch"
        lines={loss}
        flats={NO_FLATS}
        xMax={xMax}
        range={lossSpan}
        format={asLoss}
      />
    </div>
  );
}
