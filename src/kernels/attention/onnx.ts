import { size, type Tensor } from '../kernel.ts';
import type { OnnxBatch, OnnxEmitter, OnnxValue } from '../onnx.ts';
import type { AttentionShape } from './kernels.ts';
import { type AttentionLayout, layOut } from './layout.ts';

/** Values of the forward pass that the way back reuses, all in blocks. */
interface Attended {
  /** [B, kvHeads, G Lq, D], [B, kvHeads, Lk, D] twice; G query heads share a key head. */
  q: OnnxValue;
  k: OnnxValue;
  v: OnnxValue;
  /** [B, heads, Lq, Lk] */
  p: OnnxValue;
  /** Of the cap at each score, where there is one. */
  slope?: OnnxValue;
  /** [B, heads, Lq, D] */
  out: OnnxValue;
}

/** Layouts of the batch at hand, by the array of their ranges. */
const layouts = new WeakMap<Uint32Array, AttentionLayout>();

function layoutOf(a: AttentionShape, batch: OnnxBatch): AttentionLayout {
  const ranges = batch.read(a.queryRanges);
  let layout = layouts.get(ranges);
  if (!layout) {
    layout = layOut(
      ranges,
      size(batch.dims, a.k.rows),
      a.prefix === undefined ? undefined : size(batch.dims, a.prefix),
    );
    layouts.set(ranges, layout);
  }
  return layout;
}

type Place = 'queryIndex' | 'keyIndex' | 'queryPlace' | 'keyPlace' | 'prefixPlace';

/** One of the layout's index tables as an input. */
function indices(e: OnnxEmitter, a: AttentionShape, which: Place): OnnxValue {
  const name = a.queryRanges.name;
  const blocks = `${name} blocks`;
  const shapes: Record<Place, (string | number)[]> = {
    queryIndex: [blocks, `${name} queries`],
    keyIndex: [blocks, `${name} keys`],
    queryPlace: [a.q.rows],
    keyPlace: [a.prefix === undefined ? a.k.rows : `${name} own keys`],
    prefixPlace: [a.prefix ?? 0, blocks],
  };
  return e.feed({
    name: `${name} ${which}`,
    origin: { tensor: a.queryRanges, part: which },
    dtype: 'i32',
    shape: shapes[which],
    compute(batch) {
      const l = layoutOf(a, batch);
      const sizes: Record<Place, number[]> = {
        queryIndex: [l.blocks, l.queries],
        keyIndex: [l.blocks, l.keys],
        queryPlace: [l.queryPlace.length],
        keyPlace: [l.keyPlace.length],
        prefixPlace: [l.prefixPlace.length / l.blocks, l.blocks],
      };
      return { data: l[which], shape: sizes[which] };
    },
  });
}

/** [B, 1, Lq, Lk], with a bias [B, heads, Lq, Lk]: what is added to the scores. */
function addedToScores(e: OnnxEmitter, a: AttentionShape): OnnxValue {
  const name = a.queryRanges.name;
  const [blocks, queries, keys] = ['blocks', 'queries', 'keys'].map((of) => `${name} ${of}`);
  const mask = e.feed({
    name: `${name} mask`,
    origin: { tensor: a.queryRanges, part: 'mask' },
    dtype: 'f32',
    shape: [blocks, 1, queries, keys],
    compute(batch) {
      const l = layoutOf(a, batch);
      return { data: l.mask, shape: [l.blocks, 1, l.queries, l.keys] };
    },
  });
  if (!a.bias) return mask;
  const { table, reach } = a.bias;
  return e.once(`bias ${table.id} of ${a.queryRanges.id}`, () => {
    const relative = e.feed({
      name: `${name} relative to ${reach}`,
      origin: { tensor: a.queryRanges, part: `relative ${reach}` },
      dtype: 'i32',
      shape: [queries, keys],
      compute(batch) {
        const l = layoutOf(a, batch);
        const { offset } = l;
        if (offset === undefined) throw new Error(`${name}: relative positions differ between sequences`);
        const data = Int32Array.from({ length: l.queries * l.keys }, (_, at) => {
          const rel = (at % l.keys) - Math.floor(at / l.keys) + offset;
          return Math.max(-reach, Math.min(reach, rel)) + reach;
        });
        return { data, shape: [l.queries, l.keys] };
      },
    });
    return e.node('Add', [e.node('Gather', [e.value(table), relative], { axis: 1 }), mask]);
  });
}

const reshape = (e: OnnxEmitter, x: OnnxValue, shape: number[]) => e.node('Reshape', [x, e.i64(shape)]);
const transpose = (e: OnnxEmitter, x: OnnxValue, perm: number[]) => e.node('Transpose', [x], { perm });
const flip = (e: OnnxEmitter, x: OnnxValue) => transpose(e, x, [0, 1, 3, 2]);

/** Heads of some columns of packed rows, in blocks: [B, heads, L, D]. */
function intoBlocks(
  e: OnnxEmitter,
  a: AttentionShape,
  from: { tensor: Tensor; column: number; heads: number },
  index: OnnxValue,
): OnnxValue {
  const { tensor, column, heads } = from;
  const end = column + heads * a.headDim;
  const columns =
    end - column === tensor.cols
      ? e.value(tensor)
      : e.node('Slice', [e.value(tensor), e.i64([column]), e.i64([end]), e.i64([1])]);
  const rows = e.node('Gather', [columns, index], { axis: 0 });
  return transpose(e, reshape(e, rows, [0, 0, heads, a.headDim]), [0, 2, 1, 3]);
}

/** Back again: [B, heads, L, D] to packed rows [M, heads D]. */
function intoRows(
  e: OnnxEmitter,
  a: AttentionShape,
  blocks: OnnxValue,
  heads: number,
  place: OnnxValue,
): OnnxValue {
  const rows = reshape(e, transpose(e, blocks, [0, 2, 1, 3]), [-1, heads * a.headDim]);
  return e.node('Gather', [rows, place], { axis: 0 });
}

/** [B, heads, Lq, x] to [B, kvHeads, G Lq, x] and back: the query heads of one key head are rows of one product. */
const grouped = (e: OnnxEmitter, a: AttentionShape, x: OnnxValue) =>
  a.heads === a.kvHeads ? x : reshape(e, x, [0, a.kvHeads, -1, 0]);
const ungrouped = (e: OnnxEmitter, a: AttentionShape, x: OnnxValue) =>
  a.heads === a.kvHeads ? x : reshape(e, x, [0, a.heads, -1, 0]);

function attend(e: OnnxEmitter, a: AttentionShape, out: Tensor): Attended {
  return e.once(`attention ${out.id}`, () => {
    const added = addedToScores(e, a);
    const queryIndex = indices(e, a, 'queryIndex');
    const keyIndex = indices(e, a, 'keyIndex');
    const heads = intoBlocks(e, a, { tensor: a.q, column: a.qColumn, heads: a.heads }, queryIndex);
    const q = grouped(e, a, a.scale === 1 ? heads : e.node('Mul', [heads, e.f32(a.scale)]));
    const k = intoBlocks(e, a, { tensor: a.k, column: a.kColumn, heads: a.kvHeads }, keyIndex);
    const v = intoBlocks(e, a, { tensor: a.v, column: a.vColumn, heads: a.kvHeads }, keyIndex);
    const raw = ungrouped(e, a, e.node('MatMul', [q, flip(e, k)]));
    const drawn = a.cap === undefined ? undefined : e.node('Tanh', [e.node('Div', [raw, e.f32(a.cap)])]);
    const scores = drawn ? e.node('Mul', [drawn, e.f32(a.cap!)]) : raw;
    const slope = drawn && e.node('Sub', [e.f32(1), e.node('Mul', [drawn, drawn])]);
    const p = e.node('Softmax', [e.node('Add', [scores, added])], { axis: -1 });
    return { q, k, v, p, slope, out: ungrouped(e, a, e.node('MatMul', [grouped(e, a, p), v])) };
  });
}

export function attentionOnnx(e: OnnxEmitter, a: AttentionShape, out: Tensor): void {
  const place = indices(e, a, 'queryPlace');
  e.set(out, intoRows(e, a, attend(e, a, out).out, a.heads, place));
}

/** ds = p (dout v^T - sum(dout out)), and dout in blocks, grouped. The queries in `Attended` carry the scale already. */
function backward(e: OnnxEmitter, a: AttentionShape, out: Tensor, dout: Tensor) {
  return e.once(`attention gradient ${out.id}`, () => {
    const forward = attend(e, a, out);
    const d = intoBlocks(e, a, { tensor: dout, column: 0, heads: a.heads }, indices(e, a, 'queryIndex'));
    const dg = grouped(e, a, d);
    const dp = ungrouped(e, a, e.node('MatMul', [dg, flip(e, forward.v)]));
    const sum = e.node('ReduceSum', [e.node('Mul', [d, forward.out]), e.i64([-1])], { keepdims: 1 });
    const through = e.node('Mul', [forward.p, e.node('Sub', [dp, sum])]);
    const ds = grouped(e, a, forward.slope ? e.node('Mul', [through, forward.slope]) : through);
    return { ...forward, dg, ds };
  });
}

export function attentionQueriesOnnx(
  e: OnnxEmitter,
  a: AttentionShape,
  out: Tensor,
  dout: Tensor,
  into: Tensor,
): void {
  const { ds, k } = backward(e, a, out, dout);
  const product = ungrouped(e, a, e.node('MatMul', [ds, k]));
  const dq = a.scale === 1 ? product : e.node('Mul', [product, e.f32(a.scale)]);
  const width = a.heads * a.headDim;
  e.setColumns(into, a.qColumn, width, intoRows(e, a, dq, a.heads, indices(e, a, 'queryPlace')));
}

export function attentionKeysOnnx(
  e: OnnxEmitter,
  a: AttentionShape,
  out: Tensor,
  dout: Tensor,
  into: { dk?: Tensor; dv?: Tensor },
): void {
  const { ds, p, q, dg } = backward(e, a, out, dout);
  const width = a.kvHeads * a.headDim;
  const rows = (blocks: OnnxValue) => {
    const flat = reshape(e, transpose(e, blocks, [0, 2, 1, 3]), [-1, width]);
    const own = e.node('Gather', [flat, indices(e, a, 'keyPlace')], { axis: 0 });
    if (a.prefix === undefined) return own;
    const everywhere = e.node('Gather', [flat, indices(e, a, 'prefixPlace')], { axis: 0 });
    const prefix = e.node('ReduceSum', [everywhere, e.i64([1])], { keepdims: 0 });
    return e.node('Concat', [prefix, own], { axis: 0 });
  };
  if (into.dk) e.setColumns(into.dk, a.kColumn, width, rows(e.node('MatMul', [flip(e, ds), q])));
  if (into.dv)
    e.setColumns(into.dv, a.vColumn, width, rows(e.node('MatMul', [flip(e, grouped(e, a, p)), dg])));
}
