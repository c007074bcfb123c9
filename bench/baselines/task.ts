/** The built-in models and the sample tasks as the PyTorch baselines take them: the same rows held out, the same tokens, the same start. */
import { loadSampleIndex, makeExamples, readTable, splitOrdered } from '../../src/data/index.ts';
import { encodeExamples, loadTokenizer, makeVerbalizers } from '../../src/text/index.ts';
import { type BatchExample, planAnswers, startPrompt } from '../../src/tuning/index.ts';
import { bytesSource, openSafetensors, type WeightFile } from '../../src/weights/index.ts';
import type { GpuContext } from '../harness/index.ts';

export const LENGTH = 20;
const MAX_TOKENS = 48;
/** `evaluate.py` draws from ids 3 to 2,999. */
const FREQUENT = { first: 3, count: 2997 };

export type Tokenizer = ReturnType<typeof loadTokenizer>;

const readJson = async (context: GpuContext, path: string): Promise<unknown> =>
  JSON.parse(new TextDecoder().decode(await context.fetchBytes(path)));

/** One of `public/models`, before its graph is made. */
export async function openBuiltIn(
  context: GpuContext,
  name: string,
): Promise<{ config: unknown; weights: WeightFile; tokenizer: Tokenizer }> {
  const [config, tokenizer, weights] = await Promise.all([
    readJson(context, `/models/${name}/config.json`),
    readJson(context, '/models/tokenizer.json'),
    context.fetchBytes(`/models/${name}/model.safetensors`),
  ]);
  return {
    config,
    weights: await openSafetensors(bytesSource(weights)),
    tokenizer: loadTokenizer(tokenizer),
  };
}

/** One of `public/samples`: rows with a prompt of LENGTH virtual tokens; the last quarter is held out. */
export async function openTask(
  context: GpuContext,
  id: string,
  tokenizer: Tokenizer,
): Promise<{ training: BatchExample[]; heldOut: BatchExample[] }> {
  const { samples } = await loadSampleIndex(() => readJson(context, '/samples/index.json'));
  const sample = samples.find((each) => each.id === id);
  if (!sample)
    throw new Error(`There is no sample ${id}; known are ${samples.map((each) => each.id).join(', ')}.`);
  const data = await context.fetchBytes(`/samples/${sample.file}`);
  const { examples } = makeExamples(await readTable({ name: sample.file, data }), sample.roles);
  const { train, test } = splitOrdered(examples, { dev: 0 });
  const labels = sample.labels.map(({ label }) => label);
  const verbalizers = makeVerbalizers(
    labels.map((label) => ({ label, words: [sample.verbalizers[label]] })),
    tokenizer,
    { appendEos: false },
  );
  const answers = planAnswers(verbalizers.map(({ ids }) => ids));
  const { ids } = await encodeExamples(
    examples.map(({ text }) => text),
    tokenizer,
    MAX_TOKENS,
  );
  const prompt = { first: 0, count: LENGTH };
  const row = (index: number): BatchExample => ({
    ids: ids[index],
    prompt,
    answers,
    target: labels.indexOf(examples[index].label),
  });
  return { training: train.map(row), heldOut: test.map(row) };
}

/** LENGTH frequent words' embeddings, [LENGTH, d]. */
export function frequentStart(
  seed: number,
  { embedding, width, tokenizer }: { embedding: Float32Array; width: number; tokenizer: Tokenizer },
): Float32Array<ArrayBuffer> {
  const { first, count } = FREQUENT;
  const vocabulary = {
    embedding,
    width,
    byFrequency: Array.from({ length: count }, (_, i) => first + i),
    token: tokenizer.token,
    encode: tokenizer.encode,
  };
  return startPrompt({ kind: 'vocabulary', mostLikely: count }, LENGTH, seed, vocabulary, []).values;
}

/** Of rows scored over their answers: how many have their own answer as the likeliest, and the mean of -log of its share. */
export function judge(
  scores: readonly Float32Array[],
  rows: readonly BatchExample[],
): { loss: number; accuracy: number } {
  let loss = 0;
  let right = 0;
  for (const [i, own] of scores.entries()) {
    const { target } = rows[i];
    const most = Math.max(...own);
    loss += most + Math.log(own.reduce((sum, score) => sum + Math.exp(score - most), 0)) - own[target];
    if (own.indexOf(most) === target) right++;
  }
  return { loss: loss / rows.length, accuracy: right / rows.length };
}
