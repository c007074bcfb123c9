/**
 * The task's settings as they stand in the Data station's fields. A change is used at once, or after a pause in typing, as
 * soon as nothing is wrong with it; until then the engine keeps what it has. One change is in work at a time, and the newest waits.
 */
import { createStore } from 'zustand/vanilla';
import type { Engine, Roles, TaskSettings } from '../../worker/protocol.ts';
import type { Notices } from './notices.ts';
import type { Session } from './session.ts';
import { problemsOf, type SettingName, sameSettings, withRoles } from './taskSettings.ts';

export interface TaskDraftState {
  draft?: TaskSettings;
  problems: Partial<Record<SettingName, string>>;
  /** The fields say something else than what is in use. */
  pending: boolean;
  /** The engine is at it. */
  applying: boolean;
  change(make: (settings: TaskSettings) => TaskSettings, when?: 'now' | 'typing'): void;
  /** Other columns; labels of another column get the words that the engine suggests for them. */
  setRoles(roles: Roles): Promise<void>;
  /** Back to what is in use. */
  revert(): void;
  /** Breaks off the reading or preparing that goes on and stays with the table and task that are in use. */
  stop(): Promise<void>;
}

/** Wait after a key press before a setting is used. */
export const TYPING_MS = 700;

export function createTaskDraft(engine: Engine, session: Session, notices: Notices) {
  const store = createStore<TaskDraftState>()((set, get) => {
    let timer: ReturnType<typeof setTimeout> | undefined;

    const apply = async () => {
      clearTimeout(timer);
      const { draft, applying } = get();
      const { task, data } = session.getState();
      if (!draft || !data || applying) return;
      if (Object.keys(problemsOf(draft, data.columns)).length > 0) return;
      if (task && sameSettings(task.settings, draft)) {
        set({ pending: false });
        return;
      }
      set({ applying: true });
      // Told by the store, not by the promise: baselines are still measured when the task has long been set.
      let over = false;
      const done = (used: boolean) => {
        if (over) return;
        over = true;
        unsubscribe();
        set({ applying: false });
        const latest = get().draft;
        if (latest && !sameSettings(latest, draft)) void apply();
        else if (used) set({ pending: false });
      };
      const unsubscribe = session.subscribe((now) => {
        if (now.task?.settings && sameSettings(now.task.settings, draft)) done(true);
      });
      done(await session.getState().setTask(draft));
    };

    return {
      problems: {},
      pending: false,
      applying: false,
      change(make, when = 'now') {
        const { draft } = get();
        const { data } = session.getState();
        if (!draft || !data) return;
        const next = make(draft);
        set({ draft: next, problems: problemsOf(next, data.columns), pending: true });
        clearTimeout(timer);
        if (when === 'now') void apply();
        else timer = setTimeout(() => void apply(), TYPING_MS);
      },
      async setRoles(roles) {
        const { draft, change } = get();
        const { data } = session.getState();
        if (!draft || !data) return;
        const next = withRoles(draft, roles);
        const asks = roles.label !== draft.roles.label && problemsOf(next, data.columns).roles === undefined;
        if (!asks) return change(() => next);
        set({ draft: next, problems: problemsOf(next, data.columns), pending: true });
        clearTimeout(timer);
        // A column that cannot be the label has no words to suggest; using it says why.
        const suggested = await engine.suggestTask(roles).catch(() => undefined);
        const now = get().draft;
        if (!now || session.getState().data !== data || now.roles !== next.roles) return;
        change((settings) =>
          suggested
            ? { ...settings, verbalizers: suggested.verbalizers, writtenPrompt: suggested.writtenPrompt }
            : settings,
        );
      },
      revert() {
        clearTimeout(timer);
        const { task } = session.getState();
        if (task) set({ draft: task.settings, problems: {}, pending: false });
      },
      async stop() {
        const { task } = session.getState();
        if (!task) return session.getState().stopReading();
        get().revert();
        try {
          // Newer work makes the engine break off what goes on, and this changes nothing.
          await engine.setTask(task.settings, () => {});
        } catch (error) {
          notices.getState().fail(error);
        }
      },
    };
  });

  /** Another table or another task from elsewhere (a model change, a mend): the fields follow unless a change is on its way. */
  const follow = async () => {
    const { data, task, phase } = session.getState();
    if (task) {
      if (!store.getState().pending) store.setState({ draft: task.settings, problems: {} });
      return;
    }
    // The table was read but its suggestion could not be used: the fields show it, so that it can be mended.
    if (data && phase === 'waiting' && !store.getState().draft)
      try {
        const draft = await engine.suggestTask();
        if (session.getState().data === data && !store.getState().draft)
          store.setState({ draft, problems: problemsOf(draft, data.columns), pending: true });
      } catch (error) {
        notices.getState().fail(error);
      }
  };
  session.subscribe((now, before) => {
    if (now.data !== before.data) store.setState({ draft: undefined, problems: {}, pending: false });
    if (now.task !== before.task || now.phase !== before.phase) void follow();
  });
  void follow();
  return store;
}

export type TaskDraft = ReturnType<typeof createTaskDraft>;
