/** Plays a recorded run: ten frames a second, over and over while the weights load, then to its end. */
import { createStore } from 'zustand/vanilla';
import { type Recording, recordedView } from '../recording.ts';
import type { RunView } from './runs.ts';

export interface PlaybackState {
  recording?: Recording;
  /** The recorded run as it stood at the frame that shows. */
  view?: RunView;
  playing: boolean;
  /** Begins. With `still` (reduced motion) only the last frame shows. */
  play(recording: Recording, options: { still: boolean }): void;
  /** Plays to the end once more and stays there. */
  finish(): void;
  /** A run of one's own has begun. */
  clear(): void;
}

export const FRAME_MS = 100;
/** Frames the last picture stays before it begins again. */
const HOLD = 20;

export function createPlayback() {
  let timer: ReturnType<typeof setInterval> | undefined;
  let index = 0;
  let hold = 0;
  let once = false;
  return createStore<PlaybackState>()((set, get) => {
    const halt = () => {
      clearInterval(timer);
      timer = undefined;
    };
    const tick = () => {
      const { recording } = get();
      if (!recording) return halt();
      const last = recording.frames.length - 1;
      if (index === last) {
        if (once) {
          halt();
          set({ playing: false });
          return;
        }
        if (hold++ < HOLD) return;
        hold = 0;
        index = -1;
      }
      index++;
      set({ view: recordedView(recording, index) });
    };
    return {
      playing: false,
      play(recording, { still }) {
        halt();
        once = false;
        index = still ? recording.frames.length - 1 : 0;
        set({ recording, view: recordedView(recording, index), playing: !still });
        if (!still) timer = setInterval(tick, FRAME_MS);
      },
      finish() {
        once = true;
      },
      clear() {
        halt();
        set({ recording: undefined, view: undefined, playing: false });
      },
    };
  });
}

export type Playback = ReturnType<typeof createPlayback>;
