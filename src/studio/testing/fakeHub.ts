/** The fake engine's hub: one T5 model, one of several GGUF files, and what this browser keeps. */
import type { ErrorReport } from '../../errors.ts';
import type { CachedModelCard, Engine, ModelNeeds } from '../../worker/protocol.ts';

export interface FakeHubOptions {
  hubError?: ErrorReport;
  needsError?: ErrorReport;
  cached?: CachedModelCard[];
}

export const fakeNeeds: ModelNeeds = {
  family: 'T5 v1.1',
  parameters: 76_961_152,
  width: 512,
  vocabSize: 32_128,
  layers: [8, 8],
  storedAs: ['F32'],
  precisions: [[308e6, 'stored'] as const, [82e6, 'q8_0'] as const, [50e6, 'q4_0'] as const].map(
    ([weightBytes, precision]) => ({
      precision,
      weightBytes,
      largestBytes: 0.2 * weightBytes,
      fits: true,
      largestBatch: 128,
      activationBytes: 96e6,
    }),
  ),
  recommended: 'stored',
  why: 'room',
  assumedBytes: 4e9,
  task: { promptLength: 20, tokens: 48 },
};

const T5_FILES = [
  { path: 'config.json', bytes: 661 },
  { path: 'tokenizer_config.json', bytes: 1857 },
  { path: 'spiece.model', bytes: 791_656 },
  { path: 'pytorch_model.bin', bytes: 307_873_041 },
];
const GGUF_FILES = ['Q4_K_M', 'Q8_0', 'F16'].map((type, i) => ({
  path: `model-${type}.gguf`,
  bytes: 105e6 * 1.6 ** i,
}));

type Verbs = Pick<Engine, 'lookUpHub' | 'inspectModel' | 'cachedModels' | 'deleteCachedModel'>;

export function createFakeHub(options: FakeHubOptions, wait: () => Promise<void>): Verbs {
  let cached = options.cached ?? [];
  return {
    async lookUpHub({ id, revision = 'main', file }) {
      await wait();
      if (options.hubError) throw options.hubError;
      const choices = /gguf/i.test(id) ? GGUF_FILES : [];
      const files = choices.length > 0 ? choices.filter(({ path }) => path === file) : T5_FILES;
      return {
        key: `huggingface.co/${id}@${revision}${file ? `#${file}` : ''}`,
        id,
        revision,
        commit: '9b1c1de2c5d3f1a0c1f0e4b7a1d2c3e4f5a6b7c8',
        files,
        downloadBytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
        choices,
      };
    },
    async inspectModel() {
      await wait();
      if (options.needsError) throw options.needsError;
      return fakeNeeds;
    },
    cachedModels: async () => ({
      models: cached,
      usedBytes: cached.reduce((sum, { bytes }) => sum + bytes, 0),
      quotaBytes: 40e9,
      lasting: true,
    }),
    async deleteCachedModel(id) {
      cached = cached.filter((kept) => kept.id !== id);
    },
  };
}
