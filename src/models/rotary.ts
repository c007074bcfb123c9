import * as v from 'valibot';
import { ropeTable } from '../kernels/index.ts';
import { maybe, unsupported } from './config.ts';
import type { Frozen } from './frozen.ts';

/** What a config says of rotary positions, in the style of the hub (`rope_scaling`) or of transformers 5 (`rope_parameters`). */
export const rotarySchema = v.looseObject({
  rope_type: v.optional(v.string()),
  /** The name of `rope_type` in older files. */
  type: v.optional(v.string()),
  rope_theta: v.optional(v.number()),
  factor: v.optional(v.number()),
  low_freq_factor: v.optional(v.number()),
  high_freq_factor: v.optional(v.number()),
  original_max_position_embeddings: v.optional(v.number()),
  partial_rotary_factor: v.optional(v.number()),
});
export type Rotary = v.InferOutput<typeof rotarySchema>;

/** The keys that all rotary families share. */
export const rotaryEntries = {
  rope_theta: maybe(v.number()),
  rope_scaling: maybe(rotarySchema),
  rope_parameters: maybe(rotarySchema),
};

/** Rows of a table of cosines at most: positions beyond are refused when a batch is packed. */
const MOST_POSITIONS = 8192;

/** Rows of the table for a published maximum. */
export const positionsFor = (published: number): number => Math.min(published, MOST_POSITIONS);

/**
 * Angular frequencies of `dim / 2` pairs, theta^(-2 i / dim), in radians a position, scaled as `rope_type` says: `default`; `linear`
 * (all divided by the factor); `llama3` (Llama 3.1: long waves divided, short ones kept, between them a smooth passage).
 * @throws PreludeError `unsupported-model` for another type (dynamic, yarn, longrope): their tables depend on the length.
 */
export function rotaryFrequencies(rotary: Rotary, theta: number, dim: number): number[] {
  const type = rotary.rope_type ?? rotary.type ?? 'default';
  const plain = Array.from({ length: dim / 2 }, (_, i) =>
    Math.fround(1 / Math.fround(theta ** Math.fround((2 * i) / dim))),
  );
  if (type === 'default') return plain;
  const need = (
    key: 'factor' | 'low_freq_factor' | 'high_freq_factor' | 'original_max_position_embeddings',
  ) => {
    const value = rotary[key];
    if (value === undefined)
      throw unsupported(`rope_scaling of type ${type} has no ${key}.`, 'Use the published config.json.');
    return value;
  };
  if (type === 'linear') return plain.map((frequency) => Math.fround(frequency / need('factor')));
  if (type === 'llama3') {
    const [factor, low, high, length] = [
      need('factor'),
      need('low_freq_factor'),
      need('high_freq_factor'),
      need('original_max_position_embeddings'),
    ];
    return plain.map((frequency) => {
      const wave = (2 * Math.PI) / frequency;
      if (wave < length / high) return frequency;
      if (wave > length / low) return Math.fround(frequency / factor);
      const smooth = (length / wave - low) / (high - low);
      return Math.fround(((1 - smooth) * frequency) / factor + smooth * frequency);
    });
  }
  throw unsupported(
    `rope_scaling of type "${type}" is not known here.`,
    'Known are default, linear and llama3.',
  );
}

/** GGUF files of Llama 3.1 and later hold what llama3 scaling divides each frequency by. */
export const DIVISORS = 'rope_freqs.weight';

/** The table of cosines and sines as a frozen tensor [positions, dim]. */
export function rotaryTable(
  frozen: Frozen,
  name: string,
  rotary: Rotary,
  theta: number,
  dim: number,
  positions: number,
) {
  const frequencies = rotaryFrequencies(rotary, theta, dim);
  const divided = frozen.has(DIVISORS);
  return frozen.table(
    name,
    positions,
    dim,
    (divisors) => ropeTable(divided ? frequencies.map((f, i) => f / divisors[i]) : frequencies, positions),
    divided ? { part: DIVISORS, shape: [dim / 2] } : undefined,
  );
}
