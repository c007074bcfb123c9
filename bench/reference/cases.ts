import type { FrozenModel } from '../../src/models/index.ts';
import { importPromptFiles } from '../../src/prompts/index.ts';
import {
  adafactorDefaults,
  adamwDefaults,
  type BatchExample,
  type OpenLearner,
  type OptimizerSettings,
  planAnswers,
  sgdDefaults,
} from '../../src/tuning/index.ts';
import type { Engine, OpenModel } from './engines.ts';
import { type NamedTensors, openTensors, type ReferenceFiles, relativeError } from './io.ts';
import { type CaseResult, Skipped, withModel } from './models.ts';

/** The tolerances that the reference README gives for a float32 implementation. */
const TOLERANCE = { loss: 1e-5, logits: 1e-4, gradient: 1e-4, prompt: 1e-3, courseLoss: 1e-4 };
/** Those for real models of many layers, which amplify rounding. */
const REAL = { ...TOLERANCE, loss: 1e-4, logits: 1e-3, gradient: 1e-3, courseLoss: 1e-3 };
/** Of the prompt after a real model's training, by optimiser. */
const REAL_PROMPT: Record<string, number> = { adamw: 1e-3, adafactor: 1e-2 };

export interface CaseJson {
  format: string;
  model: string;
  tensors: string;
  kind: string;
  input_ids: number[][];
  labels: number[][];
}

/** A decoder's labels are the end of its input: what is before them is what it reads. */
export const examplesOf = (
  { kind }: FrozenModel,
  inputs: number[][],
  labels: number[][],
  length: number,
): BatchExample[] =>
  inputs.map((ids, i) => {
    const answer = labels[i].filter((label) => label >= 0);
    return {
      ids: kind === 'causal' ? ids.slice(0, ids.length - answer.length) : ids,
      prompt: { first: 0, count: length },
      answers: planAnswers([answer]),
      target: 0,
    };
  });

export const learn = (
  open: OpenModel,
  model: FrozenModel,
  examples: BatchExample[],
  batch: number,
  prompt: Float32Array<ArrayBuffer>,
  optimizer: OptimizerSettings = sgdDefaults,
): Promise<OpenLearner> =>
  open.learn(
    {
      length: prompt.length / model.info.width,
      loss: 'vocabulary',
      optimizer,
      clipNorm: 0,
      keepLogits: true,
    },
    examples,
    prompt,
    batch,
  );

export const all = (examples: readonly unknown[]) => examples.map((_, i) => i);

/** `prompt-case/1`: loss, logits, gradient, greedy tokens. */
export async function runPromptCase(
  engine: Engine,
  files: ReferenceFiles,
  path: string,
): Promise<CaseResult> {
  const json = (await files.json(path)) as CaseJson & {
    loss: number;
    example_loss_sums: number[];
    greedy?: { new_tokens: number[][] };
    trajectories?: Record<string, Course>;
  };
  const tolerance = json.model.endsWith('.gguf') ? REAL : TOLERANCE;
  return withModel(engine, files, path, json.model, async (model, open) => {
    const tensors = await openTensors(files, files.resolve(path, json.tensors)!);
    const values = await tensors.f32('prompt');
    const length = values.length / model.info.width;
    const examples = examplesOf(model, json.input_ids, json.labels, length);
    const learner = await learn(open, model, examples, examples.length, values);
    const { loss } = await learner.step(1, all(examples), { scene: false });
    const result: CaseResult = {
      errors: [
        { of: 'loss', error: relativeError([loss], [json.loss]), allowed: tolerance.loss },
        {
          of: 'logits',
          error: relativeError(await learner.readLogits(), await tensors.f32('logits')),
          allowed: tolerance.logits,
        },
        {
          of: 'gradient',
          error: relativeError(await learner.readGradient(), await tensors.f32('grad_prompt')),
          allowed: tolerance.gradient,
        },
      ],
      exact: [],
    };
    learner.destroy();

    const scorer = await open.scorer();
    const prompt = { kind: 'values', length, values } as const;
    const scores = await scorer.score(examples.map(({ ids, answers }) => ({ ids, answers, prompt })));
    result.errors.push({
      of: 'scores',
      error: relativeError(
        scores.map((s) => -s[0]),
        json.example_loss_sums,
      ),
      allowed: tolerance.loss,
    });
    if (json.greedy) {
      const wanted = json.greedy.new_tokens;
      const options = { maxTokens: wanted[0].length, ignoreEnd: true };
      const got = await scorer.generate(
        json.input_ids.map((ids) => ({ ids, prompt })),
        options,
      );
      result.exact.push({ of: 'greedy', equal: JSON.stringify(got) === JSON.stringify(wanted) });
    }
    scorer.destroy();
    for (const [name, course] of Object.entries(json.trajectories ?? {})) {
      const settings = optimizerOf({ optimizer: name, ...course });
      const trained = await learn(open, model, examples, examples.length, values, settings);
      result.errors.push(...(await followCourse(name, course, trained, all(examples), tensors)));
      trained.destroy();
    }
    return result;
  });
}

/** `adapter-case/1`: what a PEFT folder must compute. */
export async function runAdapterCase(
  engine: Engine,
  files: ReferenceFiles,
  path: string,
): Promise<CaseResult> {
  const json = (await files.json(path)) as CaseJson & { adapter: string; loss: number; logits: number[][] };
  return withModel(engine, files, path, json.model, async (model, open) => {
    const folder = files.resolve(path, json.adapter)!;
    const names = ['adapter_config.json', 'adapter_model.safetensors'];
    const config = (await files.json(`${folder}/${names[0]}`)) as { peft_type: string };
    if (!['PROMPT_TUNING', 'P_TUNING'].includes(config.peft_type))
      throw new Skipped(`method ${config.peft_type} is not known here yet`);
    const parts = await Promise.all(
      names.map(async (name) => ({ name, data: await files.bytes(`${folder}/${name}`) })),
    );
    const { values, length } = await importPromptFiles(parts);
    const examples = examplesOf(model, json.input_ids, json.labels, length);
    const learner = await learn(open, model, examples, examples.length, new Float32Array(values));
    const { loss } = await learner.step(1, all(examples), { scene: false });
    const logits = await learner.readLogits();
    learner.destroy();
    return {
      errors: [
        { of: 'loss', error: relativeError([loss], [json.loss]), allowed: TOLERANCE.loss },
        { of: 'logits', error: relativeError(logits, json.logits.flat()), allowed: TOLERANCE.logits },
      ],
      exact: [],
    };
  });
}

/** Steps of training. */
interface Course {
  options: Record<string, number | boolean>;
  steps: number;
  kept_steps: number[];
  losses: number[];
  loss_after_last_step: number;
}

interface CourseJson extends CaseJson, Course {
  optimizer: string;
  batches: { input_ids: number[][]; labels: number[][] }[];
  batch_of_step: number[];
}

/** Training on one batch over and over: losses against the first one, and the kept prompts. */
async function followCourse(
  name: string,
  course: Course,
  learner: OpenLearner,
  batch: readonly number[],
  tensors: NamedTensors,
): Promise<CaseResult['errors']> {
  const wanted = [...course.losses, course.loss_after_last_step];
  let loss = 0;
  let prompt = 0;
  for (let step = 1; step <= course.steps + 1; step++) {
    const report = await learner.step(step, batch, { scene: false });
    loss = Math.max(loss, Math.abs(report.loss - wanted[step - 1]) / wanted[0]);
    if (course.kept_steps.includes(step))
      prompt = Math.max(
        prompt,
        relativeError((await learner.readState()).prompt, await tensors.f32(`${name}.prompt.${step}`)),
      );
  }
  return [
    { of: `${name} losses`, error: loss, allowed: REAL.courseLoss },
    { of: `${name} prompt`, error: prompt, allowed: REAL_PROMPT[name] ?? REAL.prompt },
  ];
}

function optimizerOf({ optimizer, options }: Pick<CourseJson, 'optimizer' | 'options'>): OptimizerSettings {
  const number = (name: string) => options[name] as number;
  if (optimizer.startsWith('adafactor'))
    return {
      ...adafactorDefaults,
      learningRate: number('lr'),
      weightDecay: number('weight_decay'),
      decayRate: number('decay_rate'),
      clipThreshold: number('clip_threshold'),
      factored: options.factored ? 'always' : 'never',
      decayTimesRate: options.decay_times_lr === true,
    };
  if (optimizer === 'adamw')
    return {
      ...adamwDefaults,
      learningRate: number('lr'),
      weightDecay: number('weight_decay'),
      beta1: number('beta1'),
      beta2: number('beta2'),
      epsilon: number('eps'),
    };
  if (optimizer === 'sgd_momentum')
    return { ...sgdDefaults, learningRate: number('lr'), momentum: number('momentum') };
  throw new Skipped(`optimizer ${optimizer} is not known here yet`);
}

/** `prompt-trajectory/1`: steps of training, their losses and prompts. */
export async function runTrajectory(
  engine: Engine,
  files: ReferenceFiles,
  path: string,
): Promise<CaseResult> {
  const json = (await files.json(path)) as CourseJson;
  const optimizer = optimizerOf(json);
  return withModel(engine, files, path, json.model, async (model, open) => {
    const tensors = await openTensors(files, files.resolve(path, json.tensors)!);
    const start = await tensors.f32('prompt.0');
    const length = start.length / model.info.width;
    const batches = json.batches.map(({ input_ids, labels }) => examplesOf(model, input_ids, labels, length));
    const largest = Math.max(...batches.map((batch) => batch.length));
    const learner = await learn(open, model, batches.flat(), largest, start, optimizer);
    const indices = batches.map((batch, b) => {
      const first = batches.slice(0, b).reduce((sum, other) => sum + other.length, 0);
      return batch.map((_, i) => first + i);
    });
    const losses: number[] = [];
    let prompt = 0;
    let gradient = 0;
    const gradients = await tensors.f32('grads');
    for (let step = 1; step <= json.steps; step++) {
      losses.push((await learner.step(step, indices[json.batch_of_step[step - 1]], { scene: false })).loss);
      const golden = gradients.subarray((step - 1) * start.length, step * start.length);
      if (step === 1) gradient = relativeError(await learner.readGradient(), golden);
      if (json.kept_steps.includes(step))
        prompt = Math.max(
          prompt,
          relativeError((await learner.readState()).prompt, await tensors.f32(`prompt.${step}`)),
        );
    }
    const after = indices[json.steps % batches.length];
    const last = (await learner.step(json.steps + 1, after, { scene: false })).loss;
    learner.destroy();
    const loss = Math.max(
      ...json.losses.map((wanted, i) => relativeError([losses[i]], [wanted])),
      relativeError([last], [json.loss_after_last_step]),
    );
    return {
      errors: [
        { of: 'loss', error: loss, allowed: TOLERANCE.courseLoss },
        { of: 'gradient', error: gradient, allowed: TOLERANCE.gradient },
        { of: 'prompt', error: prompt, allowed: TOLERANCE.prompt },
      ],
      exact: [],
    };
  });
}
