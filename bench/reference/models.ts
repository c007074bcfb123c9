import { type FrozenModel, fromGguf, makeModel } from '../../src/models/index.ts';
import { ggufTokenizer, loadTokenizer, type Tokenizer } from '../../src/text/index.ts';
import { bytesSource, openGguf, type WeightFile } from '../../src/weights/index.ts';
import type { Engine, OpenModel } from './engines.ts';
import { openTensors, type ReferenceFiles } from './io.ts';

/** What one case came to. */
export interface CaseResult {
  /** Largest relative errors by what they are of, with what is allowed. */
  errors: { of: string; error: number; allowed: number }[];
  /** Comparisons that are exact, and their outcome. */
  exact: { of: string; equal: boolean }[];
}

/** A case that cannot be run, and why: an architecture or a method that is not known. */
export class Skipped extends Error {}

/** A model that a case names: a folder as published, or a GGUF file with its tokenizer. */
export async function readModel(
  files: ReferenceFiles,
  from: string,
  path: string,
): Promise<{ config: unknown; weights: WeightFile; tokenizer?: Tokenizer }> {
  const found = files.resolve(from, path);
  if (!found) throw new Skipped(`model ${path} is not in this folder`);
  if (found.endsWith('.gguf')) {
    const file = await openGguf(bytesSource(await files.bytes(found), found));
    const { tokenizerJson, tokenizerConfigJson } = ggufTokenizer(file.metadata);
    return { ...fromGguf(file), tokenizer: loadTokenizer(tokenizerJson, tokenizerConfigJson) };
  }
  const config = await files.json(`${found}/config.json`);
  const { file } = await openTensors(files, `${found}/model.safetensors`);
  return { config, weights: file };
}

/** Runs `body` on the frozen model of a case, and frees it. */
export async function withModel<R>(
  engine: Engine,
  files: ReferenceFiles,
  from: string,
  path: string,
  body: (
    model: FrozenModel,
    open: OpenModel,
    read: { weights: WeightFile; tokenizer?: Tokenizer },
  ) => Promise<R>,
): Promise<R> {
  const read = await readModel(files, from, path);
  let model: FrozenModel;
  try {
    model = makeModel(read.config, read.weights);
  } catch (error) {
    if ((error as { code?: string }).code === 'unsupported-model')
      throw new Skipped(
        `family ${(read.config as { model_type?: string }).model_type}: ${(error as Error).message}`,
      );
    throw error;
  }
  const open = await engine.open(model, read.weights);
  try {
    return await body(model, open, read);
  } finally {
    open.close();
  }
}
