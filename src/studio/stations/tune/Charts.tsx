import { useMemo } from 'react';
import { useStore } from 'zustand';
import { createStore } from 'zustand/vanilla';
import { type Choice, Select } from '../../components/index.ts';
import { formatNumber } from '../../format.ts';
import { perStudio } from '../../perStudio.ts';
import type { RunView } from '../../stores/runs.ts';
import { useStudio } from '../../studio.tsx';
import { Chart } from './Chart.tsx';
import {
  accuracyBands,
  accuracyLines,
  accuracyRange,
  type Flat,
  lossLines,
  lossRange,
  SMOOTH_OVER,
} from './chartData.ts';

export interface ChartsProps {
  runs: readonly RunView[];
  currentId: string | undefined;
  xMax: number;
  flats: readonly Flat[];
}

const asPercent = (value: number) => `${Math.round(value * 100)}%`;
const asLoss = (value: number) => (Number.isInteger(value * 10) ? value.toFixed(1) : formatNumber(value));
const NO_FLATS: Flat[] = [];

type Smoothing = '1' | '10' | '50';
const SMOOTHINGS: readonly Choice<Smoothing>[] = [
  { id: '1', label: 'not smoothed', note: 'each batch' },
  { id: '10', label: 'smoothed over 10 steps', note: 'thin: each batch' },
  { id: '50', label: 'smoothed over 50 steps', note: 'thin: each batch' },
];
const smoothingOf = perStudio(() =>
  createStore<{ over: Smoothing }>()(() => ({ over: `${SMOOTH_OVER}` as const })),
);

/** Accuracy first, loss second. */
export function Charts({ runs, currentId, xMax, flats }: ChartsProps) {
  const accuracy = useMemo(() => accuracyLines(runs, currentId), [runs, currentId]);
  const smoothing = smoothingOf(useStudio());
  const over = useStore(smoothing, (s) => s.over);
  const loss = useMemo(() => lossLines(runs, currentId, Number(over)), [runs, currentId, over]);
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
        note={
          <Select
            inline
            hideLabel
            label="Smoothing of the loss"
            choices={SMOOTHINGS}
            value={over}
            onChange={(next) => smoothing.setState({ over: next })}
          />
        }
        lines={loss}
        flats={NO_FLATS}
        xMax={xMax}
        range={lossSpan}
        format={asLoss}
      />
    </div>
  );
}
