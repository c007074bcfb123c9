import type { RateSweep } from '../../../worker/protocol.ts';
import { Button, Dialog } from '../../components/index.ts';
import { formatNumber, formatSetting } from '../../format.ts';
import { liveRun } from '../../stores/runs.ts';
import { SWEEP } from '../../stores/trials.ts';
import { useRecipe, useRuns, useStudio } from '../../studio.tsx';
import { RateChart } from './RateChart.tsx';
import './rates.css';
import { useTrain } from './useTrain.ts';
import { useTrials, useTrialsStore } from './useTrials.ts';

/** The learning-rate finder: a short sweep, its curve, and the rate it suggests. */
export function RateDialog({ onClose }: { onClose: () => void }) {
  const recipe = useRecipe((s) => s.recipe);
  const points = useTrials((s) => s.points);
  const sweep = useTrials((s) => s.sweep);
  const sweeping = useTrials((s) => s.sweeping);
  const live = useRuns((s) => liveRun(s) !== undefined || s.starting);
  const { canTrain } = useTrain();
  const { recipe: store, notices } = useStudio();
  const { findRate, stop } = useTrialsStore().getState();
  const range = SWEEP[recipe.optimizer.kind];
  const take = (learningRate: number) => {
    const before = recipe;
    store.getState().changeOptimizer({ learningRate });
    notices.getState().toast(`The learning rate is ${formatSetting(learningRate)} now.`, {
      undo: () => store.getState().load(before),
    });
    onClose();
  };
  const close = () => {
    if (sweeping) void stop();
    onClose();
  };
  return (
    <Dialog title="Find a learning rate" isOpen onClose={close} width={680}>
      <div className="rates">
        <p>
          The rate says how far each step goes. Too small, and the prompt hardly learns; too large, and it
          jumps past what it looks for. A sweep (the <em>learning-rate range test</em>) makes {range.steps}{' '}
          steps on one batch, each with a larger rate, from {formatSetting(range.from)} to{' '}
          {formatSetting(range.to)}, and throws the prompt away. Soft prompts like large rates: a good one is
          about a third of the rate at which the loss leaps.
        </p>
        <RateChart points={points} sweep={sweep} now={recipe.optimizer.learningRate} range={range} />
        <p aria-live="polite">{verdict(live, sweeping, points.length, range.steps, sweep)}</p>
      </div>
      <div className="dialog-actions">
        {sweeping ? (
          <Button onPress={() => void stop()}>Stop</Button>
        ) : (
          <Button isDisabled={live || !canTrain} onPress={() => void findRate(recipe)}>
            {sweep ? 'Sweep again' : 'Sweep the rates'}
          </Button>
        )}
        {sweep?.suggested !== undefined && (
          <Button variant="primary" onPress={() => take(sweep.suggested!)}>
            Take {formatSetting(sweep.suggested)}
          </Button>
        )}
      </div>
    </Dialog>
  );
}

function verdict(
  live: boolean,
  sweeping: boolean,
  done: number,
  steps: number,
  sweep: RateSweep | undefined,
): string {
  if (sweeping) return `Step ${done} of ${steps}.`;
  if (!sweep)
    return live ? 'A run goes. Stop it, or let it end first.' : 'The curve stands here after the sweep.';
  const ended = {
    done: 'The sweep went through all rates.',
    diverged: `The loss left the range before a rate of ${formatNumber(sweep.points.at(-1)?.rate ?? 0)}, so the sweep ended there.`,
    stopped: 'The sweep was stopped.',
  }[sweep.ended];
  if (sweep.suggested === undefined)
    return `${ended} The loss did not fall clearly anywhere. Try another start or a longer prompt, then sweep again.`;
  return sweep.edge === undefined
    ? `${ended} The loss never leaps; it is lowest near ${formatSetting(sweep.suggested)}.`
    : `${ended} The loss leaps near ${formatSetting(Number(sweep.edge.toPrecision(2)))}; a third of that is ${formatSetting(sweep.suggested)}.`;
}
