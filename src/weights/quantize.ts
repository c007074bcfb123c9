import { floatToHalf } from './half.ts';
import { badWeights } from './problem.ts';
import { UNIT } from './types.ts';

/** The block types that Prelude writes. */
export type QuantizedType = 'Q8_0' | 'Q4_0';

const { abs, floor, fround, min, sign, trunc } = Math;

/** float32 rounding half away from zero, as C's `roundf`. */
const round = (x: number): number => sign(x) * floor(abs(x) + 0.5);

/** One block of 32 values from `i` on, as `quantize_row_*_ref` of ggml-quants.c computes it in float32. */
type Encoder = (x: Float32Array, i: number, y: Uint8Array, b: number) => void;

const ENCODERS: Readonly<Record<QuantizedType, Encoder>> = {
  // The largest magnitude becomes 127.
  Q8_0(x, i, y, b) {
    let most = 0;
    for (let j = 0; j < 32; j++) most = Math.max(most, abs(x[i + j]!));
    const d = fround(most / 127);
    const inverse = d ? fround(1 / d) : 0;
    putHalf(y, b, d);
    for (let j = 0; j < 32; j++) y[b + 2 + j] = round(fround(x[i + j]! * inverse)) & 255;
  },
  // The value of the largest magnitude becomes -8, whatever its sign.
  Q4_0(x, i, y, b) {
    let most = 0;
    let extreme = 0;
    for (let j = 0; j < 32; j++)
      if (abs(x[i + j]!) > most) {
        most = abs(x[i + j]!);
        extreme = x[i + j]!;
      }
    const d = fround(extreme / -8);
    const inverse = d ? fround(1 / d) : 0;
    putHalf(y, b, d);
    const nibble = (value: number) => min(15, trunc(fround(fround(value * inverse) + 8.5)));
    for (let j = 0; j < 16; j++) y[b + 2 + j] = nibble(x[i + j]!) | (nibble(x[i + 16 + j]!) << 4);
  },
};

function putHalf(y: Uint8Array, at: number, value: number): void {
  const bits = floatToHalf(value);
  y[at] = bits & 255;
  y[at + 1] = bits >> 8;
}

/**
 * Values as blocks of 32 with a half-precision scale each, by ggml's reference rounding, so that they are the blocks that llama.cpp
 * would write.
 * @throws PreludeError 'bad-weights' where the values are no whole blocks, or one of them is not finite
 */
export function quantize(values: Float32Array, type: QuantizedType): Uint8Array<ArrayBuffer> {
  const [width, bytes] = UNIT[type];
  if (values.length % width !== 0)
    throw badWeights(`${type} data`, `${values.length} values are no whole number of blocks of ${width}.`);
  if (!values.every(Number.isFinite))
    throw badWeights(`${type} data`, 'values that are not finite cannot be quantised.');
  const out = new Uint8Array((values.length / width) * bytes);
  for (let block = 0; block < values.length / width; block++)
    ENCODERS[type](values, block * width, out, block * bytes);
  return out;
}
