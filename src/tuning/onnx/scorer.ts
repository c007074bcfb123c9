import { createGraph, makeTensor } from '../../graph/index.ts';
import { argmax, scoreSequences, type Tensor } from '../../kernels/index.ts';
import type { FrozenModel } from '../../models/index.ts';
import { createOnnxProgram, lowerGraph, type OnnxRuntime } from '../../onnx/index.ts';
import type { WeightFile } from '../../weights/index.ts';
import type { BatchExample } from '../batch.ts';
import { lastLabelRows, makeFeed } from '../feed.ts';
import type { PromptSource, ScoreExample, Scorer } from '../scorer.ts';
import { breathe, collectBatch, frozenValues } from './batch.ts';

/** Examples read at once: few enough that other work of the thread waits for a moment only. */
const BATCH = 8;

/**
 * The scorer without a GPU: the forward pass in ONNX, one program for labels and free answers. Prompts must be plain values; those
 * of a learner are read as they are when their batch begins.
 */
export async function createOnnxScorer(
  ort: OnnxRuntime,
  model: FrozenModel,
  weights: WeightFile,
): Promise<Scorer> {
  const { width, eosId } = model.info;
  const feed = makeFeed(model);
  const graph = createGraph({ rowLanes: 1 });
  const bank: Tensor = makeTensor('state', 'prompt bank', 1, width);
  const { logits } = feed.forward(graph, { rows: bank });
  const score = scoreSequences(graph, logits, feed.loss);
  const next = argmax(graph, logits);
  const program = await createOnnxProgram<'score' | 'next'>(
    ort,
    lowerGraph(graph.nodes, {
      outputs: { score, next },
      state: (tensor) => ({ name: tensor.name, rows: 'prompt rows' }),
    }),
    frozenValues(model, weights),
  );

  const run = async (examples: readonly ScoreExample[]) => {
    await breathe();
    const first = new Map<PromptSource, number>();
    const values: Float32Array[] = [];
    let rows = 0;
    for (const { prompt } of examples) {
      if (!prompt || first.has(prompt)) continue;
      if (prompt.kind !== 'values') throw new Error('a prompt on the GPU cannot be read without it');
      first.set(prompt, rows);
      values.push(prompt.values);
      rows += prompt.length;
    }
    const together = new Float32Array(rows * width);
    let at = 0;
    for (const one of values) {
      together.set(one, at);
      at += one.length;
    }
    const batch = examples.map(
      ({ ids, prompt, answers }): BatchExample => ({
        ids,
        answers,
        target: -1,
        prompt: prompt ? { first: first.get(prompt)!, count: prompt.length } : { first: 0, count: 0 },
      }),
    );
    const packed = collectBatch(feed, batch);
    const out = await program.run({ ...packed, states: { 'prompt bank': { values: together, rows } } });
    return {
      ...out,
      labels: packed.examples,
      pass: { examples: examples.length, prompts: first.size, rows: packed.tokens },
    };
  };
  /** Long examples together: blocks are padded to their longest. The order of the results is that of the examples. */
  const inBatches = (examples: readonly { ids: readonly number[] }[]) => {
    const order = examples.map((_, i) => i).sort((a, b) => examples[a].ids.length - examples[b].ids.length);
    return Array.from({ length: Math.ceil(order.length / BATCH) }, (_, b) =>
      order.slice(b * BATCH, (b + 1) * BATCH),
    );
  };

  return {
    bytes: program.bytes,
    async score(examples, onProgress, onPass, signal) {
      const results: Float32Array[] = new Array(examples.length);
      let done = 0;
      for (const part of inBatches(examples)) {
        signal?.throwIfAborted();
        const { score: values, pass } = await run(part.map((i) => examples[i]));
        onPass?.(pass);
        let at = 0;
        for (const i of part) {
          const count = examples[i].answers.candidates.length;
          results[i] = (values as Float32Array).slice(at, at + count);
          at += count;
        }
        done += part.length;
        onProgress?.(done);
      }
      return results;
    },
    async generate(examples, { maxTokens, ignoreEnd = false }, onProgress, signal) {
      const results: number[][] = new Array(examples.length);
      let done = 0;
      for (const part of inBatches(examples)) {
        signal?.throwIfAborted();
        const answers: number[][] = part.map(() => []);
        for (let length = 0; length < maxTokens; length++) {
          const { next: tokens, labels } = await run(
            part.map((i, at) => ({ ...examples[i], ...feed.continued(answers[at], examples[i].ids) })),
          );
          lastLabelRows(labels).forEach((row, at) => {
            answers[at].push(tokens[row]);
          });
          if (!ignoreEnd && answers.every((answer) => answer.includes(eosId))) break;
        }
        answers.forEach((answer, at) => {
          const end = ignoreEnd ? -1 : answer.indexOf(eosId);
          results[part[at]] = end < 0 ? answer : answer.slice(0, end);
        });
        done += part.length;
        onProgress?.(done);
      }
      return results;
    },
    destroy: () => void program.destroy(),
  };
}
