/**
 * What a model needs here before it is loaded: its graph is made of its config and the table of contents of its weights, and memory
 * is predicted from it as for a run.
 */
import { piecesOf, tensorBytes } from '../kernels/index.ts';
import { type FrozenModel, makeModel, PRECISIONS } from '../models/index.ts';
import { type BatchExample, defaultRecipe, planAnswers, predictMemory } from '../tuning/index.ts';
import { parameterCount, type WeightFile } from '../weights/index.ts';
import type { PeekedModel } from './models.ts';
import type { Place } from './place.ts';
import type { ModelNeeds, PrecisionNeed } from './protocol.ts';
import { largestFitting } from './runPlan.ts';

/**
 * A laptop's graphics processor shares or has about this much for a tab. Nothing tells how much there is: WebGPU has limits of single
 * buffers only.
 */
const ASSUMED_BYTES = 4e9;
/** A usual task: texts of one or two sentences, one word as the answer. */
const TOKENS = 48;
/** Examples of a step that the recommendation makes room for. */
const USUAL_BATCH = 16;

/**
 * @throws PreludeError 'unsupported-model', 'bad-config', 'bad-weights': a model that cannot be computed is refused before it is
 * downloaded
 */
export function modelNeeds(
  { config, weights }: PeekedModel,
  {
    traits,
    bindingLimit,
    report,
  }: Pick<Place, 'traits' | 'bindingLimit'> & { report: Pick<Place['report'], 'engine'> },
): ModelNeeds {
  // ONNX Runtime holds what is no half as 32-bit numbers: smaller blocks would only round.
  const widens = report.engine === 'onnx';
  const stored = makeModel(config, weights, { bindingBytes: bindingLimit });
  const { info } = stored;
  const task = { promptLength: defaultRecipe.promptLength, tokens: TOKENS };
  // Activations are f32 at every precision.
  const predict = predictMemory(
    traits,
    stored,
    { length: task.promptLength, loss: 'verbalizers', optimizer: defaultRecipe.optimizer, clipNorm: 0 },
    [usualExample(task)],
  );
  const largestBatch = largestFitting(predict, bindingLimit);
  const { activations } = predict(Math.max(1, Math.min(USUAL_BATCH, largestBatch)));
  const precisions = (widens ? PRECISIONS.slice(0, 1) : PRECISIONS)
    .map((precision): PrecisionNeed => {
      const model = makeModel(config, weights, { precision, bindingBytes: bindingLimit });
      const pieces = model.frozen.flatMap(({ tensor }) => piecesOf(tensor));
      const bytes = pieces.map((piece) => tensorBytes(piece, {}));
      const largestBytes = Math.max(...bytes);
      const kept = bytes.reduce((sum, own) => sum + own, 0);
      return {
        precision,
        weightBytes: widens ? widenedBytes(model) : kept,
        largestBytes,
        fits: largestBytes <= bindingLimit,
        largestBatch,
        activationBytes: activations,
      };
    })
    .filter(({ weightBytes }, i, all) => i === 0 || weightBytes < all[i - 1]!.weightBytes);
  const withRoom = precisions.find(
    ({ fits, largestBatch, weightBytes, activationBytes }) =>
      fits && largestBatch > 0 && weightBytes + activationBytes <= ASSUMED_BYTES,
  );
  return {
    family: info.family,
    parameters: parameterCount(weights),
    width: info.width,
    vocabSize: info.vocabSize,
    layers: info.layers,
    storedAs: formatsOf(weights),
    precisions,
    recommended: (withRoom ?? precisions.at(-1)!).precision,
    why: withRoom ? 'room' : 'least',
    assumedBytes: ASSUMED_BYTES,
    task,
  };
}

const widenedBytes = ({ frozen }: FrozenModel) =>
  frozen.reduce(
    (sum, { tensor: { rows, cols, dtype } }) => sum + (rows as number) * cols * (dtype === 'f16' ? 2 : 4),
    0,
  );

const usualExample = ({ promptLength, tokens }: ModelNeeds['task']): BatchExample => ({
  ids: Array.from({ length: tokens }, () => 0),
  prompt: { first: 0, count: promptLength },
  answers: planAnswers([[0], [1]]),
  target: 0,
});

/** Formats of the matrices, the one with most bytes first. Vectors are often kept in f32 beside them. */
function formatsOf(weights: WeightFile): string[] {
  const bytes = new Map<string, number>();
  for (const { dtype, shape, byteLength } of weights.tensors.values())
    if (shape.length > 1) bytes.set(dtype, (bytes.get(dtype) ?? 0) + byteLength);
  return [...bytes].sort((a, b) => b[1] - a[1]).map(([dtype]) => dtype);
}
