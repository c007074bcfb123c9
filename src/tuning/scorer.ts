import { createReadbackRing } from '../gpu/index.ts';
import {
  beginSubmission,
  buildProgram,
  createGraph,
  freePersistent,
  makeTensor,
  type Program,
  persistentBuffer,
  type Session,
} from '../graph/index.ts';
import { argmax, type Dims, type KernelTraits, scoreSequences, type Tensor } from '../kernels/index.ts';
import type { Seq2SeqModel } from '../models/index.ts';
import { type AnswerPlan, type BatchExample, packedSize, planAnswers } from './batch.ts';
import { capacityFor, cutBatches, makeBatchInputs, writeBatch } from './inputs.ts';

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

/** Reads with the frozen model: label scores and free answers, without gradients. */
export interface Scorer {
  /** For each example, log p(candidate | prompt, input) of each candidate, summed over its tokens. */
  score(examples: readonly ScoreExample[], onProgress?: (done: number) => void): Promise<Float32Array[]>;
  /** Greedy decoding, up to `maxTokens` tokens or the end token, which is left out; with `ignoreEnd` always `maxTokens`. */
  generate(
    examples: readonly Omit<ScoreExample, 'answers'>[],
    options: { maxTokens: number; ignoreEnd?: boolean },
    onProgress?: (done: number) => void,
  ): Promise<number[][]>;
  readonly bytes: number;
  destroy(): void;
}

/** Rows of the prompt bank: four prompts of the greatest length in one batch. */
const BANK_ROWS = 600;
/** Examples read at once: enough to fill a GPU, few enough that a training step never waits long. */
const BATCH = 32;

interface Parts {
  capacity: Dims;
  score: { program: Program; scores: Tensor };
  encode?: { program: Program; states: Tensor };
  decode?: { program: Program; states: Tensor; next: Tensor };
}

export function createScorer(session: Session, traits: KernelTraits, model: Seq2SeqModel): Scorer {
  const { gpu } = session;
  const { width, startId, eosId } = model.info;
  const inputs = makeBatchInputs();
  const bank = makeTensor('state', 'prompt bank', BANK_ROWS, width);
  let parts: Promise<Parts> | undefined;
  let built: Parts | undefined;

  const destroyParts = (p: Parts) => {
    for (const part of [p.score, p.encode, p.decode]) part?.program.destroy();
  };

  const build = async (capacity: Dims): Promise<Parts> => {
    const graph = createGraph(traits);
    const { states } = model.encode(graph, inputs, { rows: bank });
    const { logits } = model.decode(graph, inputs, states);
    const scores = scoreSequences(graph, logits, inputs.loss);
    return {
      capacity,
      score: { program: await buildProgram(session, graph.nodes, { capacity, kept: [scores] }), scores },
    };
  };
  const buildDecoding = async (p: Parts): Promise<Required<Parts>> => {
    if (!p.encode) {
      const graph = createGraph(traits);
      const { states } = model.encode(graph, inputs, { rows: bank });
      p.encode = {
        program: await buildProgram(session, graph.nodes, { capacity: p.capacity, kept: [states] }),
        states,
      };
    }
    if (!p.decode) {
      const graph = createGraph(traits);
      const states = makeTensor('input', 'encoder states', 'T', width);
      const next = argmax(graph, model.decode(graph, inputs, states).logits);
      p.decode = {
        program: await buildProgram(session, graph.nodes, { capacity: p.capacity, kept: [next] }),
        states,
        next,
      };
    }
    return p as Required<Parts>;
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
  const asBatch = (example: ScoreExample): BatchExample => ({
    ...example,
    target: -1,
    prompt: { first: 0, count: example.prompt?.length ?? 0 },
  });
  /** Consecutive runs of examples, by the sizes that `cutBatches` found to fit. */
  const cut = (examples: readonly ScoreExample[], capacity: Dims): ScoreExample[][] => {
    let at = 0;
    return cutBatches(examples.map(asBatch), capacity).map((batch) => {
      const part = examples.slice(at, at + batch.length);
      at += batch.length;
      return part;
    });
  };

  return {
    get bytes() {
      const programs = [built?.score, built?.encode, built?.decode];
      return programs.reduce((sum, part) => sum + (part?.program.bytes ?? 0), 0);
    },
    async score(examples, onProgress) {
      if (examples.length === 0) return [];
      const { score, capacity } = await prepare(
        capacityFor(examples.map(asBatch), Math.min(BATCH, examples.length)),
      );
      const ring = createReadbackRing(gpu, 4 * capacity.C);
      const results: Float32Array[] = [];
      const pending: Promise<void>[] = [];
      let done = 0;
      for (const part of cut(examples, capacity)) {
        const { batch, load } = place(part);
        load();
        const dims = writeBatch(score.program, inputs, batch, startId);
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
      return results;
    },
    async generate(examples, { maxTokens, ignoreEnd = false }, onProgress) {
      // Room for the longest answer: its rows are run again for every further token.
      const longest = planAnswers([new Array<number>(maxTokens).fill(0)]);
      const all = examples.map((example): ScoreExample => ({ ...example, answers: longest }));
      if (all.length === 0) return [];
      const prepared = await prepare(capacityFor(all.map(asBatch), Math.min(BATCH, all.length)));
      const { encode, decode, capacity } = await buildDecoding(prepared);
      const ring = createReadbackRing(gpu, 4 * capacity.N);
      const results: number[][] = [];
      for (const part of cut(all, capacity)) {
        const answers: number[][] = part.map(() => []);
        for (let length = 0; length < maxTokens; length++) {
          const step = part.map((example, i) => ({ ...example, answers: planAnswers([[...answers[i], 0]]) }));
          const { batch, load } = place(step);
          load();
          const submission = beginSubmission(session);
          encode.program.record(submission, writeBatch(encode.program, inputs, batch, startId));
          const dims = writeBatch(decode.program, inputs, batch, startId);
          submission.submit((encoder) =>
            encoder.copyBufferToBuffer(
              encode.program.buffer(encode.states),
              0,
              decode.program.buffer(decode.states),
              0,
              4 * dims.T * width,
            ),
          );
          const decoding = beginSubmission(session);
          decode.program.record(decoding, dims);
          const slot = decoding.submit((encoder) =>
            ring.copy(encoder, [{ buffer: decode.program.buffer(decode.next), bytes: 4 * dims.N }]),
          );
          const next = new Uint32Array((await slot.arrive())[0]);
          // Each example has one row a token so far and one more: its last row predicts the next.
          answers.forEach((answer, i) => {
            answer.push(next[(i + 1) * (length + 1) - 1]);
          });
          if (!ignoreEnd && answers.every((answer) => answer.includes(eosId))) break;
        }
        for (const answer of answers) {
          const end = ignoreEnd ? -1 : answer.indexOf(eosId);
          results.push(end < 0 ? answer : answer.slice(0, end));
        }
        onProgress?.(results.length);
      }
      ring.destroy();
      return results;
    },
    destroy() {
      if (built) destroyParts(built);
      freePersistent(session, [bank]);
    },
  };
}

/** Rows of the encoder and the decoder that examples take: the real tokens of a batch. */
export const tokensOf = (examples: readonly BatchExample[]): number =>
  examples.reduce((sum, example) => sum + packedSize(example).T + packedSize(example).D, 0);
