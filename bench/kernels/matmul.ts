/**
 * The matmul family at the shapes of a small T5 (W1), each against the best hand-written kernel of the same shape in the same
 * run. `args`: { rounds, shapes: [direction, rows, N, K][], tiles?, dtypes? } - without tiles, what `chooseTile` takes by itself; with
 * dtypes, the weight in each of these formats.
 */
import { createPipelines, openGpu } from '../../src/gpu/index.ts';
import { ceilingKernels } from '../../src/kernels/ceiling/products.ts';
import {
  type Kernel,
  type KernelTraits,
  type Tensor,
  tensorBytes,
  type WeightDtype,
} from '../../src/kernels/index.ts';
import { matmulKernels } from '../../src/kernels/matmul/matmul.ts';
import { prepareKernels } from '../../src/kernels/matmul/measure.ts';
import { chooseTile, type Direction, type MatmulTile } from '../../src/kernels/matmul/tiles.ts';
import type { GpuContext } from '../harness/types.ts';
import { type Entrant, takeTurns, values } from './rounds.ts';

export interface MatmulBench {
  rounds: number;
  shapes: [direction: Direction, rows: number, n: number, k: number][];
  tiles?: MatmulTile[];
  dtypes?: WeightDtype[];
}

export default async function bench({ gpu: api, args, send }: GpuContext) {
  const { rounds, shapes, tiles, dtypes = ['f32'] } = args as MatmulBench;
  const gpu = await openGpu({ gpu: api });
  const pipelines = createPipelines(gpu);
  const traits: KernelTraits = {
    rowLanes: gpu.adapter.software ? 1 : 64,
    shaderF16: gpu.features.shaderF16,
  };
  send({ line: `${gpu.adapter.vendor} ${gpu.adapter.architecture} ${gpu.adapter.description}` });
  let id = 0;
  const tensor = (name: string, rows: number, cols: number, dtype: WeightDtype = 'f32'): Tensor => ({
    id: id++,
    name,
    rows,
    cols,
    dtype,
    kind: 'input',
  });
  const report: { shape: unknown; name: string; gflops: number; ceiling: number }[] = [];
  for (const [direction, rows, n, k] of shapes) {
    const [depth, cols] = direction === 'nt' ? [k, n] : [n, k];
    const left = tensor('left', rows, depth);
    const weights = dtypes.map((dtype) => tensor('w', n, k, dtype));
    const out = tensor('out', rows, cols);
    const data = new Map<Tensor, Float32Array | Uint32Array>([[left, values(rows * depth, 1)]]);
    for (const w of weights)
      data.set(w, w.dtype === 'f32' ? values(n * k, 2) : smallWords(tensorBytes(w, {})));
    const enter = async (name: string, kernels: Kernel[]): Promise<Entrant> => ({
      name,
      flops: 2 * rows * n * k,
      prepared: await prepareKernels(gpu, pipelines, kernels, {}, data),
    });
    // The ceiling's right-hand side is [depth, cols]; its values do not matter.
    const straight = tensor('b', depth, cols);
    data.set(straight, values(n * k, 3));
    const ceilings = await Promise.all(
      ceilingKernels(rows, left, straight, out).map((kernel) => enter(kernel.name, [kernel])),
    );
    const own = await Promise.all(
      weights.flatMap((w) =>
        [chooseTile(traits, { direction, rows, cols, depth, dtype: w.dtype }), ...(tiles ?? [])].map(
          (tile, i) =>
            enter(
              `${w.dtype.padEnd(5)} ${i ? '' : '* '}${tile.kind} ${tile.rows}x${tile.cols} wg ${tile.wgX}x${tile.wgY} ${tile.depth ?? ''} /${tile.split ?? 1}`,
              matmulKernels(
                { direction, left, w, out, reading: { nativeHalf: traits.shaderF16 } },
                tile,
                (c) => tensor('parts', rows, c),
              ),
            ),
        ),
      ),
    );
    const speeds = await takeTurns([...ceilings, ...own], rounds);
    const ceiling = Math.max(...speeds.slice(0, ceilings.length));
    const best = ceilings[speeds.indexOf(ceiling)]?.name;
    send({ line: `${direction} M=${rows} N=${n} K=${k}: ceiling ${ceiling.toFixed(2)} GFLOP/s (${best})` });
    own.forEach(({ name }, i) => {
      const speed = speeds[ceilings.length + i];
      send({ line: `   ${name.padEnd(36)} ${speed.toFixed(2)}  ${Math.round((100 * speed) / ceiling)}%` });
      report.push({ shape: [direction, rows, n, k], name, gflops: speed, ceiling });
    });
    for (const { prepared } of [...ceilings, ...own]) prepared.free();
  }
  gpu.close();
  return report;
}

/** Bytes between 0x20 and 0x2f: whatever a format reads as a scale is a small number. */
function smallWords(bytes: number): Uint32Array {
  return new Uint32Array(Math.ceil(bytes / 4)).map(
    (_, i) => ((Math.imul(i + 1, 2654435761) & 0x0f0f0f0f) | 0x20202020) >>> 0,
  );
}
