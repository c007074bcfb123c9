/**
 * Runs every case under a folder in the format of the reference values, on WebGPU or on ONNX Runtime, in a browser or in Node,
 * and says of each how far it is from PyTorch. Entry of `npm run reference`.
 */
import { loadTokenizer } from '../../src/text/index.ts';
import { type BlockType, dequantize, toFloat32 } from '../../src/weights/index.ts';
import type { GpuContext } from '../harness/index.ts';
import { runAdapterCase, runPromptCase, runTrajectory } from './cases.ts';
import { type Engine, type EngineName, openEngine } from './engines.ts';
import { runGgufModel, runNextToken } from './gguf.ts';
import { openFiles, openTensors, type ReferenceFiles } from './io.ts';
import { type CaseResult, readModel, Skipped } from './models.ts';
import { runOpinion } from './opinion.ts';

type Runner = (engine: Engine, files: ReferenceFiles, path: string) => Promise<CaseResult>;

/** One line a format. */
const RUNNERS: Record<string, Runner> = {
  'prompt-case/1': runPromptCase,
  'adapter-case/1': runAdapterCase,
  'prompt-trajectory/1': runTrajectory,
  'gguf-model/1': runGgufModel,
  'next-token/1': runNextToken,
  'quant-blocks/1': runQuantBlocks,
  'tokenizer-ids/1': runTokenizer,
};
/** With both engines at once: where they are from each other, not from PyTorch. */
const OPINIONS: Record<string, Runner> = { 'prompt-case/1': runOpinion };
/** Formats whose files are no cases. */
const NO_CASES = new Set(['sensitivity/1']);

export default async function run(
  context: GpuContext,
): Promise<{ ok: number; failed: number; skipped: number }> {
  const {
    filter = '',
    engine: name = 'webgpu',
    beside = false,
  } = (context.args ?? {}) as {
    filter?: string;
    beside?: boolean;
    engine?: EngineName;
  };
  const engine = await openEngine(name, context);
  context.send({ line: engine.name });
  const files = await openFiles(context, '/reference', beside);
  const counts = { ok: 0, failed: 0, skipped: 0 };
  const jsonFiles = files.paths.filter(
    (path) =>
      path.endsWith('.json') &&
      !path.startsWith('../') &&
      !/(^|\/)(config|tokenizer\w*|adapter_config|package)\.json$/.test(path),
  );
  for (const path of jsonFiles.filter((p) => p.includes(filter)).sort()) {
    const json = (await files.json(path).catch(() => undefined)) as
      | { format?: unknown; method?: unknown }
      | undefined;
    const format = json?.format;
    if (typeof format !== 'string' || NO_CASES.has(format)) continue;
    const name = path.replace(/(\.case|\.ids)?\.json$/, '');
    const runner = engine.other ? OPINIONS[format] : RUNNERS[format];
    if (engine.other && !runner) continue;
    try {
      if (!runner)
        throw new Skipped(
          format === 'method-case/1'
            ? `method ${json?.method} is not known here yet`
            : `format ${format} is not known here yet`,
        );
      const { errors, exact } = await runner(engine, files, path);
      const good =
        errors.every(({ error, allowed }) => error <= allowed) && exact.every(({ equal }) => equal);
      counts[good ? 'ok' : 'failed']++;
      const parts = [
        ...errors.map(
          ({ of, error, allowed }) =>
            `${of} ${error.toExponential(1)}${error <= allowed ? '' : ` > ${allowed}`}`,
        ),
        ...exact.map(({ of, equal }) => `${of} ${equal ? 'equal' : 'DIFFERS'}`),
      ];
      context.send({ line: `${name.padEnd(42)} ${parts.join('  ')}  ${good ? 'ok' : 'FAIL'}` });
    } catch (error) {
      if (error instanceof Skipped) {
        counts.skipped++;
        context.send({ line: `${name.padEnd(42)} skipped: ${error.message}` });
      } else {
        counts.failed++;
        context.send({
          line: `${name.padEnd(42)} ${error instanceof Error ? error.message.split('\n')[0] : String(error)}  FAIL`,
        });
      }
    }
  }
  engine.close();
  return counts;
}

/** Block formats of ggml: bit-equal to the golden dequantisation. */
async function runQuantBlocks(_: Engine, files: ReferenceFiles, path: string): Promise<CaseResult> {
  const { types } = (await files.json(path)) as {
    types: { type: string; tensors: string; rows: number; cols: number }[];
  };
  const exact: CaseResult['exact'] = [];
  for (const { type, tensors } of types) {
    const { file, f32 } = await openTensors(files, files.resolve(path, tensors)!);
    for (const kind of ['real', 'random']) {
      const values = await f32(`${kind}.values`);
      const blocks = await file.read(`${kind}.blocks`);
      const got =
        type === 'F16' || type === 'BF16'
          ? toFloat32(blocks, type)
          : dequantize(blocks, type as BlockType, values.length);
      exact.push({ of: `${type} ${kind}`, equal: values.every((value, i) => Object.is(value, got[i])) });
    }
  }
  const different = exact.filter(({ equal }) => !equal);
  return {
    errors: [],
    exact: different.length > 0 ? different : [{ of: `${exact.length} sets of blocks`, equal: true }],
  };
}

async function runTokenizer(_: Engine, files: ReferenceFiles, path: string): Promise<CaseResult> {
  const json = (await files.json(path)) as {
    tokenizer: string;
    cases: { text: string; ids: number[]; ids_with_special?: number[] }[];
  };
  const tokenizer = json.tokenizer.endsWith('.gguf')
    ? (await readModel(files, path, json.tokenizer)).tokenizer!
    : loadTokenizer(await files.json(files.resolve(path, json.tokenizer)!));
  const equal = json.cases.every(
    ({ text, ids, ids_with_special }) =>
      JSON.stringify(tokenizer.encode(text)) === JSON.stringify(ids) &&
      (!ids_with_special ||
        JSON.stringify(tokenizer.encode(text, { special: true })) === JSON.stringify(ids_with_special)),
  );
  return { errors: [], exact: [{ of: `${json.cases.length} texts`, equal }] };
}
