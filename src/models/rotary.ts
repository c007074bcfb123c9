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
  /** Of yarn and longrope: what cosines and sines are multiplied by. */
  attention_factor: maybe(v.number()),
  mscale: maybe(v.number()),
  mscale_all_dim: maybe(v.number()),
  /** Of yarn: rotations within the original length above which a frequency stays, and below which it is divided. */
  beta_fast: maybe(v.number()),
  beta_slow: maybe(v.number()),
  truncate: maybe(v.boolean()),
  /** Of longrope: divisors of the frequencies, up to the original length and beyond it. */
  short_factor: maybe(v.array(v.number())),
  long_factor: maybe(v.array(v.number())),
  finetuned: maybe(v.boolean()),
});
export type Rotary = v.InferOutput<typeof rotarySchema>;

/** The keys that all rotary families share. */
export const rotaryEntries = {
  rope_theta: maybe(v.number()),
  rope_scaling: maybe(rotarySchema),
  rope_parameters: maybe(rotarySchema),
};

/** Columns of a head that turn, by their share, which in GGUF files is a quotient: 20 of 80 may not become 19. */
export const turnedColumns = (headDim: number, share: number): number => Math.floor(headDim * share + 1e-6);

/** Columns of a head that may turn; published heads have 256 at most. */
const MOST_TURNED = 2 ** 14;

/** Rows of a table of cosines at most: positions beyond are refused when a batch is packed. */
const MOST_POSITIONS = 8192;

/**
 * Rows of the table for a published maximum. Behind the original length longrope takes other frequencies for all positions: texts are
 * kept within it.
 */
export const positionsFor = (published: number, rotary: Rotary = {}): number =>
  Math.min(
    published,
    MOST_POSITIONS,
    typeOf(rotary) === 'longrope' ? needed(rotary, 'original_max_position_embeddings') : MOST_POSITIONS,
  );

const typeOf = ({ rope_type, type }: Rotary) => {
  const name = rope_type ?? type ?? 'default';
  // The name of longrope in Phi-3's first files.
  return name === 'su' ? 'longrope' : name;
};

/** @throws PreludeError `unsupported-model` where the scaling lacks what its type needs */
function needed<K extends keyof Rotary>(rotary: Rotary, key: K): NonNullable<Rotary[K]> {
  const value = rotary[key];
  if (value === undefined || value === null)
    throw unsupported(
      `rope_scaling of type ${typeOf(rotary)} has no ${key}.`,
      'Use the published config.json.',
    );
  return value as NonNullable<Rotary[K]>;
}

/** @throws PreludeError `unsupported-model` naming a key that is not known here: it may change the frequencies (mrope_section, alpha) */
function checkRotary(rotary: Rotary): void {
  for (const [key, value] of Object.entries(rotary))
    if (!(key in rotarySchema.entries) && value !== null)
      throw unsupported(
        `"${key}" of rope_scaling is not known here, and it may change what the model computes.`,
        'Use a model whose rotary scaling is default, linear, dynamic, llama3, yarn or longrope.',
      );
}

/**
 * Angular frequencies of `dim / 2` pairs, theta^(-2 i / dim), in radians a position, scaled as `rope_type` says: `default`; `linear`
 * (all divided by the factor); `dynamic` (as default up to the published length, which is all that is read here); `llama3` (Llama 3.1:
 * long waves divided, short ones kept, between them a smooth passage); `yarn` (Peng et al. 2023, the same by rotations within the
 * original length); `longrope` (Ding et al. 2024: a divisor for each, those for short texts).
 * @param divided the divisors are a tensor of the file, `DIVISORS`
 * @throws PreludeError `unsupported-model` for another type
 * Source: `modeling_rope_utils.py` of transformers 5.23.
 */
export function rotaryFrequencies(rotary: Rotary, theta: number, dim: number, divided = false): number[] {
  checkRotary(rotary);
  if (!Number.isInteger(dim / 2) || dim < 2 || dim > MOST_TURNED)
    throw unsupported(
      `${dim} columns of a head are to be turned, which make no pairs, or more than any model has.`,
      'Use the published config.json.',
    );
  const type = typeOf(rotary);
  const plain = Array.from({ length: dim / 2 }, (_, i) =>
    Math.fround(1 / Math.fround(theta ** Math.fround((2 * i) / dim))),
  );
  switch (type) {
    case 'default':
    case 'dynamic':
      return plain;
    case 'linear':
      return plain.map((frequency) => Math.fround(frequency / needed(rotary, 'factor')));
    case 'llama3':
      return llama3(rotary, plain);
    case 'yarn':
      return yarn(rotary, theta, dim, plain);
    case 'longrope': {
      if (divided) return plain;
      const factors = needed(rotary, 'short_factor');
      if (factors.length !== dim / 2)
        throw unsupported(
          `short_factor of rope_scaling has ${factors.length} values for ${dim / 2} frequencies.`,
          'Use the published config.json.',
        );
      return plain.map((frequency, i) => Math.fround(frequency / factors[i]!));
    }
  }
  throw unsupported(
    `rope_scaling of type "${type}" is not known here.`,
    'Known are default, linear, dynamic, llama3, yarn and longrope.',
  );
}

function llama3(rotary: Rotary, plain: readonly number[]): number[] {
  const factor = needed(rotary, 'factor');
  const low = needed(rotary, 'low_freq_factor');
  const high = needed(rotary, 'high_freq_factor');
  const length = needed(rotary, 'original_max_position_embeddings');
  return plain.map((frequency) => {
    const wave = (2 * Math.PI) / frequency;
    if (wave < length / high) return frequency;
    if (wave > length / low) return Math.fround(frequency / factor);
    const smooth = (length / wave - low) / (high - low);
    return Math.fround(((1 - smooth) * frequency) / factor + smooth * frequency);
  });
}

function yarn(rotary: Rotary, theta: number, dim: number, plain: readonly number[]): number[] {
  const factor = needed(rotary, 'factor');
  const length = needed(rotary, 'original_max_position_embeddings');
  /** The pair that turns so often within the original length. */
  const pairOf = (rotations: number) =>
    (dim * Math.log(length / (rotations * 2 * Math.PI))) / (2 * Math.log(theta));
  const bounds = [pairOf(rotary.beta_fast || 32), pairOf(rotary.beta_slow || 1)] as const;
  const whole = rotary.truncate ?? true;
  const low = Math.max(0, whole ? Math.floor(bounds[0]) : bounds[0]);
  const high = Math.min(dim - 1, whole ? Math.ceil(bounds[1]) : bounds[1]);
  return plain.map((frequency, i) => {
    const ramp = Math.min(1, Math.max(0, (i - low) / (high === low ? 0.001 : high - low)));
    return Math.fround((frequency / factor) * ramp + frequency * (1 - ramp));
  });
}

/**
 * What yarn and longrope multiply cosines and sines by, so that attention over more positions stays as sharp.
 * @param published `max_position_embeddings`
 */
export function rotaryGain(rotary: Rotary, published: number): number {
  const type = typeOf(rotary);
  if (type !== 'yarn' && type !== 'longrope') return 1;
  if (typeof rotary.attention_factor === 'number') return rotary.attention_factor;
  const length = needed(rotary, 'original_max_position_embeddings');
  const factor = rotary.factor ?? published / length;
  if (type === 'longrope') return factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(length));
  const gain = (scale: number) => (factor <= 1 ? 1 : 0.1 * scale * Math.log(factor) + 1);
  const { mscale, mscale_all_dim: all } = rotary;
  return mscale && all ? gain(mscale) / gain(all) : gain(1);
}

/** GGUF files of Llama 3.1 and later hold what llama3 scaling divides each frequency by; those of Phi-3 what longrope does. */
const DIVISORS = 'rope_freqs.weight';

/**
 * The table of cosines and sines as a frozen tensor [positions, dim].
 * @param published `max_position_embeddings`
 */
export function rotaryTable(
  frozen: Frozen,
  name: string,
  rotary: Rotary,
  theta: number,
  dim: number,
  published: number,
) {
  const divided = frozen.has(DIVISORS);
  const frequencies = rotaryFrequencies(rotary, theta, dim, divided);
  const positions = positionsFor(published, rotary);
  const gain = rotaryGain(rotary, published);
  return frozen.table(
    name,
    positions,
    dim,
    (divisors) => {
      const table = ropeTable(divided ? frequencies.map((f, i) => f / divisors[i]) : frequencies, positions);
      return gain === 1 ? table : table.map((value) => value * gain);
    },
    divided ? { part: DIVISORS, shape: [dim / 2] } : undefined,
  );
}
