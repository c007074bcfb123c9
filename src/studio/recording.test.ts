import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { defaultRecipe } from '../tuning/recipe.ts';
import { type Recording, readRecording, recordedScores, recordedView } from './recording.ts';
import { createPlayback, FRAME_MS } from './stores/playback.ts';

const recipe = { ...defaultRecipe, promptLength: 2, steps: 3 };
const recording: Recording = {
  format: 'prelude-recording',
  version: 1,
  recordedOn: '2026-11-23',
  adapter: 'SwiftShader',
  software: true,
  modelId: 'small',
  modelTitle: 'nano-T5 small',
  layers: [2, 2],
  parameters: 1000,
  dataName: 'questions',
  recipe,
  learned: 2,
  seconds: 30,
  steps: [1, 2, 3].map((step) => ({ step, loss: 1 / step, gradNorm: 1 })),
  evals: [{ step: 2, accuracy: 0.5, loss: 1, best: true }],
  baselines: { majority: { label: 'a', dev: 0.4 } },
  text: 'x',
  tokens: ['▁x'],
  answers: [{ step: 2, scores: [{ label: 'a', logLikelihood: -1, probability: 1 }] }],
  frames: [1, 2, 3].map((step) => ({
    step,
    tokenGrad: [1, 2],
    tokenMoved: [0, 0],
    encoderGrad: [1, 1],
    decoderGrad: [1, 1],
  })),
};

describe('a recorded run', () => {
  test('is read as it was written, and anything else is none', () => {
    expect(readRecording(JSON.parse(JSON.stringify(recording)))).toEqual(recording);
    expect(readRecording({ ...recording, version: 2 })).toBeUndefined();
    expect(readRecording({ ...recording, frames: [] })).toBeUndefined();
    expect(readRecording('<!doctype html>')).toBeUndefined();
  });

  test('stands at a frame as it stood then', () => {
    const view = recordedView(recording, 1);
    expect(view.step).toBe(2);
    expect(view.steps).toHaveLength(2);
    expect(view.evals).toHaveLength(1);
    expect(view.seconds).toBe(20);
    expect(view.frame?.tokenGrad).toEqual(new Float32Array([1, 2]));
    expect(recordedScores(recording, 1)).toBeUndefined();
    expect(recordedScores(recording, 3)?.[0]?.label).toBe('a');
  });
});

describe('the player', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test('plays over and over until it is to finish, then stays at the end', () => {
    const playback = createPlayback();
    playback.getState().play(recording, { still: false });
    const seen = new Set<number>();
    for (let i = 0; i < 60; i++) {
      vi.advanceTimersByTime(FRAME_MS);
      seen.add(playback.getState().view!.step);
    }
    expect([...seen].sort()).toEqual([1, 2, 3]);
    expect(playback.getState().playing).toBe(true);
    playback.getState().finish();
    vi.advanceTimersByTime(60 * FRAME_MS);
    expect(playback.getState().playing).toBe(false);
    expect(playback.getState().view?.step).toBe(3);
  });

  test('with reduced motion only the last frame shows', () => {
    const playback = createPlayback();
    playback.getState().play(recording, { still: true });
    expect(playback.getState().view?.step).toBe(3);
    expect(playback.getState().playing).toBe(false);
  });

  test('one’s own run ends it', () => {
    const playback = createPlayback();
    playback.getState().play(recording, { still: false });
    playback.getState().clear();
    vi.advanceTimersByTime(5 * FRAME_MS);
    expect(playback.getState().view).toBeUndefined();
  });
});
