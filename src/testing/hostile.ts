/** What tests of files that nobody vouches for have in common. */
import fc from 'fast-check';
import { expect } from 'vitest';
import { PreludeError } from '../errors.ts';
import { type ByteSource, bytesSource } from '../weights/index.ts';

/** Milliseconds that this process computes while `work` runs, and its value. Not of the clock: tests run beside each other. */
export async function computing<T>(work: () => T | Promise<T>): Promise<{ value: T; ms: number }> {
  const began = process.cpuUsage();
  const value = await work();
  const { user, system } = process.cpuUsage(began);
  return { value, ms: (user + system) / 1000 };
}

/** The `PreludeError` that `work` ends in within a second of computing: it says what, where, and what to do now. */
export async function refusal(work: () => unknown): Promise<PreludeError> {
  const { value, ms } = await computing(async () => {
    try {
      await work();
    } catch (error) {
      return error;
    }
    throw new Error('nothing was refused');
  });
  if (!(value instanceof PreludeError)) throw value;
  expect(value.message.length).toBeGreaterThan(10);
  expect(value.where).toBeTruthy();
  expect(value.remedy).toMatch(/\.$/);
  expect(ms).toBeLessThan(1000);
  return value;
}

/** A source that counts what is read of it. */
export function watched(bytes: Uint8Array, name: string) {
  const seen = { reads: 0, bytes: 0 };
  const inner = bytesSource(bytes, name);
  const source: ByteSource = {
    ...inner,
    async read(offset, length) {
      // Of a file that is too short nothing is read: the source says so before anything is made.
      const found = await inner.read(offset, length);
      seen.reads++;
      seen.bytes += length;
      return found;
    },
  };
  return { source, seen };
}

/** A good file with one to four bytes changed, or cut off, or with bytes behind it. */
export function damaged(good: Uint8Array): fc.Arbitrary<Uint8Array> {
  const edit = fc.tuple(fc.nat(good.length - 1), fc.nat(255));
  return fc.oneof(
    {
      weight: 4,
      arbitrary: fc.array(edit, { minLength: 1, maxLength: 4 }).map((edits) => changed(good, edits)),
    },
    { weight: 2, arbitrary: fc.nat(good.length - 1).map((length) => good.slice(0, length)) },
    {
      weight: 1,
      arbitrary: fc.uint8Array({ minLength: 1, maxLength: 40 }).map((more) => joined(good, more)),
    },
  );
}

function changed(good: Uint8Array, edits: readonly (readonly [at: number, value: number])[]): Uint8Array {
  const bytes = good.slice();
  for (const [at, value] of edits) bytes[at] = value;
  return bytes;
}

const joined = (a: Uint8Array, b: Uint8Array) => Uint8Array.from([...a, ...b]);

/**
 * How often a property is tried. The same tries each time, so that what passed here passes elsewhere; `PRELUDE_SEED=1 PRELUDE_RUNS=50`
 * tries others, and fifty times as many.
 */
export const tries = (numRuns: number) => ({
  numRuns: numRuns * Number(process.env.PRELUDE_RUNS ?? 1),
  seed: Number(process.env.PRELUDE_SEED ?? 20_261_123),
});

/** `work` ends, or refuses as `PreludeError`, within a second of computing. */
export async function endsOrRefuses(work: () => unknown): Promise<void> {
  const { value, ms } = await computing(async () => {
    try {
      await work();
      return undefined;
    } catch (error) {
      return error;
    }
  });
  if (value !== undefined && !(value instanceof PreludeError)) throw value;
  expect(ms).toBeLessThan(1000);
}
