import type { OnnxEmitter, OnnxFeed, OnnxValue, Tensor } from '../../kernels/index.ts';
import type { CausalBatch, CausalModel, Seq2SeqBatch } from '../../models/index.ts';
import type { ValueInfo } from '../../onnx/index.ts';

/**
 * How an exported model makes of a padded batch, as others feed it, what our own engine feeds directly: every sequence is one block of
 * P virtual tokens and L (padded) tokens. Pad on the right.
 */
export interface PaddedInputs {
  inputs: readonly ValueInfo[];
  resolve(feed: OnnxFeed, e: OnnxEmitter): OnnxValue | undefined;
  /** Rows [B T, V] as [B, T, V]. */
  arrange(logits: OnnxValue, e: OnnxEmitter): { value: OnnxValue; shape: (number | string)[] };
}

const HIDDEN = -1e30;

const tokens = (name: string, length: string): ValueInfo => ({
  name,
  dtype: 'i64',
  shape: ['batch', length],
});

/** The little integer arithmetic of sizes and rows. */
function sizes(e: OnnxEmitter, prompt: Tensor) {
  const ids = 'input_ids' as OnnxValue;
  const op = (name: string, ...inputs: OnnxValue[]) => e.node(name, inputs);
  const scalar = (value: number) => e.once(`scalar ${value}`, () => op('Squeeze', e.i64([value])));
  const along = (x: OnnxValue, axis: number) => e.node('Shape', [x], { start: axis, end: axis + 1 });
  const once = (name: string, make: () => OnnxValue) => e.once(`padded ${name}`, make);
  /** 0 .. n - 1 for n [1]. */
  const range = (n: OnnxValue) => op('Range', scalar(0), op('Squeeze', n), scalar(1));
  const row = (x: OnnxValue) => op('Unsqueeze', x, e.i64([0]));
  const column = (x: OnnxValue) => op('Unsqueeze', x, e.i64([1]));
  const flat = (x: OnnxValue) => op('Reshape', x, e.i64([-1]));
  const B = () => once('B', () => along(ids, 0));
  const L = () => once('L', () => along(ids, 1));
  const P = () => once('P', () => along(e.value(prompt), 0));
  const whole = () => once('P + L', () => op('Add', P(), L()));
  /** [n, m] of rows counted through. */
  const grid = (n: OnnxValue, m: OnnxValue) =>
    once(`grid ${n} ${m}`, () =>
      op('Reshape', range(op('Mul', n, m)), e.node('Concat', [n, m], { axis: 0 })),
    );
  const blocksOf = (x: OnnxValue) => e.node('Expand', [x, e.node('Concat', [B(), P()], { axis: 0 })]);
  /** [B, P] of the virtual tokens beside [B, L] of the tokens. */
  const beside = (prompts: OnnxValue, own: OnnxValue) =>
    e.node('Concat', [blocksOf(prompts), own], { axis: 1 });
  return { e, op, along, once, range, row, column, flat, B, L, P, whole, grid, beside };
}
type Sizes = ReturnType<typeof sizes>;

/** Which row of [prompt; tokens] stands where: each block has the prompt and then its own. */
const order = ({ op, once, range, row, flat, B, L, P, grid, beside }: Sizes) =>
  once('order', () => flat(beside(row(range(P())), op('Add', grid(B(), L()), P()))));

/** [B, 1, 1, P + L]: padding is hidden. */
const paddingMask = ({ e, op, once, beside }: Sizes) =>
  once('padding', () => {
    const all = beside(e.i64([1]), 'attention_mask' as OnnxValue);
    const hidden = op('Sub', e.f32(1), e.node('Cast', [all], { to: 1 }));
    return op('Unsqueeze', op('Mul', hidden, e.f32(HIDDEN)), e.i64([1, 2]));
  });

/** [1, 1, queries, keys]: 0 where query i, at row i + offset, sees key j: j <= row, and j > row - window. */
function causalMask(
  { e, op, once, range, row, column }: Sizes,
  queries: OnnxValue,
  keys: OnnxValue,
  offset?: OnnxValue,
  window?: number,
) {
  return once(`causal ${queries} ${keys} ${window}`, () => {
    const at = column(offset ? op('Add', range(queries), offset) : range(queries));
    const key = row(range(keys));
    let sees = op('LessOrEqual', key, at);
    if (window !== undefined) sees = op('And', sees, op('Greater', key, op('Sub', at, e.i64([window]))));
    return op('Unsqueeze', op('Where', sees, e.f32(0), e.f32(HIDDEN)), e.i64([0, 1]));
  });
}

/** Places of rows that already stand in blocks. */
function places(s: Sizes, part: string, queries: OnnxValue, keys: OnnxValue): OnnxValue | undefined {
  const { op, once, range, B, grid, row, column, e } = s;
  if (part === 'queryIndex') return grid(B(), queries);
  if (part === 'keyIndex') return grid(B(), keys);
  if (part === 'queryPlace') return once(`all ${queries}`, () => range(op('Mul', B(), queries)));
  const [, reach] = /^relative (\d+)$/.exec(part) ?? [];
  if (reach === undefined) return undefined;
  return once(`relative ${queries} ${keys} ${reach}`, () => {
    const relative = op('Sub', row(range(keys)), column(range(queries)));
    const cut = op('Min', op('Max', relative, e.i64([-Number(reach)])), e.i64([Number(reach)]));
    return op('Add', cut, e.i64([Number(reach)]));
  });
}

const logitsArranged = (s: Sizes, logits: OnnxValue, length: OnnxValue, cols: number) =>
  s.op('Reshape', logits, s.e.node('Concat', [s.B(), length, s.e.i64([cols])], { axis: 0 }));

/** `input_ids`, `attention_mask` [batch, length], `decoder_input_ids` [batch, target_length] -> logits [batch, target_length, V]. */
export function paddedSeq2Seq(batch: Seq2SeqBatch, prompt: Tensor, vocabSize: number): PaddedInputs {
  const decoder = 'decoder_input_ids' as OnnxValue;
  const target = (s: Sizes) => s.once('T', () => s.along(decoder, 1));
  return {
    inputs: [
      tokens('input_ids', 'length'),
      tokens('attention_mask', 'length'),
      tokens('decoder_input_ids', 'target_length'),
    ],
    resolve({ origin }, e) {
      if (!('tensor' in origin)) return undefined;
      const s = sizes(e, prompt);
      const { tensor, part } = origin;
      const { flat, op, once, range, B } = s;
      switch (tensor) {
        case batch.ids:
          return part === 'order' ? order(s) : once('tokens', () => flat('input_ids' as OnnxValue));
        case batch.decoderIds:
          return once('decoder tokens', () => flat(decoder));
        case batch.labelRow:
          return once(`all ${target(s)}`, () => range(op('Mul', B(), target(s))));
        case batch.encoderQueryRanges:
          return part === 'mask' ? paddingMask(s) : places(s, part, s.whole(), s.whole());
        case batch.crossQueryRanges:
          return part === 'mask' ? paddingMask(s) : places(s, part, target(s), s.whole());
        case batch.decoderQueryRanges:
          return part === 'mask'
            ? causalMask(s, target(s), target(s))
            : places(s, part, target(s), target(s));
      }
      return undefined;
    },
    arrange(logits, e) {
      const s = sizes(e, prompt);
      return {
        value: logitsArranged(s, logits, target(s), vocabSize),
        shape: ['batch', 'target_length', vocabSize],
      };
    },
  };
}

/** `input_ids`, `attention_mask` [batch, length] -> logits [batch, length, V]: row j predicts token j + 1. */
export function paddedCausal(
  batch: CausalBatch,
  prompt: Tensor,
  { info: { vocabSize }, window }: CausalModel,
): PaddedInputs {
  return {
    inputs: [tokens('input_ids', 'length'), tokens('attention_mask', 'length')],
    resolve({ origin }, e) {
      if (!('tensor' in origin)) return undefined;
      const s = sizes(e, prompt);
      const { tensor, part } = origin;
      const { flat, op, once, range, row, column, B, L, P, whole, beside } = s;
      const ownPositions = () =>
        once('own positions', () => {
          const counted = op('CumSum', 'attention_mask' as OnnxValue, op('Squeeze', e.i64([1])));
          return op('Add', op('Max', op('Sub', counted, e.i64([1])), e.i64([0])), P());
        });
      const masked = (mask: OnnxValue) => once(`with padding ${mask}`, () => op('Add', mask, paddingMask(s)));
      switch (tensor) {
        case batch.ids:
          return part === 'order' ? order(s) : once('tokens', () => flat('input_ids' as OnnxValue));
        case batch.positions:
          return once('positions', () => flat(beside(row(range(P())), ownPositions())));
        case batch.labelPositions:
          return once('label positions', () => flat(ownPositions()));
        case batch.labelRow:
          return once('label rows', () => {
            const first = column(op('Add', op('Mul', range(B()), whole()), P()));
            return flat(op('Add', first, row(range(L()))));
          });
        case batch.queryRanges:
        case batch.windowQueryRanges:
          return part === 'mask'
            ? masked(
                causalMask(
                  s,
                  whole(),
                  whole(),
                  undefined,
                  tensor === batch.windowQueryRanges ? window?.size : undefined,
                ),
              )
            : places(s, part, whole(), whole());
        case batch.labelQueryRanges:
          return part === 'mask'
            ? masked(causalMask(s, L(), whole(), P(), window?.lastLayer ? window.size : undefined))
            : places(s, part, L(), whole());
      }
      return undefined;
    },
    arrange(logits, e) {
      const s = sizes(e, prompt);
      return { value: logitsArranged(s, logits, s.L(), vocabSize), shape: ['batch', 'length', vocabSize] };
    },
  };
}
