import { dequantize } from './blocks.ts';
import { halfTable } from './half.ts';
import { badWeights } from './problem.ts';
import { type DType, isBlockType, UNIT } from './types.ts';

/** Bytes as a typed array over them; copied only when they do not lie at a multiple of the element's size. */
function view<T>(
  bytes: Uint8Array,
  type: { new (buffer: ArrayBufferLike, offset: number, length: number): T; BYTES_PER_ELEMENT: number },
): T {
  const width = type.BYTES_PER_ELEMENT;
  const aligned = bytes.byteOffset % width === 0 ? bytes : bytes.slice();
  return new type(aligned.buffer, aligned.byteOffset, aligned.byteLength / width);
}

/**
 * The values of a tensor as float32, block types dequantised. Always a new array: the caller may write to it.
 * @param bytes raw little-endian bytes, a whole number of the dtype's units
 * @throws PreludeError 'bad-weights' for integer and boolean dtypes, which are no weights, and for odd lengths
 */
export function toFloat32(bytes: Uint8Array, dtype: DType): Float32Array {
  const [, width] = UNIT[dtype];
  if (bytes.byteLength % width !== 0)
    throw badWeights(
      `${dtype} data`,
      `${bytes.byteLength} bytes are no whole number of values of ${width} bytes.`,
    );
  switch (dtype) {
    case 'F32':
      return view(bytes, Float32Array).slice();
    case 'F64':
      return Float32Array.from(view(bytes, Float64Array));
    case 'F16': {
      const bits = view(bytes, Uint16Array);
      const table = halfTable();
      const values = new Float32Array(bits.length);
      for (let i = 0; i < bits.length; i++) values[i] = table[bits[i]!]!;
      return values;
    }
    case 'BF16': {
      const bits = view(bytes, Uint16Array);
      const values = new Float32Array(bits.length);
      const out = new Uint32Array(values.buffer);
      for (let i = 0; i < bits.length; i++) out[i] = bits[i]! << 16;
      return values;
    }
    case 'F8_E5M2':
      // The upper byte of a half.
      return Float32Array.from(bytes, (byte) => halfTable()[byte << 8]!);
    case 'F8_E4M3':
      return Float32Array.from(bytes, float8e4m3ToFloat);
    default:
      if (isBlockType(dtype)) return dequantize(bytes, dtype, (bytes.byteLength / width) * UNIT[dtype][0]);
      throw badWeights(
        `${dtype} data`,
        'these are no floating-point weights.',
        'Use an edition of the model in F32, F16 or BF16.',
      );
  }
}

/** E4M3 without infinities (the "fn" form): exponent bias 7, only all ones is NaN. */
function float8e4m3ToFloat(byte: number): number {
  const exponent = (byte >> 3) & 15;
  const mantissa = byte & 7;
  if ((byte & 127) === 127) return Number.NaN;
  const value = exponent === 0 ? mantissa * 2 ** -9 : (8 + mantissa) * 2 ** (exponent - 10);
  return byte & 128 ? -value : value;
}
