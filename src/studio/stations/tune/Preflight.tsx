import { lazy, Suspense, useState } from 'react';
import type { RunPlan } from '../../../worker/protocol.ts';
import { Button } from '../../components/index.ts';
import { formatBytes, formatCount, formatSeconds } from '../../format.ts';
import { liveRun, type RunsState } from '../../stores/runs.ts';
import { runSeconds } from '../../stores/trials.ts';
import { useRecipe, useRuns, useSession } from '../../studio.tsx';
import { endsAt } from './endsAt.ts';
import { useProbe } from './useTrials.ts';

const PreflightDialog = lazy(async () => ({
  default: (await import('./PreflightDialog.tsx')).PreflightDialog,
}));

/** Whose memory a run takes: the processor has no other. */
export const useMemoryName = () => useSession((s) => (s.device?.engine === 'onnx' ? 'memory' : 'GPU memory'));

/** What the next run will need and take, in a line. */
export function PreflightLine({ plan }: { plan: RunPlan }) {
  const recipe = useRecipe((s) => s.recipe);
  const memory = useMemoryName();
  const probe = useProbe();
  const seconds = probe && runSeconds(probe, recipe);
  return (
    <p className="status-line">
      A run needs {formatBytes(plan.bytes.total)} of {memory}
      {plan.microBatch < recipe.batchSize && `, ${formatCount(plan.microBatch)} rows at a time`}
      {seconds !== undefined &&
        ` and takes about ${formatSeconds(seconds)}; it would end ${endsAt(seconds, new Date())}`}
      .
    </p>
  );
}

const canPlan = (s: RunsState) => s.plan !== undefined && !s.starting && liveRun(s) === undefined;

/** The way to all of it, while no run goes. */
export function PreflightButton() {
  const [open, setOpen] = useState(false);
  const shown = useRuns(canPlan);
  const ready = useSession((s) => s.phase === 'ready');
  if (!open && !(shown && ready)) return null;
  return (
    <>
      <Button onPress={() => setOpen(true)}>Preflight</Button>
      {open && (
        <Suspense>
          <PreflightDialog onClose={() => setOpen(false)} />
        </Suspense>
      )}
    </>
  );
}
