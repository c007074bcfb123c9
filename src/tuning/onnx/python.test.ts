/**
 * Our ONNX files in other hands: ONNX's own checker, and ONNX Runtime in Python. Every family's forward pass as it ships, with the
 * prompt as an input and built in, and the whole training step with its gradient.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeModel } from '../../models/index.ts';
import { encodeProgram, lowerGraph, type OnnxRuntime, programInputs } from '../../onnx/index.ts';
import { noise, testRuntime } from '../../onnx/testing.ts';
import { bytesSource, openSafetensors } from '../../weights/index.ts';
import { type BatchExample, planAnswers } from '../batch.ts';
import { type LearnerSettings, lossScale, trainingGraph } from '../trainingGraph.ts';
import { collectBatch, frozenValues } from './batch.ts';
import { exportOnnx } from './export.ts';
import { createOnnxLearner } from './learner.ts';

const MODELS = fileURLToPath(new URL('../../../bench/reference/testdata/models/', import.meta.url));
const LENGTH = 3;

const has = (module: string) =>
  spawnSync('python3', ['-c', `import ${module}`], { timeout: 60_000 }).status === 0;
const checker = has('onnx');
const runtime = checker && has('onnxruntime');

/** Checks every model of a folder; runs the steps where it can, and says how far loss and gradient are from ours. */
const SCRIPT = `
import glob, json, os, sys
import numpy as np, onnx
for path in sorted(glob.glob("*/*.onnx")):
    onnx.checker.check_model(path, full_check=True)
if sys.argv[1] == "run":
    import onnxruntime
    for folder in sorted(glob.glob("*/")):
        case = json.load(open(folder + "step.json"))
        feeds = {name: np.array(one["data"], {"f32": np.float32, "i32": np.int32}[one["dtype"]]).reshape(one["shape"]) for name, one in case["feeds"].items()}
        loss, gradient = onnxruntime.InferenceSession(folder + "step.onnx").run(["loss", "gradient"], feeds)
        wanted = np.array(case["gradient"]).reshape(gradient.shape)
        print(json.dumps([folder.strip("/"), float(abs(loss.ravel()[0] / case["loss"] - 1)), float(abs(gradient - wanted).max() / abs(wanted).max())]))
`;

let ort: OnnxRuntime;
let root: string;
beforeAll(async () => {
  ort = await testRuntime();
  root = mkdtempSync(join(tmpdir(), 'prelude-onnx-'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

async function writeFamily(name: string): Promise<void> {
  const folder = join(root, name);
  mkdirSync(folder);
  const bytes = new Uint8Array(readFileSync(`${MODELS}${name}/model.safetensors`));
  const weights = await openSafetensors(bytesSource(bytes, name));
  const model = makeModel(JSON.parse(readFileSync(`${MODELS}${name}/config.json`, 'utf8')), weights);
  const prompt = noise(LENGTH * model.info.width, 5);
  for (const settings of [
    { name: 'forward.onnx', weightsBeside: true },
    { name: 'baked.onnx', prompt },
  ])
    for (const file of await exportOnnx(model, weights, settings))
      writeFileSync(join(folder, file.name), Buffer.concat(file.parts));

  const examples: BatchExample[] = [
    [5, 9, 11, 1],
    [8, 1],
    [30, 31, 32, 1],
  ].map((ids, target) => ({
    ids,
    prompt: { first: 0, count: LENGTH },
    answers: planAnswers([
      [20, 1],
      [20, 21, 1],
      [22, 1],
    ]),
    target,
  }));
  const settings: LearnerSettings = {
    length: LENGTH,
    loss: 'verbalizers',
    optimizer: { kind: 'sgd', learningRate: 1e-6, momentum: 0 },
    clipNorm: 0,
  };
  const { graph, feed, gradient, loss } = trainingGraph({ rowLanes: 1 }, model, settings);
  const lowered = lowerGraph(graph.nodes, { outputs: { loss, gradient } });
  const { model: step, externalData } = await encodeProgram(lowered, frozenValues(model, weights));
  writeFileSync(join(folder, 'step.onnx'), step);
  for (const { path, data } of externalData) writeFileSync(join(folder, path), data);
  const packed = collectBatch(feed, examples);
  const dims = { ...packed.dims, lossScale: lossScale(settings.loss, examples), accumulate: 0 };
  const feeds = programInputs(lowered, {
    dims,
    inputs: packed.inputs,
    states: { prompt: { values: prompt, rows: LENGTH } },
  });
  const learner = await createOnnxLearner(ort, model, weights, settings, examples, prompt, examples.length);
  const ours = await learner.step(1, [0, 1, 2], { scene: false });
  const wanted = await learner.readGradient();
  learner.destroy();
  writeFileSync(
    join(folder, 'step.json'),
    JSON.stringify({
      loss: ours.loss,
      gradient: [...wanted],
      feeds: Object.fromEntries(
        [...feeds].map(([input, { data, ...rest }]) => [input, { ...rest, data: Array.from(data) }]),
      ),
    }),
  );
}

describe.skipIf(!checker)('in Python (skipped where python3 has no onnx)', () => {
  const families = readdirSync(MODELS).sort();

  test('the ONNX checker accepts every file, and ONNX Runtime computes our loss and gradient', {
    timeout: 120_000,
  }, async () => {
    for (const name of families) await writeFamily(name);
    const run = spawnSync('python3', ['-c', SCRIPT, runtime ? 'run' : 'check'], {
      cwd: root,
      encoding: 'utf8',
      timeout: 100_000,
    });
    expect(run.stderr.split('\n').filter((line) => /Error|error/.test(line))).toEqual([]);
    expect(run.status).toBe(0);
    if (!runtime) return;
    const told = run.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as [string, number, number]);
    expect(told.map(([name]) => name)).toEqual(families);
    for (const [, loss, gradient] of told) {
      expect(loss).toBeLessThan(1e-5);
      expect(gradient).toBeLessThan(1e-4);
    }
  });
});
