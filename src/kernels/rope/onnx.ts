import type { Tensor } from '../kernel.ts';
import type { OnnxEmitter, OnnxValue } from '../onnx.ts';
import type { RopeSettings } from './rope.ts';

/** Turns x by its positions' angles, or back; other columns stay. ONNX has no place to turn it in: x is another value from here on. */
export function ropeOnnx(
  e: OnnxEmitter,
  x: Tensor,
  { column, heads, headDim, positions, table }: RopeSettings,
  back: boolean,
): void {
  const half = table.cols / 2;
  const width = heads * headDim;
  const [cos, sin] = e.once(`angles ${table.id} at ${positions.id}`, () => {
    const rows = e.feed({
      name: positions.name,
      origin: { tensor: positions, part: 'values' },
      dtype: 'i32',
      shape: [positions.rows],
      compute(batch) {
        const data = Int32Array.from(batch.read(positions));
        return { data, shape: [data.length] };
      },
    });
    const angles = e.node('Gather', [e.value(table), rows], { axis: 0 });
    const each = e.node('Reshape', [angles, e.i64([-1, 1, 2 * half])]);
    return e.split('Split', [each], 2, { axis: 2, num_outputs: 2 });
  });
  const sizes = [column, width, x.cols - column - width];
  const parts = splitBy(e, e.value(x), sizes, 1);
  const turned = e.node('Reshape', [parts[1]!, e.i64([-1, heads, headDim])]);
  const [a, b, rest] = splitBy(e, turned, [half, half, headDim - 2 * half], 2);
  const mul = (p: OnnxValue, q: OnnxValue) => e.node('Mul', [p, q]);
  const [plus, minus] = back ? ['Sub', 'Add'] : ['Add', 'Sub'];
  const halves = [
    e.node(minus!, [mul(a!, cos!), mul(b!, sin!)]),
    e.node(plus!, [mul(b!, cos!), mul(a!, sin!)]),
  ];
  const joined = e.node('Concat', rest ? [...halves, rest] : halves, { axis: 2 });
  parts[1] = e.node('Reshape', [joined, e.i64([-1, width])]);
  const all = parts.filter((part) => part !== undefined);
  e.set(x, all.length === 1 ? all[0]! : e.node('Concat', all, { axis: 1 }));
}

/** Parts of the given sizes along an axis; undefined where a size is 0. */
function splitBy(
  e: OnnxEmitter,
  x: OnnxValue,
  sizes: readonly number[],
  axis: number,
): (OnnxValue | undefined)[] {
  const present = sizes.filter((size) => size > 0);
  const parts = present.length === 1 ? [x] : e.split('Split', [x, e.i64(present)], present.length, { axis });
  return sizes.map((size) => (size > 0 ? parts.shift() : undefined));
}
