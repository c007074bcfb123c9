import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { exportNpy, readNpy } from './npy.ts';
import { anyPrompt, bitsOf, failure, samplePrompt, testdata } from './testing.ts';

const rows = [-0.5, -0.25, 0, 0.25, 0.5, 0.75];

describe('.npy', () => {
  test('is byte for byte what numpy.save writes', () => {
    const shaped = (length: number, width: number, values: number[]) =>
      exportNpy(samplePrompt({ length, width, values: Float32Array.from(values) }));
    expect(shaped(2, 3, rows)).toEqual(testdata('npy/f4.npy'));
    expect(shaped(1, 1, [1])).toEqual(testdata('npy/one.npy'));
    expect(shaped(1000, 1, new Array(1000).fill(0))).toEqual(testdata('npy/tall.npy'));
  });

  test.each([
    ['f4', []],
    ['v2', []],
    ['v3', []],
    ['f8', ['Converted from float64 to float32.']],
    ['f2', ['Converted from float16 to float32.']],
    ['big', ['Converted from big-endian.']],
    ['fortran', ['Turned from Fortran order to rows.']],
  ])('reads %s as numpy wrote it', (name, notes) => {
    const read = readNpy(name, testdata(`npy/${name}.npy`));
    expect(read).toEqual({ length: 2, width: 3, values: Float32Array.from(rows), notes });
  });

  test.each([
    ['rank1', 'shape (3)'],
    ['rank3', 'shape (1, 2, 3)'],
    ['int', '"<i4"'],
    ['record', 'several fields'],
    ['object', 'Python objects'],
    ['nan', 'Virtual token 1 has the value NaN at position 3'],
    ['huge8', 'value Infinity'],
  ])('refuses %s', async (name, what) => {
    const error = await failure(() => readNpy(`${name}.npy`, testdata(`npy/${name}.npy`)));
    expect(error.code).toBe('bad-prompt');
    expect(error.message).toContain(what);
    expect(error.where).toBe(`${name}.npy`);
  });

  test('comes back bit for bit', () => {
    fc.assert(
      fc.property(anyPrompt, (prompt) => {
        const read = readNpy('x', exportNpy(prompt));
        expect([read.length, read.width]).toEqual([prompt.length, prompt.width]);
        expect(bitsOf(read.values)).toEqual(bitsOf(prompt.values));
        expect(read.notes).toEqual([]);
      }),
    );
  });

  test('refuses every cut-off file', async () => {
    const whole = testdata('npy/f4.npy');
    for (let n = 6; n < whole.length; n++)
      expect((await failure(() => readNpy('cut', whole.slice(0, n)))).code).toBe('bad-prompt');
    const longer = new Uint8Array(whole.length + 4);
    longer.set(whole);
    expect((await failure(() => readNpy('long', longer))).message).toContain(
      'takes 24 bytes; the file has 28',
    );
  });

  test('refuses hostile shapes before it allocates', async () => {
    const whole = new TextDecoder('latin1').decode(testdata('npy/f4.npy'));
    const withShape = (shape: string) =>
      Uint8Array.from(whole.replace(/\(2, 3\), \} {8}/, `${shape}, }`).padEnd(152), (c) => c.charCodeAt(0));
    for (const shape of ['(99999, 99999)', '(0, 3)', '(9e9, 9)', '(-1, 3)', '(0, 99999999)']) {
      const error = await failure(() => readNpy('x', withShape(shape)));
      expect(error.code, shape).toBe('bad-prompt');
    }
  });

  test('never exports what is not finite, nor rows that are missing', async () => {
    const nan = samplePrompt({ values: Float32Array.of(0, 0, 0, 0, 0, Number.NaN) });
    expect((await failure(() => exportNpy(nan))).message).toContain('Virtual token 2 has the value NaN');
    const short = samplePrompt({ values: new Float32Array(5) });
    expect((await failure(() => exportNpy(short))).message).toContain('2 x 3 = 6 numbers and has 5');
  });
});
