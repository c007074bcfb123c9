/**
 * What a run will be, before it starts: its examples as the learner takes them, the memory and batch it will need, and the
 * learner itself.
 */
import { seededRandom, shuffle } from '../data/index.ts';
import { PreludeError } from '../errors.ts';
import {
  type BatchExample,
  createSampler,
  type LearnerSettings,
  type MemoryPrediction,
  planAnswers,
  planBatch,
  predictMemory,
  type Recipe,
  type StartedPrompt,
  startPrompt,
} from '../tuning/index.ts';
import type { DeviceDesk, ResidentModel } from './device.ts';
import type { LiveLearner, Place } from './place.ts';
import type { PreparedTask } from './preparedTask.ts';
import type { OnProgress, RunEvent, RunPlan } from './protocol.ts';

/** GPU bytes that activations may take: WebGPU does not tell how much there is. */
const ACTIVATION_BUDGET = 1.5e9;

/** No batch beyond this is looked for. */
const LARGEST_BATCH = 1024;

/** Dev rows that are scored at once; more would take longer than the steps between two evaluations. */
const MOST_DEV_ROWS = 500;

/** The dev rows that stand for all: every one, or a seeded draw; in their order. */
export const devSample = (dev: readonly number[], seed: number): number[] =>
  dev.length <= MOST_DEV_ROWS
    ? [...dev]
    : shuffle(dev, seededRandom(seed))
        .slice(0, MOST_DEV_ROWS)
        .sort((a, b) => a - b);

export const learnerSettings = (recipe: Recipe, task: PreparedTask): LearnerSettings => ({
  length: recipe.promptLength,
  // With a single answer there is nothing to choose among.
  loss: task.labels.length > 1 ? recipe.loss : 'vocabulary',
  optimizer: recipe.optimizer,
  clipNorm: recipe.clipNorm,
});

/** The training rows, with the right answer alone or among all, as the loss asks. */
export function trainingExamples(recipe: Recipe, task: PreparedTask): BatchExample[] {
  const all = planAnswers(task.verbalizers.map(({ ids }) => ids));
  const single = task.verbalizers.map(({ ids }) => planAnswers([ids]));
  const wholeVocabulary = recipe.loss === 'vocabulary';
  return task.train.map((index) => {
    const { ids, label } = task.examples[index];
    return {
      ids,
      prompt: { first: 0, count: recipe.promptLength },
      answers: wholeVocabulary ? single[label] : all,
      target: wholeVocabulary ? 0 : label,
    };
  });
}

/** The prompt that a recipe starts from. */
export async function startOf(
  recipe: Recipe,
  resident: ResidentModel,
  task: PreparedTask,
): Promise<StartedPrompt> {
  return startPrompt(
    recipe.init,
    recipe.promptLength,
    recipe.seed,
    await resident.vocabulary(),
    task.verbalizers.map(({ ids }) => ids.filter((token) => token !== resident.model.info.eosId)),
  );
}

/** The largest power of two of examples that a device has room for at once, up to 1,024; 0 where it has none for one. */
export function largestFitting(predict: ReturnType<typeof predictMemory>, bindingLimit: number): number {
  const fits = (batch: number) => {
    const memory = predict(batch);
    return memory.activations <= ACTIVATION_BUDGET && memory.largest <= bindingLimit;
  };
  if (!fits(1)) return 0;
  let batch = 1;
  while (batch < LARGEST_BATCH && fits(2 * batch)) batch *= 2;
  return batch;
}

/** Memory of a run, and the batch that fits: at once, in micro-batches, or with layers run again, whichever takes least work. */
export function planRun(
  recipe: Recipe,
  device: DeviceDesk,
  task: PreparedTask,
  examples: BatchExample[],
): RunPlan {
  const resident = device.need();
  const { traits, bindingLimit } = device.place();
  const { info } = resident.model;
  const answers = planAnswers(task.verbalizers.map(({ ids }) => ids));
  const predict = predictMemory(traits, resident.model, learnerSettings(recipe, task), examples, {
    bindingLimit,
    dev: devSample(task.dev, recipe.seed).map((index) => ({
      ids: task.examples[index].ids,
      prompt: { first: 0, count: recipe.promptLength },
      answers,
      target: -1,
    })),
  });
  const fits = (memory: MemoryPrediction) =>
    memory.activations <= ACTIVATION_BUDGET && memory.largest <= bindingLimit;
  const wanted = Math.min(recipe.microBatch || recipe.batchSize, recipe.batchSize);
  const { memory, ...plan } = planBatch(predict, fits, info.layers[0] + info.layers[1], wanted);
  return {
    ...plan,
    bytes: memory,
    budget: { activations: ACTIVATION_BUDGET, buffer: bindingLimit },
    learned: recipe.promptLength * info.width,
    frozen: resident.report.parameters,
  };
}

/** A learner with the batch halved until there is room for it. */
export async function makeLearner(
  { recipe, start }: { recipe: Recipe; start: Float32Array<ArrayBuffer> },
  place: Place,
  resident: ResidentModel,
  current: PreparedTask,
  examples: BatchExample[],
  { microBatch, recompute }: Pick<RunPlan, 'microBatch' | 'recompute'>,
  onEvent: (event: RunEvent) => void,
): Promise<LiveLearner> {
  for (let batch = microBatch; ; batch = Math.ceil(batch / 2)) {
    try {
      return await place.makeLearner(
        resident.model,
        resident.opened.loaded.weights,
        { ...learnerSettings(recipe, current), recompute },
        examples,
        start,
        batch,
        (done, total) =>
          onEvent({
            type: 'progress',
            progress: { what: 'Compiling shaders', done, total, unit: 'pipelines' },
          }),
      );
    } catch (error) {
      const full = error instanceof PreludeError && error.code === 'out-of-memory';
      if (!full || batch === 1) throw error;
    }
  }
}

/** A learner of its own, for measuring: training examples as a run of this recipe would take them, and nothing that is kept. */
export async function withTrialLearner<T>(
  recipe: Recipe,
  device: DeviceDesk,
  task: PreparedTask,
  onProgress: OnProgress,
  work: (learner: LiveLearner, batch: (step: number) => number[]) => Promise<T>,
): Promise<T> {
  const resident = device.need();
  const examples = trainingExamples(recipe, task);
  if (examples.length === 0)
    throw new PreludeError('bad-labels', 'There are no rows to train on.', {
      remedy: 'Give the train part a share of the rows on the Data station.',
    });
  const { values: start } = await startOf(recipe, resident, task);
  const plan = planRun(recipe, device, task, examples);
  const place = device.place();
  const learner = await makeLearner(
    { recipe, start },
    place,
    resident,
    task,
    examples,
    plan,
    (event) => event.type === 'progress' && onProgress(event.progress),
  );
  const { batch } = createSampler(examples.length, recipe.batchSize, recipe.seed);
  try {
    return await work(learner, batch);
  } finally {
    // A device that is lost has taken it along.
    if (device.isCurrent(place)) learner.destroy();
  }
}
