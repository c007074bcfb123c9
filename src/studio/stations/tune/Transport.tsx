import { Pause, Play, Square, StepForward } from 'lucide-react';
import { Link } from 'wouter';
import { Button, ProgressLine } from '../../components/index.ts';
import {
  formatBytes,
  formatCount,
  formatNumber,
  formatPercent,
  formatRate,
  formatSeconds,
  plural,
} from '../../format.ts';
import { bestAccuracy, currentRun, isLive, type RunsState, type RunView } from '../../stores/runs.ts';
import { useRuns, useSession } from '../../studio.tsx';
import { PreflightLine, useMemoryName } from './Preflight.tsx';
import { BEATS, type Beat } from './useBeats.ts';
import { useResume } from './useResume.ts';
import { useTrain } from './useTrain.ts';

/** Train or Pause, One step, Stop, and where the run stands in figures. */
export function Transport({ run, recorded }: { run: RunView | undefined; recorded: boolean }) {
  const { toggle, step, stop, canTrain, state } = useTrain();
  const live = state !== undefined && isLive(state);
  return (
    <div className="transport">
      <Button variant="primary" onPress={toggle} isDisabled={!canTrain}>
        {state === 'running' || state === 'starting' ? (
          <>
            <Pause size={14} fill="currentColor" aria-hidden /> {state === 'starting' ? 'Starting' : 'Pause'}
          </>
        ) : (
          <>
            <Play size={14} fill="currentColor" aria-hidden /> {state === 'paused' ? 'Go on' : 'Train'}
          </>
        )}
      </Button>
      <Button onPress={step} isDisabled={!canTrain}>
        <StepForward size={14} aria-hidden /> One step
      </Button>
      <Button onPress={stop} isDisabled={!live}>
        <Square size={12} aria-hidden /> Stop
      </Button>
      <Figures run={run} recorded={recorded} />
    </div>
  );
}

function Figures({ run, recorded }: { run: RunView | undefined; recorded: boolean }) {
  if (!run) return null;
  const last = run.steps.at(-1);
  const dev = run.evals.at(-1);
  const best = bestAccuracy(run);
  const { speed } = run;
  return (
    <dl className="figures">
      <Figure name="step" value={`${formatCount(run.step)} / ${formatCount(run.recipe.steps)}`} />
      <Figure name="loss" value={last ? formatNumber(last.loss) : '–'} />
      <Figure
        name={best === undefined ? 'dev' : `dev, best ${(best * 100).toFixed(1)}`}
        value={dev ? formatPercent(dev.accuracy) : '–'}
      />
      {speed && speed.stepsPerSecond > 0 && (
        <Figure
          name={run.state === 'running' ? `${formatSeconds(speed.secondsLeft)} left` : run.state}
          value={`${formatRate(speed.stepsPerSecond)} steps/s`}
        />
      )}
      {recorded && <Figure name="not yours yet" value="recorded" />}
    </dl>
  );
}

function Figure({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

/** One line under the buttons: what is being waited for, else what the run tells about itself. */
export function StatusLine({ run, beat }: { run: RunView | undefined; beat: Beat | undefined }) {
  const progress = useSession((s) => s.progress);
  const phase = useSession((s) => s.phase);
  const plan = useRuns((s) => s.plan);
  const planError = useRuns((s) => s.planError);
  const waiting = useRuns(waitingRun);
  const starting = useRuns((s) => s.starting);
  const startProgress = useRuns((s) => s.startProgress);
  const shown = progress ?? (starting ? startProgress : run?.progress);
  if (shown) return <ProgressLine progress={shown} />;
  if (run?.state === 'paused' && run.steps.length > 0) return <Beats run={run} beat={beat} />;
  if (run?.speed && isLive(run.state)) return <Speed run={run} />;
  if (starting) return <p className="status-line">Making the run ready.</p>;
  if (waiting && (phase === 'ready' || phase === 'baselines')) return <Waiting run={waiting} />;
  if (planError)
    return (
      <p className="status-line">
        <strong>{planError.message}</strong> {planError.remedy}
      </p>
    );
  if (run?.finishedBecause) return <Ended run={run} />;
  if (plan) return <PreflightLine plan={plan} />;
  return <p className="status-line">{PHASES[phase]}</p>;
}

/** What the run costs a second, and the latest thing it noticed about itself. */
function Speed({ run }: { run: RunView }) {
  const { tokensPerSecond, gpuBytes } = run.speed!;
  const memory = useMemoryName();
  return (
    <>
      <p className="status-line">
        {tokensPerSecond > 0 && `${formatCount(tokensPerSecond)} tokens/s, `}
        {formatBytes(gpuBytes)} of {memory}
        {run.steps.length > 0 && <>, gradient norm {formatNumber(run.steps.at(-1)!.gradNorm)}</>}
      </p>
      <LatestNotice run={run} />
    </>
  );
}

/** What the run last noticed about itself, with what to do; the others in the tooltip. */
function LatestNotice({ run }: { run: RunView }) {
  const notice = run.notices.at(-1);
  if (!notice) return null;
  return (
    <p
      className="status-line"
      role="status"
      title={run.notices.map(({ message, remedy }) => `${message} ${remedy}`).join('\n')}
    >
      <strong>{notice.message}</strong> {notice.remedy}
    </p>
  );
}

/** The current run where it can be taken up again; before there is one, the newest of an earlier visit. */
function waitingRun(state: RunsState): RunView | undefined {
  const run = currentRun(state);
  if (run) return run.resumable && !isLive(run.state) ? run : undefined;
  return state.runs.findLast((earlier) => earlier.resumable);
}

function Waiting({ run }: { run: RunView }) {
  const resume = useResume(run);
  return (
    <div className="status-line waiting">
      <span>
        <strong>{run.name}</strong> waits at step {formatCount(run.step)} of{' '}
        {`${formatCount(run.recipe.steps)}; nothing up to there is lost.`}
      </span>
      <Button onPress={resume}>Go on with it</Button>
    </div>
  );
}

/** The four beats of the last step, each with its numbers. */
function Beats({ run, beat }: { run: RunView; beat: Beat | undefined }) {
  const { loss, gradNorm } = run.steps.at(-1)!;
  const moved = run.frame?.tokenMoved;
  const mean = moved?.length ? moved.reduce((a, b) => a + b, 0) / moved.length : undefined;
  const words: Record<Beat, string> = {
    forward: `Forward: ${plural(run.recipe.batchSize, 'row')}`,
    loss: `loss ${formatNumber(loss)}`,
    backward: `backward: norm ${formatNumber(gradNorm)}`,
    update: mean === undefined ? 'update' : `update: tiles are ${formatNumber(mean)} from their start`,
  };
  return (
    <ol className="status-line beats" aria-label={`Step ${run.step}`}>
      {BEATS.map((name) => (
        <li key={name} aria-current={name === beat ? 'step' : undefined}>
          {words[name]}
        </li>
      ))}
    </ol>
  );
}

const PHASES: Record<string, string> = {
  opening: 'Looking for a graphics adapter.',
  model: 'Loading the model.',
  data: 'Reading the data.',
  baselines: 'Measuring what the model can do untuned.',
  ready: 'Ready to train.',
  waiting: 'Choose a model and a table of labelled rows to begin.',
};

/** How the run came to its end, and where to go with it. */
function Ended({ run }: { run: RunView }) {
  const why = {
    steps: 'The run is done.',
    patience: 'The run ended early: dev accuracy had stopped rising.',
    stopped: 'The run was stopped.',
  }[run.finishedBecause!];
  return (
    <>
      <p className="status-line">
        {why}
        {run.bestStep !== undefined && ` Step ${formatCount(run.bestStep)} was the best on dev and is kept.`}{' '}
        <Link href="/results">What it gets wrong</Link> <Link href="/prompt">Take it home</Link>
      </p>
      <LatestNotice run={run} />
    </>
  );
}
