import { formatOf } from './formats/index.ts';
import { isWeightDtype, type Tensor } from './kernel.ts';

/** How a kernel may read a weight. */
export interface WeightReading {
  /** The device has shader-f16: halves are read as such. Sums stay in f32. */
  nativeHalf?: boolean;
}

/**
 * WGSL that declares a frozen matrix at a binding and reads it as f32 whatever its format: `<name>_at(i)` one value,
 * `<name>_at4(i)` the four values from `4 * i` on (the row width must be a multiple of 4). Where `groupQuads` is not 0 also
 * `<name>_scale(g)`, `<name>_quad(i)` and `<name>_value(quad, scale)`, for loops that take a group's scale once.
 */
export function weightAccess(
  name: string,
  binding: number,
  tensor: Tensor,
  { nativeHalf = false }: WeightReading = {},
): string {
  const { group, wgsl } = weightFormat(tensor);
  const { element, code } =
    (tensor.cols % 4 !== 0 && wgsl.unaligned) || (nativeHalf && tensor.cols % 4 === 0 && wgsl.native) || wgsl;
  const whole = group
    ? `${code}
fn W_at4(i: u32) -> vec4f { return W_value(W_quad(i), W_scale(i / ${group / 4}u)); }
fn W_at(i: u32) -> f32 { return W_at4(i >> 2u)[i & 3u]; }`
    : code;
  return `@group(0) @binding(${binding}) var<storage, read> ${name}: array<${element}>;
${whole.trim().replace(/\bW(?=_|\[)/g, name)}`;
}

/** Goes before all else of a shader that reads this weight: what it must ask of the device. */
export function weightEnables(tensor: Tensor, { nativeHalf = false }: WeightReading = {}): string {
  const native = nativeHalf && tensor.cols % 4 === 0 && weightFormat(tensor).wgsl.native;
  return native ? 'enable f16;\n' : '';
}

/** Groups of four values that share a scale; 0 for formats without scales. */
export const groupQuads = (tensor: Tensor): number => (weightFormat(tensor).group ?? 0) / 4;

function weightFormat(tensor: Tensor) {
  if (!isWeightDtype(tensor.dtype)) throw new Error(`${tensor.name}: a weight cannot be ${tensor.dtype}`);
  return formatOf(tensor.dtype);
}
