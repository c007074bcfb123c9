/** The files of a download for other runtimes, but for the model itself. */

import type { FrozenModel } from '../../models/index.ts';
import { exportNpy, type SoftPrompt } from '../../prompts/index.ts';
import { parseTemplate } from '../../text/index.ts';
import type { OpenedModel } from '../models.ts';
import node from './node.mjs?raw';
import page from './page.html?raw';
import script from './predict.js?raw';
import python from './predict.py?raw';
import { readme } from './readme.ts';

/** Versions that the scripts were tested with: those of this project. */
const PACKAGE = {
  name: 'soft-prompt',
  private: true,
  type: 'module',
  scripts: { predict: 'node predict.mjs' },
  dependencies: { '@huggingface/tokenizers': '^0.2.0', 'onnxruntime-web': '1.30.0' },
  optionalDependencies: { 'onnxruntime-node': '^1.24.0' },
};

export interface TextFile {
  name: string;
  bytes: Uint8Array<ArrayBuffer>;
}

export interface DeployedTask {
  template: string;
  /** `ids`: the answer's tokens, the end token included where it counts. */
  labels: { label: string; text: string; ids: readonly number[] }[];
  /** Tokens of input kept at most. */
  maxTokens: number;
}

const encoded = (text: string) => new TextEncoder().encode(text);
const pretty = (value: unknown) => encoded(`${JSON.stringify(value, null, 2)}\n`);

/** @param weightsBeside whether the model's weights are a file of their own */
export function deployedFiles(
  prompt: SoftPrompt,
  task: DeployedTask,
  { kind, info }: FrozenModel,
  opened: OpenedModel,
  { weightsBeside, withModel }: { weightsBeside: boolean; withModel: boolean },
): TextFile[] {
  const { tokenizer, tokenizerFiles } = opened;
  const { eosId } = tokenizer;
  return [
    { name: 'README.md', bytes: encoded(readme(prompt, task, { weightsBeside, withModel })) },
    { name: 'index.html', bytes: encoded(page) },
    { name: 'predict.js', bytes: encoded(script) },
    { name: 'predict.mjs', bytes: encoded(node) },
    { name: 'predict.py', bytes: encoded(python) },
    { name: 'package.json', bytes: pretty(PACKAGE) },
    { name: 'prompt.npy', bytes: exportNpy(prompt) },
    {
      name: 'task.json',
      bytes: pretty({
        model: prompt.model.name,
        fingerprint: prompt.model.fingerprint,
        weightsBeside,
        template: parseTemplate(task.template).parts,
        maxTokens: task.maxTokens,
        eosId: eosId ?? null,
        decoder: kind === 'seq2seq' ? { start: info.startId } : null,
        labels: task.labels,
      }),
    },
    { name: 'tokenizer.json', bytes: encoded(JSON.stringify(tokenizerFiles.json)) },
    { name: 'tokenizer_config.json', bytes: pretty(tokenizerFiles.config ?? {}) },
  ];
}
