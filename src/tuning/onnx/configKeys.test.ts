/**
 * No key of a config that is known here is passed over: another value is refused, or it changes what the model answers. (Keys that
 * are not known at all are refused by `models/config.ts`, unless they are harmless by name.)
 */
import { readdirSync, readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { makeModel } from '../../models/index.ts';
import type { OnnxRuntime } from '../../onnx/index.ts';
import { noise, testRuntime } from '../../onnx/testing.ts';
import { bytesSource, openSafetensors, type WeightFile } from '../../weights/index.ts';
import { planAnswers } from '../batch.ts';
import { createOnnxScorer } from './scorer.ts';

type Config = Record<string, unknown>;

const folder = new URL('../../models/testdata/models/', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, folder));

/** Say what ids and lengths mean to the studio, not what is computed of given ids. */
const ABOUT_IDS = /_token_id$|^(max_position_embeddings|n_positions)$/;
/** Names of the file, not of arithmetic. */
const NAMES = new Set(['model_type', 'torch_dtype', 'is_encoder_decoder', 'dropout_rate']);
/** Why other values of a key say nothing in these files. */
const SILENT: Record<string, Record<string, string>> = {
  gpt_neox: { rotary_emb_base: 'its heads turn one pair, whose frequency is 1 for any base' },
  'llama-dynamic': { 'rope_scaling.factor': 'for texts beyond max_position_embeddings, which are refused' },
  mt5: { tie_word_embeddings: 'heads of mT5 that are in the file are never tied' },
  qwen2: {
    sliding_window: 'use_sliding_window is false',
    max_window_layers: 'use_sliding_window is false',
    use_sliding_window: 'max_window_layers says from which layer on: none',
  },
  phi3: {
    sliding_window: 'wider than a page of positions, and than half of it',
    original_max_position_embeddings: 'longrope alone reads it',
  },
  'phi3-longrope': { 'rope_scaling.long_factor': 'for texts beyond the original length, which are refused' },
};

/** Each value of a config that could be another, by its path, with such others as files of other models could have. */
function* alternatives(config: Config): Generator<{ path: string; configs: Config[] }> {
  for (const [key, value] of Object.entries(config)) {
    if (ABOUT_IDS.test(key) || NAMES.has(key)) continue;
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      for (const { path, configs } of alternatives(value as Config))
        yield { path: `${key}.${path}`, configs: configs.map((inner) => ({ ...config, [key]: inner })) };
    else yield { path: key, configs: others(key, value).map((other) => ({ ...config, [key]: other })) };
  }
}

function others(key: string, value: unknown): unknown[] {
  if (typeof value === 'boolean') return [!value];
  if (/eps/.test(key)) return [0.3];
  if (typeof value === 'number') return [value * 2, value / 2, value / 16];
  if (Array.isArray(value)) return [value.map((one) => others('', one)[0])];
  if (typeof value === 'string')
    return [KINDS.find((kind) => kind !== value && KINDS.includes(value)) ?? 'other'];
  return key === 'rope_scaling' ? [{ type: 'linear', factor: 3 }] : ['other'];
}
const KINDS = ['full_attention', 'sliding_attention'];

let ort: OnnxRuntime;
beforeAll(async () => {
  ort = await testRuntime();
});

async function answer(config: Config, weights: WeightFile): Promise<number[]> {
  const model = makeModel(config, weights);
  const scorer = await createOnnxScorer(ort, model, weights);
  const prompt = { kind: 'values', length: 2, values: noise(2 * model.info.width, 3, 1) } as const;
  const ids = [7, 12, 30, 5, 21, 9, 14, 33, 8, 26];
  const [scores] = await scorer.score([{ ids, prompt, answers: planAnswers([[4, 11], [17], [6, 3, 9]]) }]);
  scorer.destroy();
  return [...scores!];
}

describe.each(readdirSync(folder))('%s', (name) => {
  test('every known key is refused or counts', async () => {
    const config = JSON.parse(read(`${name}/config.json`).toString()) as Config;
    const weights = await openSafetensors(bytesSource(read(`${name}/model.safetensors`), name));
    const wanted = await answer(config, weights);
    const ignored: string[] = [];
    for (const { path, configs } of alternatives(config)) {
      if (SILENT[name]?.[path]) continue;
      let counts = false;
      for (const changed of configs) {
        const got = await answer(changed, weights).catch((error: unknown) => {
          expect(error).toMatchObject({
            code: expect.stringMatching(/^(unsupported-model|bad-config|bad-weights)$/),
          });
          return undefined;
        });
        counts ||= !got?.every((score, i) => Math.abs(score - wanted[i]!) < 1e-5);
        if (counts) break;
      }
      if (!counts) ignored.push(path);
    }
    expect(ignored).toEqual([]);
  });
});
