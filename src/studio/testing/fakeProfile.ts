/** A profile of a small encoder-decoder's step, with the order and the kinds of dispatches that a real one has. */
import type { ProfiledDispatch, StepPart, StepProfile } from '../../worker/protocol.ts';
import { hash01 } from './fakeData.ts';

const T = 1664;
const WIDTH = 128;
const CEILING = { gflops: 900, gbytesPerSecond: 80 };

const code = (kernel: string) => `// ${kernel}
@group(0) @binding(0) var<uniform> u: Uniforms;
@compute @workgroup_size(16, 16)
fn main(@builtin(workgroup_id) group: vec3u) {
  if group.x >= u.rows { return; }
}`;

export function fakeProfile(examples: number): StepProfile {
  const sources: StepProfile['sources'] = [];
  const dispatches: ProfiledDispatch[] = [];
  let startUs = 0;
  const add = (
    kernel: string,
    node: string,
    part: StepPart,
    layer: ProfiledDispatch['layer'],
    cols: number,
  ) => {
    let source = sources.findIndex(({ kernels }) => kernels.includes(kernel));
    if (source < 0) source = sources.push({ kernels: [kernel], code: code(kernel) }) - 1;
    const product = kernel.startsWith('matmul') || kernel.startsWith('attention');
    const flops = product ? 2 * T * WIDTH * cols : 6 * T * cols;
    const bytes = 4 * (T * (WIDTH + cols) + (product ? WIDTH * cols : 0));
    const computeUs = flops / CEILING.gflops / 1000;
    const memoryUs = bytes / CEILING.gbytesPerSecond / 1000;
    const roofUs = Math.max(computeUs, memoryUs);
    const durationUs = roofUs / (0.35 + 0.55 * hash01(`${kernel} ${node} ${part}`, 11));
    dispatches.push({
      kernel,
      node,
      layer,
      part,
      tensors: [
        { name: `${node} input`, shape: [T, WIDTH], dtype: 'f32', kind: 'activation', written: false },
        ...(kernel.startsWith('matmul')
          ? [
              {
                name: `${node} weight`,
                shape: [cols, WIDTH] as [number, number],
                dtype: 'f16',
                kind: 'weight' as const,
                written: false,
              },
            ]
          : []),
        { name: node, shape: [T, cols], dtype: 'f32', kind: 'activation', written: true },
      ],
      workgroups: [Math.ceil(cols / 64), Math.ceil(T / 64), 1],
      source,
      startUs,
      durationUs,
      flops,
      bytes,
      roof: computeUs >= memoryUs ? 'compute' : 'memory',
      roofShare: roofUs / durationUs,
    });
    startUs += durationUs + 2;
  };
  const ops = (['encoder', 'decoder'] as const).flatMap((stack) =>
    [0, 1].flatMap((index) =>
      (
        [
          ['rms_norm', 'norm', WIDTH],
          ['matmul', 'qkv', 3 * WIDTH],
          ['attention', 'attention', WIDTH],
          ['matmul', 'mid', WIDTH],
          ['matmul', 'wi', 4 * WIDTH],
          ['gate', 'wi.gelu', 2 * WIDTH],
          ['matmul', 'out', WIDTH],
        ] as const
      ).map(([op, name, cols]) => ({ op, node: `${stack}.${index}.${name}`, layer: { stack, index }, cols })),
    ),
  );
  add('embed/forward', 'encoder.embed', 'forward', undefined, WIDTH);
  for (const { op, node, layer, cols } of ops)
    add(op === 'matmul' ? 'matmul/nt' : `${op}/forward`, node, 'forward', layer, cols);
  add('sequence_loss/lse', 'loss', 'forward', undefined, 8192);
  for (const { op, node, layer, cols } of [...ops].reverse())
    add(op === 'matmul' ? 'matmul/nn' : `${op}/backward`, node, 'backward', layer, cols);
  add('adafactor/update', 'prompt', 'update', undefined, WIDTH);
  const last = dispatches[dispatches.length - 1]!;
  const spanUs = last.startUs + last.durationUs;
  return {
    adapter: 'fake test Fake adapter',
    clock: 'timestamps',
    ceiling: CEILING,
    batch: { examples, timed: examples, tokens: T, sizes: { T, S: examples, D: 64, N: 64 } },
    stepMs: spanUs / 1000 + 0.4,
    spanUs,
    busyUs: dispatches.reduce((sum, { durationUs }) => sum + durationUs, 0),
    dispatches,
    sources,
  };
}
