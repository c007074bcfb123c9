/** What follows from what between the stores: a new task fills "Try it", a run that moves on has its prompt asked again. */

import type { PromptRef } from '../../worker/protocol.ts';
import { fetchRecording } from '../recording.ts';
import type { Studio } from '../studio.tsx';
import { currentRun, isLive, type RunView } from './runs.ts';
import { watchRuns } from './selfWatch.ts';
import { dropStaleErrors } from './staleErrors.ts';
import { pickExamples } from './watched.ts';

/** Rows of the dev set that are looked through for good examples. */
const LOOK_THROUGH = 60;
const PINS = 3;
const PLAN_MS = 200;

/** Ties the stores of a studio together. Returns the way to untie them. */
export function connect(studio: Studio): () => void {
  const { engine, session, recipe, runs, tryIt, playback, notices } = studio;
  let planTimer: ReturnType<typeof setTimeout> | undefined;

  const plan = () => {
    clearTimeout(planTimer);
    planTimer = setTimeout(() => {
      if (session.getState().task) void runs.getState().planFor(recipe.getState().recipe);
    }, PLAN_MS);
  };

  const fillTryIt = async () => {
    try {
      const { rows } = await engine.rows({ start: 0, count: LOOK_THROUGH, part: 'dev' });
      const { first, watched } = pickExamples(rows, PINS);
      if (first) tryIt.getState().reset(first.text, first.text2, watched);
    } catch (error) {
      notices.getState().fail(error);
    }
  };

  /** The run's prompt answers until it changes; a saved prompt that was put in its place meanwhile stays. */
  let answering: string | undefined;
  const answerByRun = ({ always }: { always: boolean }) => {
    const soft = softOf(studio);
    const key = JSON.stringify(soft);
    if (key === answering && !always) return;
    answering = key;
    tryIt.getState().setSoft(soft);
  };

  const unsubscribe = [
    session.subscribe((now, before) => {
      if (now.device && !before.device) void runs.getState().load();
      if (now.task && now.task !== before.task) {
        void fillTryIt();
        plan();
      }
      if (now.task !== before.task) answerByRun({ always: true });
      // Who has runs of an earlier visit sees those; a recording is for the first time.
      if (now.phase === 'ready' && before.phase !== 'ready') {
        if (runs.getState().runs.length > 0) playback.getState().clear();
        else playback.getState().finish();
        if (now.device?.choice.reason === 'unmeasured')
          void session.getState().compareEngines(recipe.getState().recipe);
      }
    }),
    recipe.subscribe(plan),
    dropStaleErrors(session, notices),
    watchRuns(studio),
    runs.subscribe((now, before) => {
      const run = currentRun(now);
      const old = currentRun(before);
      if (run === old) return;
      if (run) playback.getState().clear();
      if (run && (tryIt.getState().tile ?? 0) >= run.recipe.promptLength) tryIt.getState().setTile(undefined);
      answerByRun({ always: false });
      if (run && old?.id === run.id && run.step !== old.step) tryIt.getState().touch();
    }),
  ];
  return () => {
    clearTimeout(planTimer);
    for (const stop of unsubscribe) stop();
  };
}

/** The soft prompt that answers in "Try it": the current run's, while model and data are still those it learned on. */
function softOf({ session, runs }: Studio): PromptRef | undefined {
  const run = currentRun(runs.getState());
  const { model, data, task } = session.getState();
  if (!run || !task || !fitsSession(run, model?.id, data?.name)) return undefined;
  if (run.state === 'starting') return undefined;
  return { kind: 'run', run: run.id, which: isLive(run.state) ? 'current' : 'best' };
}

export function fitsSession(
  run: RunView,
  modelId: string | undefined,
  dataName: string | undefined,
): boolean {
  return run.modelId === modelId && run.dataName === dataName;
}

/** Fetches the recorded run and plays it, unless something of one's own came first. */
export async function playRecording(
  { session, runs, playback }: Studio,
  url: string,
  still: boolean,
): Promise<void> {
  const recording = await fetchRecording(url);
  if (!recording || currentRun(runs.getState())) return;
  playback.getState().play(recording, { still });
  if (session.getState().phase !== 'ready') return;
  if (runs.getState().runs.length > 0) playback.getState().clear();
  else playback.getState().finish();
}
