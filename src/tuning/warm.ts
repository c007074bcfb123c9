import { livingNodes, makeTensor, type Session } from '../graph/index.ts';
import type { KernelTraits, Node } from '../kernels/index.ts';
import type { FrozenModel } from '../models/index.ts';
import { type BatchExample, planAnswers } from './batch.ts';
import { capacityFor, makeFeed } from './feed.ts';
import { defaultRecipe } from './recipe.ts';
import { BATCH, readingGraph } from './scorer.ts';
import { trainingGraph, updateGraph } from './trainingGraph.ts';

/** Tokens of an ordinary input, and two answers of two tokens: sizes only choose among tiles. */
const INPUT = 48;
const ANSWERS = planAnswers([
  [2, 1],
  [3, 1],
]);

/** What an ordinary training step and an ordinary reading of a model run, recorded before there is a weight or an example. */
export function ordinaryNodes(traits: KernelTraits, model: FrozenModel): Node[] {
  const { promptLength: length, loss, optimizer, clipNorm, batchSize } = defaultRecipe;
  const example: BatchExample = {
    ids: new Array(INPUT).fill(0),
    prompt: { first: 0, count: length },
    answers: ANSWERS,
    target: 0,
  };
  const feed = makeFeed(model);
  const capacity = (count: number) => capacityFor(feed, [example], count);
  const settings = { length, loss, optimizer, clipNorm };
  const training = trainingGraph({ ...traits, capacity: capacity(batchSize) }, model, settings);
  const bank = makeTensor('state', 'prompt bank', length, model.info.width);
  const reading = readingGraph({ ...traits, capacity: capacity(BATCH) }, feed, bank);
  return [
    ...livingNodes(training.nodes, []),
    ...livingNodes(updateGraph(traits, settings, training).graph.nodes, []),
    ...livingNodes(reading.graph.nodes, [reading.scores]),
  ];
}

/**
 * Compiles what a training step and a reading of this model will ask for, while its weights are still read: shapes are in the config,
 * and numbers of rows are uniforms. What differs in the end (another optimiser, much smaller batches) is compiled then.
 * @returns when all are compiled; a shader that does not compile is reported by the program that needs it.
 */
export async function warmPipelines(
  { pipelines }: Session,
  traits: KernelTraits,
  model: FrozenModel,
): Promise<void> {
  await Promise.allSettled(
    ordinaryNodes(traits, model).flatMap(({ kernels }) =>
      kernels.map(({ code, buffers, name }) =>
        pipelines.compile(
          code,
          buffers.map(({ access }) => access),
          name,
        ),
      ),
    ),
  );
}
