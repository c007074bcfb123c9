import type { Learner } from '../trainer.ts';

export type EngineName = 'webgpu' | 'onnx';

/** A learner made for the probe alone. */
export type ProbedLearner = Pick<Learner, 'step'> & { destroy(): void };

export interface ProbeOptions {
  /** Makes a learner of the person's own model and rows on an engine. */
  open(engine: EngineName): Promise<ProbedLearner>;
  /** Examples of a step. */
  examples: readonly number[];
  /** Ends the probe with its reason. */
  signal?: AbortSignal;
  /** Milliseconds an engine may take for opening and all its steps. Default 30 s. */
  patience?: number;
  /** Whether the WebGPU that was opened is software, as the sentence then says. */
  isSoftware?(): boolean;
  /** In milliseconds; for tests. */
  now?(): number;
}

export interface EngineTime {
  engine: EngineName;
  /** Milliseconds of the fastest of its steps; undefined where it took none. */
  step?: number;
  /** Steps taken: fewer than three where the first were hopelessly slow. */
  steps: number;
  /** Why it took none. */
  problem?: string;
}

export interface MeasuredChoice {
  engine: EngineName;
  reason: 'faster' | 'other-failed';
  /** The same in a sentence. */
  why: string;
  /** What was measured, in the order of measuring. */
  times: EngineTime[];
}

const STEPS = 3;
/** An engine whose step takes this many times the other's best is not measured further. */
const HOPELESS = 4;
const PATIENCE_MS = 30_000;

const NAMES: Record<EngineName, string> = {
  webgpu: 'WebGPU',
  onnx: 'the processor (ONNX Runtime)',
};

const inWords = (ms: number): string => (ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);

/**
 * Which of two engines is faster, asked where WebGPU is a software adapter: three steps each of the person's own task, ONNX Runtime first. A
 * GPU, or no WebGPU, needs no measurement.
 * @throws what the last engine threw, where none runs; the signal's reason where that ends the probe
 */
export async function chooseEngine(options: ProbeOptions): Promise<MeasuredChoice> {
  const onnx = await measure('onnx', options, Number.POSITIVE_INFINITY);
  const webgpu = await measure('webgpu', options, HOPELESS * (onnx.time.step ?? Number.POSITIVE_INFINITY));
  const times = [onnx.time, webgpu.time];
  const [a, b] = [onnx.time.step, webgpu.time.step];
  if (a === undefined && b === undefined) throw webgpu.error;
  const engine: EngineName = b === undefined || (a !== undefined && a <= b) ? 'onnx' : 'webgpu';
  const [own, other] = engine === 'onnx' ? [a!, b] : [b!, a];
  const nameOf = (name: EngineName) =>
    name === 'webgpu' && options.isSoftware?.() ? 'WebGPU, which is only software here,' : NAMES[name];
  const otherName = nameOf(engine === 'onnx' ? 'webgpu' : 'onnx');
  const first = `On ${nameOf(engine)} a step takes ${inWords(own)}`;
  return other === undefined
    ? { engine, reason: 'other-failed', why: `${first}; on ${otherName} none could be taken.`, times }
    : { engine, reason: 'faster', why: `${first}; on ${otherName} ${inWords(other)}.`, times };
}

/** Steps of one engine; its first counts as well, unless a later one is faster. */
async function measure(
  engine: EngineName,
  { open, examples, signal, patience = PATIENCE_MS, now = () => performance.now() }: ProbeOptions,
  hopeless: number,
): Promise<{ time: EngineTime; error?: unknown }> {
  const time: EngineTime = { engine, steps: 0 };
  let over = false;
  const work = async () => {
    const learner = await open(engine);
    try {
      while (!over && time.steps < STEPS) {
        const began = now();
        await learner.step(time.steps + 1, examples, { scene: false });
        if (over) break;
        time.step = Math.min(time.step ?? Number.POSITIVE_INFINITY, now() - began);
        time.steps++;
        if (time.step > hopeless) break;
      }
    } finally {
      learner.destroy();
    }
  };
  const end = ending(signal, patience);
  try {
    await Promise.race([work(), end.happens]);
    return { time };
  } catch (error) {
    if (signal?.aborted) throw error;
    // Steps that were taken count, even where the next one never ended.
    if (time.step !== undefined) return { time };
    return { time: { engine, steps: 0, problem: (error as Error).message }, error };
  } finally {
    // Work that cannot be broken off puts its learner away when it comes to its end.
    over = true;
    end.forget();
  }
}

/** Rejects when the signal says so, or when patience is at an end. */
function ending(signal: AbortSignal | undefined, patience: number) {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let stop: (() => void) | undefined;
  const happens = new Promise<never>((_, reject) => {
    signal?.throwIfAborted();
    stop = () => reject(signal!.reason);
    signal?.addEventListener('abort', stop);
    timer = setTimeout(
      () => reject(new Error(`no step was done within ${Math.round(patience / 1000)} s`)),
      patience,
    );
  });
  return {
    happens,
    forget() {
      clearTimeout(timer);
      if (stop) signal?.removeEventListener('abort', stop);
    },
  };
}
