import { fitsSession } from '../../stores/connect.ts';
import type { RunView } from '../../stores/runs.ts';
import { useSession, useStudio } from '../../studio.tsx';

/** Takes an unfinished run up again; its model and sample are loaded first where others are there now. */
export function useResume(run: RunView): () => void {
  const { session, runs } = useStudio();
  const models = useSession((s) => s.models);
  const samples = useSession((s) => s.samples);
  return async () => {
    const { model, data, loadModel, openData } = session.getState();
    if (!fitsSession(run, model?.id, data?.name)) {
      const card = models.find((m) => m.id === run.modelId);
      const sample = samples.find((s) => s.title === run.dataName || s.id === run.dataName);
      if (card && model?.id !== card.id && !(await loadModel({ kind: 'builtin', id: card.id }))) return;
      if (sample && data?.name !== run.dataName && !(await openData({ kind: 'sample', id: sample.id })))
        return;
    }
    await runs.getState().resumeStored(run.id);
  };
}
