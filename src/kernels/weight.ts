import type { Tensor } from './kernel.ts';

/**
 * WGSL that declares a frozen matrix at a binding and reads it as f32 whatever its format: `<name>_at(i)` one value,
 * `<name>_at4(i)` the four values from `4 * i` on (the row width must be a multiple of 4).
 */
export function weightAccess(name: string, binding: number, tensor: Tensor): string {
  const declare = (type: string) =>
    `@group(0) @binding(${binding}) var<storage, read> ${name}: array<${type}>;`;
  if (tensor.dtype === 'f32')
    return tensor.cols % 4 === 0
      ? `${declare('vec4f')}
fn ${name}_at(i: u32) -> f32 { return ${name}[i >> 2u][i & 3u]; }
fn ${name}_at4(i: u32) -> vec4f { return ${name}[i]; }`
      : `${declare('f32')}
fn ${name}_at(i: u32) -> f32 { return ${name}[i]; }`;
  if (tensor.dtype === 'f16')
    return `${declare('vec2u')}
fn ${name}_at(i: u32) -> f32 {
  let words = ${name}[i >> 2u];
  return unpack2x16float(select(words.x, words.y, (i & 2u) != 0u))[i & 1u];
}
fn ${name}_at4(i: u32) -> vec4f {
  let words = ${name}[i];
  return vec4f(unpack2x16float(words.x), unpack2x16float(words.y));
}`;
  throw new Error(`${tensor.name}: a weight cannot be ${tensor.dtype}`);
}
