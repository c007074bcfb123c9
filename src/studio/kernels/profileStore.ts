/** The step that the kernel inspector shows. */
import { createStore } from 'zustand/vanilla';
import type { Recipe } from '../../tuning/recipe.ts';
import type { Engine, StepProfile } from '../../worker/protocol.ts';
import type { Notices } from '../stores/notices.ts';
import type { Session } from '../stores/session.ts';
import type { Grouping } from './profileView.ts';

export interface ProfileState {
  profile?: StepProfile;
  /** Of what it was measured: "nano-T5 small, Fact or opinion, 32 rows, 20 virtual tokens". */
  of?: string;
  measuring: boolean;
  grouping: Grouping;
  /** Index of the dispatch that is looked at. */
  selected?: number;
  measure(recipe: Recipe): Promise<void>;
  select(index: number): void;
  group(by: Grouping): void;
}

export function createProfileStore(engine: Engine, session: Session, notices: Notices) {
  const store = createStore<ProfileState>()((set, get) => ({
    measuring: false,
    grouping: 'kernel',
    async measure(recipe) {
      if (get().measuring) return;
      set({ measuring: true });
      const { model, data } = session.getState();
      try {
        const profile = await engine.profileStep(recipe);
        const { dispatches } = profile;
        const dearest = dispatches.reduce(
          (best, { durationUs }, i) => (durationUs > dispatches[best]!.durationUs ? i : best),
          0,
        );
        const of = `${model?.title}, ${data?.name}, ${profile.batch.timed} rows, ${recipe.promptLength} virtual tokens`;
        set({ profile, of, selected: dearest });
      } catch (error) {
        notices.getState().fail(error);
      } finally {
        set({ measuring: false });
      }
    },
    select(index) {
      const { profile } = get();
      if (!profile) return;
      set({ selected: Math.max(0, Math.min(profile.dispatches.length - 1, index)) });
    },
    group: (grouping) => set({ grouping }),
  }));
  session.subscribe((now, before) => {
    // Another model's step has nothing to do with the one that was measured.
    if (now.model !== before.model || now.device !== before.device)
      store.setState({ profile: undefined, selected: undefined });
  });
  return store;
}
