/**
 * Attention forward and backward at the shape of a small T5's encoder (W1) and of a small causal model with grouped heads (W2), each
 * kernel against the best hand-written matmul of the same run. `args`: { rounds, tiles?: tiles to try by pass }.
 */
import { createPipelines, openGpu } from '../../src/gpu/index.ts';
import {
  type AttentionShape,
  attentionBackwardKeys,
  attentionBackwardQueries,
  attentionForward,
  attentionStats,
  headWidth,
} from '../../src/kernels/attention/kernels.ts';
import { pack } from '../../src/kernels/attention/packing.ts';
import { type AttentionTile, chooseAttentionTile, type Pass } from '../../src/kernels/attention/tiles.ts';
import { ceilingKernels } from '../../src/kernels/ceiling/products.ts';
import type { Kernel, KernelTraits, Tensor } from '../../src/kernels/index.ts';
import { prepareKernels } from '../../src/kernels/matmul/measure.ts';
import type { GpuContext } from '../harness/types.ts';
import { type Entrant, takeTurns, values } from './rounds.ts';

export interface AttentionBench {
  rounds: number;
  cases?: string[];
  tiles?: Partial<Record<Pass, AttentionTile[]>>;
}

const cases = [
  { name: 'T5: 16 x 52, 6 heads of 32, bias', heads: 6, kvHeads: 6, headDim: 32, causal: false },
  { name: 'causal: 16 x 52, 9 heads of 64 on 3', heads: 9, kvHeads: 3, headDim: 64, causal: true },
];

export default async function bench({ gpu: api, args, send }: GpuContext) {
  const { rounds, tiles, cases: wanted } = args as AttentionBench;
  const gpu = await openGpu({ gpu: api });
  const pipelines = createPipelines(gpu);
  const traits: KernelTraits = { rowLanes: gpu.adapter.software ? 1 : 64 };
  let id = 0;
  const tensor = (name: string, rows: number, cols: number, dtype: Tensor['dtype'] = 'f32'): Tensor => ({
    id: id++,
    name,
    rows,
    cols,
    dtype,
    kind: 'input',
  });
  const [m, n, k] = [832, 192, 384];
  const [left, right, product] = [tensor('a', m, k), tensor('b', k, n), tensor('c', m, n)];
  const operands = new Map([
    [left, values(m * k, 1)],
    [right, values(k * n, 2)],
  ]);
  const report: { name: string; pass: string; gflops: number; share: number }[] = [];
  for (const { name, heads, kvHeads, headDim, causal } of cases.filter(
    (c) => !wanted || wanted.some((word) => c.name.startsWith(word)),
  )) {
    const packed = pack(Array(16).fill([52, 52]), causal ? { after: 0 } : {});
    const rows = packed.queries;
    const inner = heads * headDim;
    const kvInner = kvHeads * headDim;
    const qkv = tensor('qkv', rows, inner + 2 * kvInner);
    const table = tensor('table', heads, 255);
    const shape: AttentionShape = {
      q: qkv,
      qColumn: 0,
      k: qkv,
      kColumn: inner,
      v: qkv,
      vColumn: inner + kvInner,
      heads,
      kvHeads,
      headDim,
      scale: 1 / Math.sqrt(headDim),
      bias: causal ? undefined : { table, reach: 127 },
      queryRanges: tensor('queryRanges', rows, 4, 'u32'),
      keyRanges: tensor('keyRanges', rows, 4, 'u32'),
      pairs: 16 * 52 * (causal ? 26.5 : 52),
    };
    const out = tensor('out', rows, inner);
    const dout = tensor('dout', rows, inner);
    const lse = tensor('lse', rows, heads);
    const stats = tensor('stats', rows, 2 * heads);
    const dqkv = tensor('dqkv', rows, qkv.cols);
    const data = new Map<Tensor, Float32Array | Uint32Array>([
      ...operands,
      [qkv, values(rows * qkv.cols, 3)],
      [table, values(heads * 255, 4)],
      [dout, values(rows * inner, 5)],
      [lse, new Float32Array(rows * heads).fill(4)],
      [shape.queryRanges, packed.queryRanges],
      [shape.keyRanges, packed.keyRanges],
    ]);
    const enter = async (label: string, kernel: Kernel): Promise<Entrant & { compileMs: number }> => {
      const start = performance.now();
      const prepared = await prepareKernels(gpu, pipelines, [kernel], {}, data);
      return {
        name: label,
        flops: kernel.cost({}).flops,
        prepared,
        compileMs: performance.now() - start,
      };
    };
    const make: Record<Pass, (tile: AttentionTile) => Kernel> = {
      forward: (tile) => attentionForward(shape, tile, out, lse),
      queries: (tile) => attentionBackwardQueries(shape, tile, dout, stats, dqkv),
      keys: (tile) => attentionBackwardKeys(shape, tile, dout, stats, { dk: dqkv, dv: dqkv }),
    };
    const entrants: (Entrant & { compileMs: number })[] = [];
    // The last three are the ceiling on all adapters seen so far; compiling the others takes longer than the bench.
    for (const kernel of ceilingKernels(m, left, right, product).slice(-3))
      entrants.push(await enter(kernel.name, kernel));
    const ceilings = entrants.length;
    for (const pass of ['forward', 'queries', 'keys'] as const) {
      const chosen = chooseAttentionTile(traits, {
        pass,
        width: headWidth(shape),
        queries: rows,
        keys: rows,
      });
      for (const [i, tile] of [chosen, ...(tiles?.[pass] ?? [])].entries())
        entrants.push(
          await enter(
            `${pass} ${i ? ' ' : '*'} rows ${tile.rows} lanes ${tile.lanes}${tile.quads ? ' by quads' : ''} tiles ${tile.tiles} block ${tile.block}`,
            make[pass](tile),
          ),
        );
    }
    entrants.push(await enter('stats', attentionStats(shape, out, dout, lse, stats)));
    const speeds = await takeTurns(entrants, rounds);
    const ceiling = Math.max(...speeds.slice(0, ceilings));
    send({
      line: `${name}: ceiling ${ceiling.toFixed(2)} GFLOP/s (${entrants[speeds.indexOf(ceiling)].name})`,
    });
    for (const [i, { name: pass, flops, compileMs }] of entrants.entries()) {
      if (i < ceilings) continue;
      const share = speeds[i] / ceiling;
      send({
        line: `   ${pass.padEnd(44)} ${(flops / speeds[i] / 1e6).toFixed(2).padStart(7)} ms  ${speeds[i].toFixed(2)} GFLOP/s  ${Math.round(100 * share)}%  compiled in ${compileMs.toFixed(0)} ms`,
      });
      report.push({ name, pass, gflops: speeds[i], share });
    }
    for (const { prepared } of entrants) prepared.free();
  }
  gpu.close();
  return report;
}
