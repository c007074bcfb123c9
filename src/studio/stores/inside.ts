/**
 * The inside of one prompt: its way over its steps, the words nearest to its virtual tokens at the step one looks at, which of
 * them matter, and who attends to them. Asks the engine one question of a kind at a time; the last wish wins.
 */
import { createStore } from 'zustand/vanilla';
import type {
  AttentionToPrompt,
  Engine,
  LeaveOneOut,
  Progress,
  PromptRef,
  PromptTrail,
  TokenNeighbours,
  VocabularyMap,
} from '../../worker/protocol.ts';
import type { Notices } from './notices.ts';
import { createQuestions, lastWish } from './questions.ts';
import type { Session } from './session.ts';

export interface InsideState {
  prompt?: PromptRef;
  map?: VocabularyMap;
  trail?: PromptTrail;
  /** Which of the trail's steps is looked at. */
  at: number;
  /** The virtual token that was touched, from 0. */
  tile?: number;
  /** Nearest words at that step. */
  words?: TokenNeighbours;
  leave?: LeaveOneOut;
  /** Leaving one out goes on. */
  measuring?: Progress;
  text: string;
  text2?: string;
  attention?: AttentionToPrompt;
  /** Attention is asked for. */
  looking: boolean;

  /** Another prompt, and with it everything anew. */
  choose(prompt: PromptRef | undefined): void;
  setAt(at: number): void;
  setTile(tile: number | undefined): void;
  /** A run went on: its trail is longer now. */
  refresh(): void;
  measure(rows: number): Promise<void>;
  stop(): Promise<void>;
  setText(text: string, text2?: string): void;
}

/** Words shown for a virtual token. */
const WORDS = 5;
const TYPING_MS = 300;

export function createInside(engine: Engine, session: Session, notices: Notices) {
  const store = createStore<InsideState>()((set, get) => {
    const { attempt, attemptLong, renew } = createQuestions(notices);
    const wordsOf = new Map<string, TokenNeighbours>();
    let typing: ReturnType<typeof setTimeout> | undefined;

    const readTrail = lastWish(() =>
      attempt(async (isCurrent) => {
        const { prompt, trail: before, at } = get();
        if (!prompt) return;
        const map = get().map ?? (await engine.vocabularyMap());
        const trail = await engine.promptTrail(prompt);
        if (!isCurrent()) return;
        const last = trail.steps.length - 1;
        // Who looks at the end stays there while the run goes on.
        const atEnd = !before || at >= before.steps.length - 1;
        set({ map, trail, at: atEnd ? last : Math.min(at, last) });
        void readWords();
      }),
    );
    const readWords = lastWish(() =>
      attempt(async (isCurrent) => {
        const { prompt, trail, at } = get();
        const step = trail?.steps[at];
        if (!prompt || step === undefined) return;
        const key = `${JSON.stringify(prompt)} ${step}`;
        const words =
          wordsOf.get(key) ??
          (await engine.neighbours(prompt, WORDS, prompt.kind === 'run' ? step : undefined));
        wordsOf.set(key, words);
        if (isCurrent()) set({ words });
      }),
    );
    const look = lastWish(() =>
      attempt(async (isCurrent) => {
        const { prompt, text, text2 } = get();
        const able = session.getState().device?.engine !== 'onnx';
        if (!prompt || !text.trim() || !able) {
          set({ attention: undefined });
          return;
        }
        set({ looking: true });
        try {
          const attention = await engine.attention(prompt, text, text2);
          if (isCurrent()) set({ attention });
        } finally {
          set({ looking: false });
        }
      }),
    );

    return {
      at: 0,
      text: '',
      looking: false,

      choose(prompt) {
        if (JSON.stringify(prompt) === JSON.stringify(get().prompt)) return;
        renew();
        if (get().measuring) void engine.stopMeasuring();
        set({
          prompt,
          trail: undefined,
          at: 0,
          tile: undefined,
          words: undefined,
          leave: undefined,
          measuring: undefined,
          attention: undefined,
        });
        void readTrail();
        void look();
      },
      setAt(at) {
        set({ at });
        void readWords();
      },
      setTile: (tile) => set({ tile }),
      refresh: () => void readTrail(),
      async measure(rows) {
        const { prompt, measuring } = get();
        if (!prompt || measuring) return;
        await attemptLong(
          'Leaving one virtual token out',
          (progress) => set({ measuring: progress }),
          async (onProgress, isCurrent) => {
            const leave = await engine.leaveOneOut(prompt, { rows }, onProgress);
            if (isCurrent()) set({ leave });
          },
        );
      },
      stop: () => engine.stopMeasuring(),
      setText(text, text2) {
        set({ text, text2 });
        clearTimeout(typing);
        typing = setTimeout(() => void look(), TYPING_MS);
      },
    };
  });

  session.subscribe((now, before) => {
    if (now.task === before.task && now.model === before.model && now.device === before.device) return;
    // Labels, model or engine are others: the map and what was measured are too. The page chooses anew.
    store.getState().choose(undefined);
    store.setState({ map: undefined });
  });
  return store;
}

export type Inside = ReturnType<typeof createInside>;
