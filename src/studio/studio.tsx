/** The stores of one studio, and how React components reach them. */
import { createContext, useContext } from 'react';
import { useStore } from 'zustand';
import type { Engine } from '../worker/protocol.ts';
import { perStudio } from './perStudio.ts';
import { connect } from './stores/connect.ts';
import { createEvaluations, type Evaluations, type EvaluationsState } from './stores/evaluations.ts';
import { createLive } from './stores/live.ts';
import { createMirror, type Mirror } from './stores/mirror.ts';
import { createNotices, type Notices, type NoticesState } from './stores/notices.ts';
import { createPlayback, type Playback, type PlaybackState } from './stores/playback.ts';
import { createRecipe, type RecipeState, type RecipeStore } from './stores/recipe.ts';
import { createRuns, type Runs, type RunsState } from './stores/runs.ts';
import { createSession, type Session, type SessionState } from './stores/session.ts';
import type { Setting } from './stores/setting.ts';
import { type Control, fixedParts, NO_TEACHER, type Teacher } from './stores/teacher.ts';
import { createTryIt, type TryIt, type TryItState } from './stores/tryIt.ts';

export interface Studio {
  engine: Engine;
  notices: Notices;
  evaluations: Evaluations;
  session: Session;
  recipe: RecipeStore;
  runs: Runs;
  tryIt: TryIt;
  playback: Playback;
  mirror: Mirror;
  /** What the link that was opened locks and hides. */
  teacher: Teacher;
}

/** @param setting what the link that was opened asks for; see `openSetting` for the rest of it */
export function createStudio(engine: Engine, setting: Setting = { teacher: NO_TEACHER }): Studio {
  const notices = createNotices();
  const evaluations = createEvaluations(engine);
  const studio: Studio = {
    engine,
    notices,
    evaluations,
    session: createSession(engine, notices, evaluations),
    recipe: createRecipe(setting.recipe, fixedParts(setting.teacher)),
    runs: createRuns(engine, notices, evaluations),
    tryIt: createTryIt(engine, notices),
    playback: createPlayback(),
    mirror: createMirror(setting.hub),
    teacher: setting.teacher,
  };
  connect(studio);
  return studio;
}

export const StudioContext = createContext<Studio | undefined>(undefined);

/** The studio's engine and stores, for actions (`studio.session.getState().loadModel(...)`). */
export function useStudio(): Studio {
  const studio = useContext(StudioContext);
  if (!studio) throw new Error('useStudio outside of a StudioContext');
  return studio;
}

/** Whether the link that was opened hides or locks a control. */
export function useControl(id: Control): { hidden: boolean; locked: boolean } {
  const { hidden, locked } = useStudio().teacher;
  return { hidden: hidden.has(id), locked: locked.has(id) };
}

export function useNotices<T>(select: (state: NoticesState) => T): T {
  return useStore(useStudio().notices, select);
}
export function useEvaluations<T>(select: (state: EvaluationsState) => T): T {
  return useStore(useStudio().evaluations, select);
}
export function useSession<T>(select: (state: SessionState) => T): T {
  return useStore(useStudio().session, select);
}
export function useRecipe<T>(select: (state: RecipeState) => T): T {
  return useStore(useStudio().recipe, select);
}
export function useRuns<T>(select: (state: RunsState) => T): T {
  return useStore(useStudio().runs, select);
}
export function useTryIt<T>(select: (state: TryItState) => T): T {
  return useStore(useStudio().tryIt, select);
}
export function usePlayback<T>(select: (state: PlaybackState) => T): T {
  return useStore(useStudio().playback, select);
}

const liveOf = perStudio(({ runs }) => createLive(runs));

/** As `useRuns`, of the picture that all panels draw: see `createLive`. */
export function useLive<T>(select: (state: RunsState) => T): T {
  return useStore(liveOf(useStudio()), select);
}
