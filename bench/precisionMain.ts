/** The command of `precision.ts`. */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { printLine } from '../scripts/gpuOptions.ts';
import { ROOT } from '../scripts/processes.ts';
import { runOnGpu } from './harness/index.ts';

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: 'small' },
    task: { type: 'string', default: 'fact-or-opinion' },
    steps: { type: 'string', default: '100' },
    seeds: { type: 'string', default: '0,1' },
  },
});
await runOnGpu({
  runtime: 'dawn',
  adapter: undefined,
  timeoutSeconds: 3600,
  entry: 'bench/precision.ts',
  folders: { '/ort': join(ROOT, 'node_modules/onnxruntime-web/dist') },
  args: {
    model: values.model,
    task: values.task,
    steps: Number(values.steps),
    seeds: values.seeds.split(',').map(Number),
  },
  onMessage: printLine,
});
