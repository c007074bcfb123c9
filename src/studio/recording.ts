/**
 * Recorded runs: `public/recordings/NAME.json`, made from a real run of the engine and played in the scene while the weights
 * load. The studio says on the screen that it is a recording, of what day and of what adapter.
 */
import * as v from 'valibot';
import { recipeSchema } from '../tuning/recipe.ts';
import type { RunSummary, SceneFrame } from '../worker/protocol.ts';
import { type RunView, viewOf } from './stores/runs.ts';

const numbers = v.array(v.number());
const scores = v.array(v.object({ label: v.string(), logLikelihood: v.number(), probability: v.number() }));

const recordingSchema = v.object({
  format: v.literal('prelude-recording'),
  version: v.literal(1),
  /** ISO date. */
  recordedOn: v.string(),
  adapter: v.string(),
  software: v.boolean(),
  modelId: v.string(),
  modelTitle: v.string(),
  /** Layers of encoder and decoder. */
  layers: v.tuple([v.number(), v.number()]),
  parameters: v.number(),
  dataName: v.string(),
  recipe: recipeSchema,
  learned: v.number(),
  seconds: v.number(),
  steps: v.array(v.object({ step: v.number(), loss: v.number(), gradNorm: v.number() })),
  evals: v.array(v.object({ step: v.number(), accuracy: v.number(), loss: v.number(), best: v.boolean() })),
  baselines: v.object({
    majority: v.object({ label: v.string(), dev: v.number() }),
    untuned: v.optional(v.number()),
    written: v.optional(v.number()),
  }),
  /** The text in "Try it" at the time, as the model read it, and what the soft prompt made of it. */
  text: v.string(),
  tokens: v.array(v.string()),
  answers: v.array(v.object({ step: v.number(), scores })),
  frames: v.array(
    v.object({
      step: v.number(),
      tokenGrad: numbers,
      tokenMoved: numbers,
      encoderGrad: numbers,
      decoderGrad: numbers,
    }),
  ),
});

export type Recording = v.InferOutput<typeof recordingSchema>;

/** The recording at `url`, or undefined when there is none (an older browser's cache, a bare checkout): the scene then stands still. */
export async function fetchRecording(url: string): Promise<Recording | undefined> {
  try {
    const response = await fetch(url);
    if (!response.ok) return undefined;
    return readRecording(await response.json());
  } catch {
    return undefined;
  }
}

/** Checks a recording; undefined when it is none, or has no frame. */
export function readRecording(value: unknown): Recording | undefined {
  const result = v.safeParse(recordingSchema, value);
  return result.success && result.output.frames.length > 0 ? result.output : undefined;
}

/** The recorded run as it stood at its frame number `index`. */
export function recordedView(recording: Recording, index: number): RunView {
  const frame = recording.frames[index]!;
  const { step } = frame;
  const last = recording.steps.at(-1)?.step ?? 1;
  const summary: RunSummary = {
    id: 'recording',
    name: 'recording',
    state: index === recording.frames.length - 1 ? 'finished' : 'running',
    recipe: recording.recipe,
    modelId: recording.modelId,
    modelTitle: recording.modelTitle,
    dataName: recording.dataName,
    step,
    steps: recording.steps.filter((record) => record.step <= step),
    evals: recording.evals.filter((record) => record.step <= step),
    seconds: (recording.seconds * step) / last,
    learned: recording.learned,
    resumable: false,
  };
  return { ...viewOf(summary), frame: toFrame(frame) };
}

function toFrame(frame: Recording['frames'][number]): SceneFrame {
  return {
    step: frame.step,
    tokenGrad: Float32Array.from(frame.tokenGrad),
    tokenMoved: Float32Array.from(frame.tokenMoved),
    encoderGrad: Float32Array.from(frame.encoderGrad),
    decoderGrad: Float32Array.from(frame.decoderGrad),
  };
}

/** What the soft prompt answered at or before a step. */
export function recordedScores(recording: Recording, step: number) {
  return recording.answers.findLast((answer) => answer.step <= step)?.scores;
}
