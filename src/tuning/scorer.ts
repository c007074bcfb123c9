import { createReadbackRing } from '../gpu/index.ts';
import {
  beginSubmission,
  buildProgram,
  createGraph,
  freePersistent,
  type Graph,
  makeTensor,
  type Program,
  persistentBuffer,
  type Session,
} from '../graph/index.ts';
import {
  chunkedScoreSequences,
  type Dims,
  headChunk,
  type KernelTraits,
  scoreSequences,
  type Tensor,
} from '../kernels/index.ts';
import type { FrozenModel } from '../models/index.ts';
import { type AttentionBlock, attendToPrompt } from './attend.ts';
import type { AnswerPlan, BatchExample } from './batch.ts';
import { createDecoder, type Decoder } from './decoding.ts';
import { capacityFor, cutBatches, type Feed, makeFeed } from './feed.ts';

/** A soft prompt to read with: plain values, or those a learner holds on the GPU at this moment. */
export type PromptSource =
  | { kind: 'values'; length: number; values: Float32Array<ArrayBuffer> }
  | { kind: 'buffer'; length: number; buffer: GPUBuffer };

/** One text to score. Different examples of a batch may have different prompts: one frozen model, many tasks. */
export interface ScoreExample {
  ids: readonly number[];
  prompt: PromptSource | undefined;
  answers: AnswerPlan;
}

/** One forward pass of the frozen model: how many texts, under how many prompts, in how many rows it computed. */
export interface PassReport {
  examples: number;
  prompts: number;
  rows: number;
}

/** Reads with the frozen model: label scores and free answers, without gradients. */
export interface Scorer {
  /**
   * For each example, log p(candidate | prompt, input) of each candidate, summed over its tokens. Ends with the signal's reason
   * after the batch that is on its way.
   */
  score(
    examples: readonly ScoreExample[],
    onProgress?: (done: number) => void,
    onPass?: (pass: PassReport) => void,
    signal?: AbortSignal,
  ): Promise<Float32Array[]>;
  /** Attention to the virtual tokens of one text (see `attendToPrompt`); absent where the engine keeps nothing to see it by. */
  attend?(example: ScoreExample): Promise<AttentionBlock[]>;
  /** Greedy decoding, up to `maxTokens` tokens or the end token, which is left out; with `ignoreEnd` always `maxTokens`. */
  generate(
    examples: readonly Omit<ScoreExample, 'answers'>[],
    options: { maxTokens: number; ignoreEnd?: boolean },
    onProgress?: (done: number) => void,
    signal?: AbortSignal,
  ): Promise<number[][]>;
  readonly bytes: number;
  destroy(): void;
}

/** Rows of the prompt bank: four prompts of the greatest length in one batch. */
export const BANK_ROWS = 600;

/** Cuts a list further, where the prompts of one batch would not fit the bank. */
export function cutByBank<E extends Pick<ScoreExample, 'prompt'>>(examples: readonly E[]): E[][] {
  const parts: E[][] = [];
  let placed = new Set<PromptSource>();
  let rows = 0;
  for (const example of examples) {
    const { prompt } = example;
    const added = prompt && !placed.has(prompt) ? prompt.length : 0;
    if (parts.length === 0 || rows + added > BANK_ROWS) {
      parts.push([]);
      placed = new Set();
      rows = 0;
    }
    if (prompt && !placed.has(prompt)) {
      placed.add(prompt);
      rows += prompt.length;
    }
    parts[parts.length - 1]!.push(example);
  }
  return parts;
}
/** Examples read at once: enough to fill a GPU, few enough that a training step never waits long. */
export const BATCH = 32;

interface Parts {
  capacity: Dims;
  score: { program: Program; scores: Tensor };
  decoder?: Decoder;
}

/** As many examples at once as the device can bind the logits of, and sizes for them: vocabularies reach 256k tokens. */
export function readingBatch(
  feed: Feed,
  examples: readonly BatchExample[],
  vocabSize: number,
  bindingLimit: number,
): { count: number; capacity: Dims } {
  let count = BATCH;
  let capacity = capacityFor(feed, examples, count);
  while (count > 1 && 4 * capacity.N! * vocabSize > bindingLimit) {
    count = Math.ceil(count / 2);
    capacity = capacityFor(feed, examples, count);
  }
  return { count, capacity };
}

/** Forward pass under prompts of a bank, and the score of every candidate. */
export function readingGraph(
  traits: KernelTraits,
  feed: Feed,
  bank: Tensor,
): { graph: Graph; scores: Tensor } {
  const graph = createGraph(traits);
  const { logits, head } = feed.forward(graph, { rows: bank });
  const columns = headChunk(traits, head);
  const scores =
    columns !== undefined
      ? chunkedScoreSequences(graph, head, feed.loss, columns)
      : scoreSequences(graph, logits, feed.loss);
  return { graph, scores };
}

export function createScorer(session: Session, traits: KernelTraits, model: FrozenModel): Scorer {
  const { gpu } = session;
  const { width, eosId, vocabSize } = model.info;
  const feed = makeFeed(model);
  const bank = makeTensor('state', 'prompt bank', BANK_ROWS, width);
  let parts: Promise<Parts> | undefined;
  let built: Parts | undefined;

  const destroyParts = (p: Parts) => {
    p.score.program.destroy();
    p.decoder?.destroy();
  };

  const build = async (capacity: Dims): Promise<Parts> => {
    const { graph, scores } = readingGraph({ ...traits, capacity }, feed, bank);
    return {
      capacity,
      score: { program: await buildProgram(session, graph.nodes, { capacity, kept: [scores] }), scores },
    };
  };
  /** Programs for at least this capacity; larger examples than ever before mean new buffers, not new pipelines. */
  const prepare = async (needed: Dims): Promise<Parts> => {
    const old = await parts;
    if (old && Object.entries(needed).every(([name, rows]) => rows <= old.capacity[name])) return old;
    const capacity = Object.fromEntries(
      Object.entries(needed).map(([name, rows]) => [name, Math.max(rows, old?.capacity[name] ?? 0)]),
    );
    parts = build(capacity).then((fresh) => {
      if (old) destroyParts(old);
      built = fresh;
      return fresh;
    });
    return parts;
  };

  /** Bank rows for the prompts of a batch, and the batch as the packer wants it. */
  const place = (examples: readonly ScoreExample[]) => {
    const first = new Map<PromptSource, number>();
    let rows = 0;
    for (const { prompt } of examples) {
      if (!prompt || first.has(prompt)) continue;
      first.set(prompt, rows);
      rows += prompt.length;
      if (rows > BANK_ROWS) throw new Error(`the prompts of one batch have ${rows} rows; ${BANK_ROWS} fit`);
    }
    const batch = examples.map(
      ({ ids, prompt, answers }): BatchExample => ({
        ids,
        answers,
        target: -1,
        prompt: prompt ? { first: first.get(prompt)!, count: prompt.length } : { first: 0, count: 0 },
      }),
    );
    /** Must run in the same turn of the event loop as the submit: another caller may use the bank after that. */
    const load = () => {
      const target = persistentBuffer(session, bank);
      const encoder = gpu.device.createCommandEncoder();
      for (const [prompt, row] of first) {
        const offset = 4 * row * width;
        if (prompt.kind === 'values') gpu.queue.writeBuffer(target, offset, prompt.values);
        else encoder.copyBufferToBuffer(prompt.buffer, 0, target, offset, 4 * prompt.length * width);
      }
      gpu.queue.submit([encoder.finish()]);
    };
    return { batch, load };
  };
  /** For sizes only: bank rows may be more than there are, but two prompts are never taken for one. */
  const asBatch = (examples: readonly ScoreExample[]): BatchExample[] => {
    const first = new Map<PromptSource, number>();
    let rows = 0;
    return examples.map((example) => {
      const { prompt } = example;
      if (!prompt) return { ...example, target: -1, prompt: { first: 0, count: 0 } };
      const known = first.get(prompt) ?? rows;
      if (!first.has(prompt)) {
        first.set(prompt, rows);
        rows += prompt.length;
      }
      return { ...example, target: -1, prompt: { first: known, count: prompt.length } };
    });
  };
  const capacityOf = (examples: readonly BatchExample[]): Dims =>
    readingBatch(feed, examples, vocabSize, gpu.limits.maxStorageBufferBindingSize).capacity;
  /** Consecutive runs of examples, by the sizes that `cutBatches` found to fit. */
  const cut = (examples: readonly ScoreExample[], capacity: Dims): ScoreExample[][] => {
    let at = 0;
    return cutBatches(feed, asBatch(examples), capacity).flatMap((batch) => {
      const part = examples.slice(at, at + batch.length);
      at += batch.length;
      return cutByBank(part);
    });
  };

  return {
    get bytes() {
      return (built?.score.program.bytes ?? 0) + (built?.decoder?.bytes ?? 0);
    },
    async score(examples, onProgress, onPass, signal) {
      if (examples.length === 0) return [];
      const { score, capacity } = await prepare(capacityOf(asBatch(examples)));
      const ring = createReadbackRing(gpu, 4 * capacity.C);
      const results: Float32Array[] = [];
      const pending: Promise<void>[] = [];
      let done = 0;
      for (const part of cut(examples, capacity)) {
        if (signal?.aborted) break;
        const { batch, load } = place(part);
        load();
        const { dims, tokens } = feed.write(score.program, batch);
        onPass?.({
          examples: part.length,
          prompts: new Set(part.flatMap(({ prompt }) => prompt ?? [])).size,
          rows: tokens,
        });
        const submission = beginSubmission(session);
        score.program.record(submission, dims);
        const slot = submission.submit((encoder) =>
          ring.copy(encoder, [{ buffer: score.program.buffer(score.scores), bytes: 4 * dims.C }]),
        );
        const base = results.length;
        results.length += part.length;
        pending.push(
          slot.arrive().then(([bytes]) => {
            const values = new Float32Array(bytes);
            let at = 0;
            part.forEach(({ answers }, i) => {
              results[base + i] = values.slice(at, at + answers.candidates.length);
              at += answers.candidates.length;
            });
            done += part.length;
            onProgress?.(done);
          }),
        );
        if (pending.length > 1) await pending.shift();
      }
      await Promise.all(pending);
      ring.destroy();
      signal?.throwIfAborted();
      return results;
    },
    async generate(examples, { maxTokens, ignoreEnd = false }, onProgress, signal) {
      // Room for the longest answer: its rows are run again for every further token.
      const longest = new Array<number>(Math.max(0, maxTokens - 1)).fill(0);
      const all = examples.map(
        (example): ScoreExample => ({ ...example, ...feed.continued(longest, example.ids) }),
      );
      if (all.length === 0) return [];
      const prepared = await prepare(capacityOf(asBatch(all)));
      prepared.decoder ??= await createDecoder(
        session,
        { ...traits, capacity: prepared.capacity },
        model,
        bank,
        prepared.capacity,
      );
      const results: number[][] = [];
      for (const part of cut(all, prepared.capacity)) {
        signal?.throwIfAborted();
        const asked = examples.slice(results.length, results.length + part.length);
        const answers: number[][] = part.map(() => []);
        for (let length = 0; length < maxTokens; length++) {
          const { batch, load } = place(
            asked.map((example, i) => ({ ...example, ...feed.continued(answers[i], example.ids) })),
          );
          load();
          const next = await prepared.decoder.next(batch);
          next.forEach((token, i) => {
            answers[i].push(token);
          });
          if (!ignoreEnd && answers.every((answer) => answer.includes(eosId))) break;
        }
        for (const answer of answers) {
          const end = ignoreEnd ? -1 : answer.indexOf(eosId);
          results.push(end < 0 ? answer : answer.slice(0, end));
        }
        onProgress?.(results.length);
      }
      return results;
    },
    async attend(example) {
      const { batch, load } = place([example]);
      return attendToPrompt(session, traits, model, { rows: bank, load }, batch[0]!);
    },
    destroy() {
      if (built) destroyParts(built);
      freePersistent(session, [bank]);
    },
  };
}
