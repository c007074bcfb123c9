import { lazy, Suspense } from 'react';
import { recordedScores } from '../../recording.ts';
import { fitsSession } from '../../stores/connect.ts';
import { currentRun, type RunsState } from '../../stores/runs.ts';
import {
  useControl,
  useLive,
  usePlayback,
  useRecipe,
  useRuns,
  useSession,
  useStudio,
  useTryIt,
} from '../../studio.tsx';
import { useTourStop } from '../../tour/useTour.ts';
import { GoesIn } from './GoesIn.tsx';
import { PreflightButton } from './Preflight.tsx';
import { RunsTable } from './RunsTable.tsx';
import { Scene } from './Scene.tsx';
import { StatusLine, Transport } from './Transport.tsx';
import { TryItPanel } from './TryItPanel.tsx';
import './tune.css';
import { type Beat, useBeats } from './useBeats.ts';
import { useFlats } from './useFlats.ts';
import { useTrainKeys } from './useTrain.ts';

const Tour = lazy(async () => ({ default: (await import('../../tour/Tour.tsx')).Tour }));
const Charts = lazy(async () => ({ default: (await import('./Charts.tsx')).Charts }));

const allRuns = (s: RunsState) => s.runs;

/** The Tune station: what goes in, what happens, what comes out, and the runs below. */
export function TuneStation() {
  useTrainKeys();
  const tryIt = !useControl('tryit').hidden;
  const runs = !useControl('runs').hidden;
  const stop = useTourStop();
  return (
    <main id="main" className="tune" data-without-out={!tryIt || undefined}>
      <h1 className="sr-only">Tune</h1>
      <GoesIn />
      <Happens />
      {tryIt && <TryItPanel />}
      {runs && <RunsTable />}
      {stop && (
        <Suspense>
          <Tour number={stop} />
        </Suspense>
      )}
    </main>
  );
}

/** Middle: what happens. The person's own run, or, until there is one, the recorded run. */
function Happens() {
  const current = useLive(currentRun);
  const runs = useLive(allRuns);
  const model = useSession((s) => s.model);
  const data = useSession((s) => s.data);
  const played = usePlayback((s) => s.view);
  const recording = usePlayback((s) => s.recording);
  const steps = useRecipe((s) => s.recipe.steps);
  const flats = useFlats();
  const beat = useBeats(current);
  const run = current ?? played;
  const recorded = current ? undefined : recording;
  const own = runs.filter((r) => fitsSession(r, model?.id, data?.name) || r.id === current?.id);
  const shown = recorded && played ? [played] : own;
  return (
    <section className="tune-happens" aria-label="What happens">
      <SceneOf beat={beat} />
      <Transport run={run} recorded={recorded !== undefined} />
      <div className="status">
        <div>
          <StatusLine run={current} beat={beat} />
        </div>
        <PreflightButton />
      </div>
      <Suspense fallback={<div className="charts" />}>
        <Charts
          runs={shown}
          currentId={run?.id}
          xMax={Math.max(run?.recipe.steps ?? steps, ...shown.filter((r) => !r.hidden).map((r) => r.step))}
          flats={recorded ? recordedFlats(recorded) : flats}
        />
      </Suspense>
    </section>
  );
}

function recordedFlats({
  baselines,
}: {
  baselines: { majority: { label: string; dev: number }; untuned?: number; written?: number };
}) {
  const flats = [{ name: `always “${baselines.majority.label}”`, value: baselines.majority.dev }];
  if (baselines.untuned !== undefined) flats.push({ name: 'untuned', value: baselines.untuned });
  if (baselines.written !== undefined) flats.push({ name: 'written prompt', value: baselines.written });
  return flats;
}

const NO_TOKENS: string[] = [];
const NO_LAYERS = [4, 4] as const;

function SceneOf({ beat }: { beat: Beat | undefined }) {
  const current = useLive(currentRun);
  const played = usePlayback((s) => s.view);
  const recording = usePlayback((s) => s.recording);
  const model = useSession((s) => s.model);
  const plan = useRuns((s) => s.plan);
  const length = useRecipe((s) => s.recipe.promptLength);
  const reading = useTryIt((s) => s.reading);
  const answers = useTryIt((s) => s.softScores);
  const tile = useTryIt((s) => s.tile);
  const { setTile } = useStudio().tryIt.getState();
  if (!current && recording && played)
    return (
      <Scene
        modelTitle={recording.modelTitle}
        layers={recording.layers}
        promptLength={recording.recipe.promptLength}
        frozen={recording.parameters}
        learned={recording.learned}
        tokens={recording.tokens}
        frame={played.frame}
        answers={recordedScores(recording, played.step)}
        recorded={`Recorded on ${recording.adapter}, ${recording.recordedOn.slice(0, 4)}; press Train for yours.`}
        tile={tile}
        onTile={setTile}
      />
    );
  const promptLength = current?.recipe.promptLength ?? length;
  const width = model?.width ?? 0;
  return (
    <Scene
      modelTitle={current?.modelTitle ?? model?.title ?? 'A T5'}
      layers={model?.layers ?? NO_LAYERS}
      promptLength={promptLength}
      frozen={plan?.frozen ?? model?.parameters ?? 0}
      frozenBytes={model?.weightBytes}
      learned={current?.learned ?? promptLength * width}
      tokens={reading?.tokens ?? NO_TOKENS}
      frame={current?.frame}
      answers={answers}
      beat={beat}
      tile={tile !== undefined && tile < promptLength ? tile : undefined}
      onTile={setTile}
    />
  );
}
