import type { Tensor } from '../kernel.ts';
import type { OnnxEmitter } from '../onnx.ts';

const PROMPT_ROW = 0x8000_0000;

/** With a prompt: the vocabulary's rows behind the prompt's, then all in the order of the batch. */
export function embedOnnx(
  e: OnnxEmitter,
  ids: Tensor,
  table: Tensor,
  x: Tensor,
  scale = 1,
  prompt?: Tensor,
): void {
  const scaled = (rows: ReturnType<typeof e.value>) =>
    scale === 1 ? rows : e.node('Mul', [rows, e.f32(scale)]);
  if (!prompt) {
    const rows = e.feed({
      name: ids.name,
      origin: { tensor: ids, part: 'values' },
      dtype: 'i32',
      shape: [ids.rows],
      compute(batch) {
        const data = Int32Array.from(batch.read(ids));
        return { data, shape: [data.length] };
      },
    });
    e.set(x, scaled(e.node('Gather', [e.value(table), rows], { axis: 0 })));
    return;
  }
  const tokens = e.feed({
    name: `${ids.name} of the vocabulary`,
    origin: { tensor: ids, part: 'vocabulary' },
    dtype: 'i32',
    shape: [`${ids.rows}_tokens`],
    compute(batch) {
      const data = Int32Array.from(batch.read(ids).filter((id) => id < PROMPT_ROW));
      return { data, shape: [data.length] };
    },
  });
  const order = e.feed({
    name: `${ids.name} order`,
    origin: { tensor: ids, part: 'order' },
    dtype: 'i32',
    shape: [ids.rows],
    compute(batch) {
      const all = batch.read(ids);
      let next = batch.rows(prompt);
      return {
        data: Int32Array.from(all, (id) => (id >= PROMPT_ROW ? id - PROMPT_ROW : next++)),
        shape: [all.length],
      };
    },
  });
  const words = scaled(e.node('Gather', [e.value(table), tokens], { axis: 0 }));
  const rows = e.node('Concat', [e.value(prompt), words], { axis: 0 });
  e.set(x, e.node('Gather', [rows, order], { axis: 0 }));
}

/** d loss / d prompt of this batch alone: whoever runs several adds them up. */
export function embedBackwardOnnx(e: OnnxEmitter, promptRow: Tensor, dx: Tensor, into: Tensor): void {
  const rows = e.feed({
    name: `${promptRow.name} of ${into.name}`,
    origin: { tensor: promptRow, part: 'rows' },
    dtype: 'i32',
    shape: [promptRow.rows, `${into.name} rows`],
    compute(batch) {
      const first = batch.read(promptRow);
      const count = batch.rows(into);
      const data = Int32Array.from(
        { length: first.length * count },
        (_, i) => first[Math.floor(i / count)] + (i % count),
      );
      return { data, shape: [first.length, count] };
    },
  });
  const gathered = e.node('Gather', [e.value(dx), rows], { axis: 0 });
  e.set(into, e.node('ReduceSum', [gathered, e.i64([0])], { keepdims: 0 }));
}
