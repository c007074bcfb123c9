/**
 * Measures single kernels: `npx tsx bench/kernels/main.ts matmul|attention [--rounds N] [--runtime dawn|browser] [--adapter NAME]`.
 * Only shares of the ceiling within one run say something on a machine that does other work too.
 */
import { parseArgs } from 'node:util';
import { gpuOptions, printLine, readGpuOptions } from '../../scripts/gpuOptions.ts';
import { runOnGpu } from '../harness/index.ts';
import type { MatmulBench } from './matmul.ts';

const { values, positionals } = parseArgs({
  options: {
    ...gpuOptions,
    runtime: { type: 'string', default: 'dawn' },
    rounds: { type: 'string', default: '5' },
    args: { type: 'string' },
  },
  allowPositionals: true,
});

/** The encoder's rows of W1, then its decoder's; its head both ways. */
const shapes: MatmulBench['shapes'] = [
  ...[
    [576, 192],
    [192, 192],
    [768, 192],
    [192, 384],
    [1536, 192],
  ].flatMap(([n, k]): MatmulBench['shapes'] => [
    ['nt', 832, n, k],
    ['nn', 832, n, k],
  ]),
  ...[16, 32].flatMap((rows): MatmulBench['shapes'] => [
    ['nt', rows, 576, 192],
    ['nn', rows, 576, 192],
    ['nt', rows, 8192, 192],
    ['nn', rows, 8192, 192],
  ]),
];

const [which = 'matmul'] = positionals;
if (which !== 'matmul' && which !== 'attention')
  throw new Error(`There is no bench ${which}: matmul or attention.`);
await runOnGpu({
  ...readGpuOptions(values),
  entry: `bench/kernels/${which}.ts`,
  args: { rounds: Number(values.rounds), shapes, ...(values.args ? JSON.parse(values.args) : {}) },
  onMessage: printLine,
});
