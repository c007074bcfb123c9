import type { WgslConstants } from '../gpu/index.ts';
import type { KernelTraits } from './kernel.ts';

/** WebGPU's smallest subgroup. */
export const SMALLEST_SUBGROUP = 4;

/**
 * Constants for a template of which `LANES` invocations share a row and a workgroup has `ROWS` rows: four where a row has one lane, else
 * one. `$ROW_SUM` declares `row_sum(value, local$SIZE)`, the sum of `value` over the lanes of a row, in each of them, always added up
 * in the same order; `$SUBGROUP` goes behind main's parameters, `$ENABLES` before everything. Subgroups need one barrier where the
 * tree needs one for each halving.
 */
export function laneConstants(
  { rowLanes: lanes, subgroups = false }: KernelTraits,
  type: 'f32' | 'vec2f',
): WgslConstants {
  const shared = subgroups && lanes > 1;
  return {
    LANES: lanes,
    ROWS: lanes === 1 ? 4 : 1,
    ENABLES: shared ? 'enable subgroups;' : '',
    SUBGROUP: shared ? ', @builtin(subgroup_size) size: u32' : '',
    SIZE: shared ? ', size' : '',
    ROW_SUM: shared ? bySubgroups(type, lanes) : lanes > 1 ? byTree(type, lanes) : alone(type),
  };
}

const alone = (type: string) => `fn row_sum(value: ${type}, local: u32) -> ${type} { return value; }`;

const byTree = (type: string, lanes: number) => `
var<workgroup> part: array<${type}, ${lanes}>;
fn row_sum(value: ${type}, local: u32) -> ${type} {
  part[local] = value;
  workgroupBarrier();
  for (var half = ${lanes / 2}u; half > 0u; half >>= 1u) {
    if local < half { part[local] += part[local + half]; }
    workgroupBarrier();
  }
  return part[0];
}`;

const bySubgroups = (type: string, lanes: number) => `
var<workgroup> part: array<${type}, ${lanes / SMALLEST_SUBGROUP}>;
fn row_sum(value: ${type}, local: u32, size: u32) -> ${type} {
  let own = subgroupAdd(value);
  if local % size == 0u { part[local / size] = own; }
  workgroupBarrier();
  var sum = part[0];
  for (var i = 1u; i < ${lanes}u / size; i++) { sum += part[i]; }
  return sum;
}`;
