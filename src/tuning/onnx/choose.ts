import type { Learner } from '../trainer.ts';

export type EngineName = 'webgpu' | 'onnx';

/** A learner made for the probe alone. */
export type ProbedLearner = Learner & { destroy(): void };

export interface ProbeOptions {
  /** What WebGPU found: nothing, an adapter in software, or a GPU. */
  adapter: 'none' | 'software' | 'gpu';
  /** Makes a learner of the person's own model and rows on an engine. */
  open(engine: EngineName): Promise<ProbedLearner>;
  /** Examples of a step. */
  examples: readonly number[];
  /** The person's own choice. */
  wanted?: EngineName;
  /** In milliseconds; for tests. */
  now?(): number;
}

export interface EngineTime {
  engine: EngineName;
  /** Milliseconds of the fastest of its steps; undefined where it could not run. */
  step?: number;
  /** Steps taken: fewer than three where the first were hopelessly slow. */
  steps: number;
  /** Why it could not run. */
  problem?: string;
}

export interface EngineChoice {
  engine: EngineName;
  reason: 'wanted' | 'no-webgpu' | 'gpu' | 'faster' | 'other-failed';
  /** The same in a sentence. */
  why: string;
  /** What was measured, in the order of measuring. */
  times: EngineTime[];
}

const STEPS = 3;
/** An engine whose step takes this many times the other's best is not measured further. */
const HOPELESS = 4;

const NAMES: Record<EngineName, string> = { webgpu: 'WebGPU', onnx: 'ONNX Runtime on the CPU' };

const inWords = (ms: number): string => (ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);

/**
 * Which engine a run should use, and why. A GPU is taken as it is; without WebGPU there is one choice; a software adapter is
 * measured against ONNX Runtime, three steps each.
 * @throws what the last engine threw, where none runs
 */
export async function chooseEngine(options: ProbeOptions): Promise<EngineChoice> {
  const { adapter, wanted } = options;
  if (wanted && !(wanted === 'webgpu' && adapter === 'none'))
    return { engine: wanted, reason: 'wanted', why: `${NAMES[wanted]}, as you chose.`, times: [] };
  if (adapter === 'none')
    return {
      engine: 'onnx',
      reason: 'no-webgpu',
      why: `This browser offers no WebGPU: ${NAMES.onnx} trains instead.`,
      times: [],
    };
  if (adapter === 'gpu') return { engine: 'webgpu', reason: 'gpu', why: 'WebGPU, on your GPU.', times: [] };

  const onnx = await measure('onnx', options, Number.POSITIVE_INFINITY);
  const webgpu = await measure('webgpu', options, HOPELESS * (onnx.time.step ?? Number.POSITIVE_INFINITY));
  const times = [onnx.time, webgpu.time];
  const [a, b] = [onnx.time.step, webgpu.time.step];
  if (a === undefined && b === undefined) throw webgpu.error;
  const engine: EngineName = b === undefined || (a !== undefined && a <= b) ? 'onnx' : 'webgpu';
  const [own, other] = engine === 'onnx' ? [a!, b] : [b!, a];
  const otherName = NAMES[engine === 'onnx' ? 'webgpu' : 'onnx'];
  return other === undefined
    ? { engine, reason: 'other-failed', why: `${NAMES[engine]}: ${otherName} could not run here.`, times }
    : {
        engine,
        reason: 'faster',
        why: `${NAMES[engine]}: a step takes ${inWords(own)}; with ${otherName}, which has only a software adapter here, ${inWords(other)}.`,
        times,
      };
}

/** Steps of one engine; its first counts as well, unless a later one is faster. */
async function measure(
  engine: EngineName,
  { open, examples, now = () => performance.now() }: ProbeOptions,
  hopeless: number,
): Promise<{ time: EngineTime; error?: unknown }> {
  const time: EngineTime = { engine, steps: 0 };
  try {
    const learner = await open(engine);
    try {
      while (time.steps < STEPS) {
        const began = now();
        await learner.step(time.steps + 1, examples, { scene: false });
        time.step = Math.min(time.step ?? Number.POSITIVE_INFINITY, now() - began);
        time.steps++;
        if (time.step > hopeless) break;
      }
    } finally {
      learner.destroy();
    }
    return { time };
  } catch (error) {
    return { time: { engine, steps: time.steps, problem: (error as Error).message }, error };
  }
}
