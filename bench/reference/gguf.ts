import { readFrozen } from '../../src/models/index.ts';
import { type BatchExample, planAnswers } from '../../src/tuning/index.ts';
import { all, learn } from './cases.ts';
import type { Engine } from './engines.ts';
import { openTensors, type ReferenceFiles, relativeError } from './io.ts';
import { type CaseResult, withModel } from './models.ts';

const LOGITS = 1e-4;

/**
 * Logits of a plain text, by a learner whose prompt of one row is the embedding of the text's first token: what it reads is the
 * text. `answer` is what the rows from the last of `ids` on predict; with all tokens in it every position is seen.
 */
function asPrompt(
  embedding: Float32Array,
  width: number,
  ids: readonly number[],
  every: boolean,
): { values: Float32Array<ArrayBuffer>; example: BatchExample } {
  const [first, ...rest] = ids;
  return {
    values: embedding.slice(first * width, (first + 1) * width),
    example: {
      ids: every ? [] : rest,
      prompt: { first: 0, count: 1 },
      answers: planAnswers([every ? [...rest, 0] : [0]]),
      target: 0,
    },
  };
}

/** `gguf-model/1`: token ids of texts and the logits of every position. */
export async function runGgufModel(engine: Engine, files: ReferenceFiles, path: string): Promise<CaseResult> {
  const json = (await files.json(path)) as {
    model: string;
    tensors: string;
    prompts: { text: string; ids: number[]; logits: string }[];
    tokenizer_cases: { text: string; ids: number[] }[];
  };
  return withModel(engine, files, path, json.model, async (model, open, { weights, tokenizer }) => {
    const tensors = await openTensors(files, files.resolve(path, json.tensors)!);
    const embedding = await readFrozen(weights, model.embedding);
    let logits = 0;
    for (const prompt of json.prompts) {
      const { values, example } = asPrompt(embedding, model.info.width, prompt.ids, true);
      const learner = await learn(open, model, [example], 1, values);
      await learner.step(1, [0], { scene: false });
      logits = Math.max(logits, relativeError(await learner.readLogits(), await tensors.f32(prompt.logits)));
      learner.destroy();
    }
    const same = (text: string, ids: number[], special: boolean) =>
      JSON.stringify(tokenizer!.encode(text, { special })) === JSON.stringify(ids);
    return {
      errors: [{ of: 'logits', error: logits, allowed: LOGITS }],
      exact: [
        { of: 'prompt ids', equal: json.prompts.every(({ text, ids }) => same(text, ids, true)) },
        {
          of: `${json.tokenizer_cases.length} texts`,
          equal: json.tokenizer_cases.every(({ text, ids }) => same(text, ids, false)),
        },
      ],
    };
  });
}

/** `next-token/1`: the largest logits after a text, their log-sum-exp, and greedy continuations. */
export async function runNextToken(engine: Engine, files: ReferenceFiles, path: string): Promise<CaseResult> {
  const json = (await files.json(path)) as {
    model: string;
    prompts: {
      text: string;
      ids: number[];
      top: { id: number; logit: number }[];
      logsumexp: number;
      greedy: { new_ids: number[] };
    }[];
  };
  return withModel(engine, files, path, json.model, async (model, open, { weights, tokenizer }) => {
    const embedding = await readFrozen(weights, model.embedding);
    let logits = 0;
    let sums = 0;
    for (const prompt of json.prompts) {
      const { values, example } = asPrompt(embedding, model.info.width, prompt.ids, false);
      const learner = await learn(open, model, [example], 1, values);
      await learner.step(1, all([example]), { scene: false });
      const own = await learner.readLogits();
      learner.destroy();
      logits = Math.max(
        logits,
        relativeError(
          prompt.top.map(({ id }) => own[id]),
          prompt.top.map(({ logit }) => logit),
        ),
      );
      const top = own.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
      const sum = top + Math.log(own.reduce((total, value) => total + Math.exp(value - top), 0));
      sums = Math.max(sums, relativeError([sum], [prompt.logsumexp]));
    }
    const scorer = await open.scorer();
    const answers = await scorer.generate(
      json.prompts.map(({ ids }) => ({ ids, prompt: undefined })),
      { maxTokens: json.prompts[0].greedy.new_ids.length, ignoreEnd: true },
    );
    scorer.destroy();
    return {
      errors: [
        { of: 'logits', error: logits, allowed: LOGITS },
        { of: 'log-sum-exp', error: sums, allowed: LOGITS },
      ],
      exact: [
        {
          of: 'ids',
          equal: json.prompts.every(
            ({ text, ids }) => JSON.stringify(tokenizer!.encode(text)) === JSON.stringify(ids),
          ),
        },
        {
          of: 'greedy',
          equal: JSON.stringify(answers) === JSON.stringify(json.prompts.map(({ greedy }) => greedy.new_ids)),
        },
      ],
    };
  });
}
