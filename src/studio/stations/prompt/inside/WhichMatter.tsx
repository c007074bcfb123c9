import { useState } from 'react';
import { Button, ProgressLine, Select } from '../../../components/index.ts';
import { Section } from '../../../components/sections.tsx';
import { formatNumber, formatPercent } from '../../../format.ts';
import { liveRun } from '../../../stores/runs.ts';
import { useRuns, useStudio } from '../../../studio.tsx';
import { insideOf, useInside } from './stores.ts';
import { TokenBars } from './TokenBars.tsx';

const ROWS = [
  { id: '32', label: '32 dev rows', note: 'the quickest' },
  { id: '64', label: '64 dev rows' },
  { id: '128', label: '128 dev rows' },
  { id: '500', label: 'all dev rows', note: '500 at most' },
] as const;

const signed = (value: number) => `${value > 0 ? '+' : ''}${formatNumber(Number(value.toPrecision(2)))}`;

/** Leave one out: what the loss does when one virtual token is taken away. */
export function WhichMatter() {
  const studio = useStudio();
  const leave = useInside((s) => s.leave);
  const progress = useInside((s) => s.measuring);
  const training = useRuns((s) => liveRun(s)?.state === 'running');
  const [rows, setRows] = useState<(typeof ROWS)[number]['id']>('32');
  const { measure, stop } = insideOf(studio).getState();
  const sure = leave?.tokens.filter(({ change, error }) => Math.abs(change) > 1.96 * error).length ?? 0;
  return (
    <Section
      title="Which of them matter"
      note="Each virtual token is taken away in turn, and the same dev rows are read without it. A bar up: the loss rises without it, so it helps. A bar down: the answers are better without it. Grey bars are within the noise of these rows."
    >
      {progress ? (
        <ProgressLine progress={progress} onStop={() => void stop()} />
      ) : (
        <div className="inside-press">
          <Select label="Rows" hideLabel choices={ROWS} value={rows} onChange={setRows} />
          <Button onPress={() => void measure(Number(rows))}>
            {leave ? 'Measure again' : 'Leave each one out'}
          </Button>
          {training && (
            <span className="small muted">A run is going: this waits for gaps between its steps.</span>
          )}
        </div>
      )}
      {leave && (
        <figure className="which" aria-label="Change of the dev loss without each virtual token">
          <TokenBars
            bars={leave.tokens.map(({ change, error }) => ({
              value: change,
              low: change - 1.96 * error,
              high: change + 1.96 * error,
              unsure: Math.abs(change) <= 1.96 * error,
            }))}
            format={signed}
          />
          <figcaption className="small muted">
            On {leave.n} dev rows the whole prompt has loss {formatNumber(leave.whole.loss)} and{' '}
            {formatPercent(leave.whole.accuracy)} right. {sure} of {leave.tokens.length} virtual tokens change
            the loss by more than the noise (lines: 95 % interval). Of the best step.
          </figcaption>
          <div className="sr-only">
            <table>
              <caption>Dev loss and accuracy without each virtual token</caption>
              <thead>
                <tr>
                  <th scope="col">without</th>
                  <th scope="col">change of loss</th>
                  <th scope="col">loss</th>
                  <th scope="col">accuracy</th>
                </tr>
              </thead>
              <tbody>
                {leave.tokens.map(({ change, loss, accuracy, error }, p) => (
                  // biome-ignore lint/suspicious/noArrayIndexKey: a virtual token is its place
                  <tr key={p}>
                    <th scope="row">virtual token {p + 1}</th>
                    <td>
                      {signed(change)} ± {formatNumber(1.96 * error)}
                    </td>
                    <td>{formatNumber(loss)}</td>
                    <td>{formatPercent(accuracy)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </figure>
      )}
    </Section>
  );
}
