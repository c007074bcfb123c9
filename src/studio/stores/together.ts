/**
 * Several learned prompts on the one model: texts of different tasks read in one batch, a vote over the rows of the open table,
 * and the way from one prompt to another.
 */
import { createStore } from 'zustand/vanilla';
import type {
  Engine,
  LabelScore,
  Progress,
  PromptDescription,
  PromptRef,
  SlideReport,
  TogetherReport,
  VoteReport,
} from '../../worker/protocol.ts';
import type { Notices } from './notices.ts';
import { createQuestions, lastWish } from './questions.ts';
import { refKey } from './results.ts';
import type { Session } from './session.ts';

export interface TogetherState {
  /** In the order in which they were chosen. */
  chosen: PromptDescription[];
  /** Each prompt's text, by its key. */
  texts: Record<string, { text: string; text2?: string }>;
  report?: TogetherReport;
  reading: boolean;

  part: 'dev' | 'test';
  vote?: VoteReport;
  voting?: Progress;

  from?: PromptRef;
  to?: PromptRef;
  /** Virtual tokens of the two: there is a way between prompts of one length only. */
  lengths?: [from: number, to: number];
  /** 0: all of the first prompt, 1: all of the second. */
  at: number;
  slide?: SlideReport;
  sliding?: Progress;
  text: string;
  text2?: string;
  /** The labels' scores at evenly spread places. */
  along?: LabelScore[][];

  choose(prompts: PromptRef[]): Promise<void>;
  setText(key: string, text: string, text2?: string): void;
  read(): Promise<void>;
  setPart(part: 'dev' | 'test'): void;
  count(): Promise<void>;
  setEnds(from: PromptRef | undefined, to: PromptRef | undefined): void;
  setAt(at: number): void;
  measure(): Promise<void>;
  setSlideText(text: string, text2?: string): void;
  stop(): Promise<void>;
}

/** Places measured between two prompts, ends included; and places at which one text is asked, for a slider that feels smooth. */
export const SLIDE_POINTS = 11;
export const TEXT_POINTS = 21;
const SLIDE_ROWS = 128;
const TYPING_MS = 300;

export function createTogether(engine: Engine, session: Session, notices: Notices) {
  const { attempt, attemptLong, renew } = createQuestions(notices);
  const store = createStore<TogetherState>()((set, get) => {
    let typing: ReturnType<typeof setTimeout> | undefined;

    const ask = lastWish(() =>
      attempt(async (isCurrent) => {
        const { from, to, text, text2 } = get();
        if (!from || !to) return;
        if (!get().lengths) {
          const [a, b] = await engine.describePrompts([from, to]);
          if (!isCurrent() || get().from !== from || get().to !== to) return;
          set({ lengths: [a!.length, b!.length] });
        }
        const [a, b] = get().lengths!;
        if (a !== b || !text.trim()) return set({ along: undefined });
        const along = await engine.slideText(from, to, text, text2, TEXT_POINTS);
        if (isCurrent()) set({ along });
      }),
    );

    return {
      chosen: [],
      texts: {},
      reading: false,
      part: 'dev',
      at: 0,
      text: '',

      choose: (prompts) =>
        attempt(async (isCurrent) => {
          const chosen = await engine.describePrompts(prompts);
          if (!isCurrent()) return;
          const texts = { ...get().texts };
          chosen.forEach(({ prompt, examples }, i) => {
            const key = refKey(prompt);
            const own = examples[i % Math.max(1, examples.length)];
            if (!texts[key]) texts[key] = { text: own?.text ?? '', text2: own?.text2 };
          });
          set({ chosen, texts, report: undefined, vote: undefined });
        }),
      setText: (key, text, text2) =>
        set((s) => ({ texts: { ...s.texts, [key]: { text, text2 } }, report: undefined })),
      read: () =>
        attempt(async (isCurrent) => {
          const { chosen, texts } = get();
          const items = chosen.map(({ prompt }) => ({ prompt, ...texts[refKey(prompt)]! }));
          if (items.length === 0 || items.some(({ text }) => !text.trim())) return;
          set({ reading: true });
          try {
            const report = await engine.readTogether(items);
            if (isCurrent()) set({ report });
          } finally {
            if (isCurrent()) set({ reading: false });
          }
        }),
      setPart: (part) => set({ part, vote: undefined }),
      count: () =>
        attemptLong(
          'Starting',
          (voting) => set({ voting }),
          async (onProgress, isCurrent) => {
            const { chosen, part } = get();
            const prompts = chosen.map(({ prompt }) => prompt);
            const vote = await engine.vote(prompts, part, onProgress);
            if (isCurrent() && get().chosen === chosen && get().part === part) set({ vote });
          },
        ),
      setEnds(from, to) {
        if (JSON.stringify([from, to]) === JSON.stringify([get().from, get().to])) return;
        set({ from, to, lengths: undefined, slide: undefined, along: undefined });
        void ask();
      },
      setAt: (at) => set({ at }),
      async measure() {
        const { from, to } = get();
        if (!from || !to) return;
        await attemptLong(
          'Starting',
          (sliding) => set({ sliding }),
          async (onProgress, isCurrent) => {
            const options = { points: SLIDE_POINTS, rows: SLIDE_ROWS };
            const slide = await engine.slide(from, to, options, onProgress);
            if (isCurrent() && get().from === from && get().to === to) set({ slide });
          },
        );
      },
      setSlideText(text, text2) {
        set({ text, text2 });
        clearTimeout(typing);
        typing = setTimeout(() => void ask(), TYPING_MS);
      },
      stop: () => engine.stopMeasuring(),
    };
  });

  session.subscribe((now, before) => {
    if (now.task === before.task && now.model === before.model) return;
    // Rows and labels are others, or the model: what was measured, or is being measured, holds no more.
    renew();
    const { voting, sliding } = store.getState();
    if (voting || sliding) void engine.stopMeasuring();
    store.setState({
      reading: false,
      voting: undefined,
      sliding: undefined,
      vote: undefined,
      slide: undefined,
      along: undefined,
      report: undefined,
      text: '',
    });
    if (now.model !== before.model)
      store.setState({ chosen: [], texts: {}, from: undefined, to: undefined, lengths: undefined });
  });
  return store;
}

export type Together = ReturnType<typeof createTogether>;
