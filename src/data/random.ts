/**
 * Seeded pseudo-random numbers. A run must be repeatable from its recipe, which `Math.random` cannot give.
 *
 * The generator is sfc32, "Small Fast Counting" (Chris Doty-Humphrey, PractRand 2010): 128 bits of state, three of its four
 * words filled from the seed by splitmix32-like mixing, the fourth a counter, and twelve rounds thrown away. It is exact integer arithmetic, so the
 * same seed gives the same numbers in every browser and in Node.
 */

/** A source of numbers evenly spread over [0, 1), in steps of 2^-32. */
export type Random = () => number;

/** A generator for `seed` (any finite number; two seeds that differ in value give unrelated streams). */
export function seededRandom(seed: number): Random {
  // The whole double counts, so that seeds above 2^32 and fractions are not folded onto small integers.
  const words = new Uint32Array(new Float64Array([seed + 0]).buffer);
  let a = mix((words[0] ?? 0) ^ 0x9e3779b9);
  let b = mix((words[1] ?? 0) ^ a ^ 0x243f6a88);
  let c = mix(a ^ b ^ 0xb7e15162);
  let counter = 1;
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 4294967296;
  };
  for (let round = 0; round < 12; round++) next();
  return next;
}

/** The finaliser of MurmurHash3: every bit of the input reaches every bit of the output. */
function mix(value: number): number {
  let x = value | 0;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return x ^ (x >>> 16);
}

/** A whole number in 0 .. `below` - 1. */
export function randomInteger(random: Random, below: number): number {
  return Math.floor(random() * below);
}

/** The items in a random order (Fisher-Yates), as a new array. */
export function shuffle<T>(items: readonly T[], random: Random): T[] {
  const result = items.slice();
  for (let i = result.length - 1; i > 0; i--) {
    const j = randomInteger(random, i + 1);
    const held = result[i] as T;
    result[i] = result[j] as T;
    result[j] = held;
  }
  return result;
}
