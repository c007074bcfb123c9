/** The second opinion on the reference cases: our shaders beside ONNX Runtime, on the same model, rows and prompt. */
import { compareLearners, opinionSettings } from '../../src/tuning/index.ts';
import { type CaseJson, examplesOf } from './cases.ts';
import type { Engine } from './engines.ts';
import { openTensors, type ReferenceFiles } from './io.ts';
import { type CaseResult, withModel } from './models.ts';

/** Largest difference over the largest magnitude. */
const ALLOWED = 1e-3;

export async function runOpinion(engine: Engine, files: ReferenceFiles, path: string): Promise<CaseResult> {
  const json = (await files.json(path)) as CaseJson;
  return withModel(engine, files, path, json.model, async (model, open, { weights }) => {
    const tensors = await openTensors(files, files.resolve(path, json.tensors)!);
    const values = await tensors.f32('prompt');
    const length = values.length / model.info.width;
    const examples = examplesOf(model, json.input_ids, json.labels, length);
    const settings = opinionSettings({ length, loss: 'vocabulary' });
    const shaders = await open.learn(settings, examples, values, examples.length);
    const beside = await engine.other!.open(model, weights);
    const onnx = await beside.learn(settings, examples, values, examples.length);
    const { loss, logits, gradient } = await compareLearners(
      shaders,
      onnx,
      examples.map((_, i) => i),
    );
    shaders.destroy();
    onnx.destroy();
    beside.close();
    return {
      errors: [
        { of: 'loss', error: loss.relative, allowed: ALLOWED },
        { of: 'logits', error: logits.relative, allowed: ALLOWED },
        { of: 'gradient', error: gradient.relative, allowed: ALLOWED },
      ],
      exact: [],
    };
  });
}
