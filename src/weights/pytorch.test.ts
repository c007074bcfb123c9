import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { PreludeError } from '../errors.ts';
import { refusal } from '../testing/hostile.ts';
import { toFloat32 } from './decode.ts';
import { openPytorch } from './pytorch.ts';
import { openSharded } from './sharded.ts';
import { bytesSource } from './source.ts';
import type { WeightFile } from './types.ts';

/** Written by PyTorch itself: testdata/make_pytorch.py. */
const data = (name: string) => new Uint8Array(readFileSync(new URL(`testdata/${name}`, import.meta.url)));
const json = (name: string) => JSON.parse(new TextDecoder().decode(data(name)));
const golden = json('state.json') as { shapes: Record<string, number[]>; values: Record<string, number[]> };
const open = (bytes: Uint8Array) => openPytorch(bytesSource(bytes, 'm.bin'));

async function valuesOf(weights: WeightFile, name: string): Promise<number[]> {
  const { dtype } = weights.tensors.get(name)!;
  const bytes = await weights.read(name);
  if (dtype === 'BOOL') return [...bytes];
  if (dtype === 'I64') return [...new BigInt64Array(bytes.slice().buffer)].map(Number);
  return [...toFloat32(bytes, dtype)];
}

async function expectGolden(weights: WeightFile, without?: string): Promise<void> {
  const shapes = Object.entries(golden.shapes).filter(([name]) => name !== without);
  expect([...weights.tensors.keys()].sort()).toEqual(shapes.map(([name]) => name).sort());
  for (const [name, shape] of shapes) {
    expect(weights.tensors.get(name)!.shape).toEqual(shape);
    const values = (await valuesOf(weights, name)).map(Math.fround);
    expect([name, ...values]).toEqual([name, ...golden.values[name]!.map(Math.fround)]);
  }
}

describe('openPytorch', () => {
  it('reads every dtype, shared storages, offsets and strides as PyTorch wrote them', async () => {
    const weights = await open(data('state.bin'));
    expect(weights.format).toBe('pytorch');
    expect(weights.tensors.get('bf16')!.dtype).toBe('BF16');
    expect(weights.tensors.get('f8')!.dtype).toBe('F8_E4M3');
    await expectGolden(weights);
  });

  it('reads pieces of tensors, transposed ones too', async () => {
    const weights = await open(data('state.bin'));
    for (const name of ['f32', 'transposed']) {
      const whole = await weights.read(name);
      expect(await weights.readPart!(name, 4, 8)).toEqual(whole.slice(4, 12));
      expect(await weights.readPart!(name, whole.length - 4, 100)).toEqual(whole.slice(-4));
    }
  });

  it('reads archives with the large sizes of zip64', async () => {
    await expectGolden(await open(data('zip64_local.bin')));
    await expectGolden(await open(zip64(data('state.bin'))));
  });

  it('reads the form from before PyTorch 1.6', async () => {
    await expectGolden(await open(data('legacy.bin')), 'f8');
  });

  it('reads a sharded checkpoint by its index', async () => {
    const index = json('pytorch_model.bin.index.json');
    const weights = await openSharded(index, 'index', (name) => bytesSource(data(name), name));
    expect(weights.format).toBe('pytorch');
    await expectGolden(weights);
  });

  it('finds the state dict of a training checkpoint', async () => {
    const weights = await open(data('training.bin'));
    expect(await valuesOf(weights, 'w')).toEqual([1, 1]);
  });

  it('reads only the table of contents to open', async () => {
    const source = bytesSource(archive(dict(tensor()), { storage: 10 * 2 ** 20 }), 'm.bin');
    let read = 0;
    await openPytorch({
      ...source,
      read: (offset, length) => {
        read += length;
        return source.read(offset, length);
      },
    });
    expect(read).toBeLessThan(70_000);
  });

  it.each([
    ['a call of the system, by its name', 'system.bin', /"posix\.system".*Nothing was executed/],
    ['a whole saved module', 'module.bin', /"torch\.nn\.modules\.linear\.Linear"/],
    ['a safetensors file', 'F16.safetensors', /no zip archive/],
  ])('refuses %s', async (_, name, message) => {
    await expect(open(data(name))).rejects.toMatchObject({
      code: 'bad-weights',
      message: expect.stringMatching(message),
      remedy: expect.stringMatching(/./),
    });
  });
});

// ------------------------------------------------------- hostile files

const bytesOf = (...parts: (string | number[] | Uint8Array)[]): Uint8Array =>
  Uint8Array.from(parts.flatMap((part) => (typeof part === 'string' ? [...Buffer.from(part)] : [...part])));
const u32 = (value: number) => [...new Uint8Array(Uint32Array.of(value).buffer)];
const text = (value: string) => bytesOf('X', u32(value.length), value);
const byte = (value: number) => bytesOf('K', [value]);
const long = (value: number) => bytesOf([0x8a, 8], new Uint8Array(BigInt64Array.of(BigInt(value)).buffer));
const pair = (a: Uint8Array, b: Uint8Array) => bytesOf(a, b, [0x86]);

/** A call that makes a tensor of a storage of 16 floats. */
function tensor({
  key = '0',
  kind = 'FloatStorage',
  offset = byte(0),
  size = pair(byte(4), byte(4)),
  stride = pair(byte(4), byte(1)),
}: Partial<{ key: string; kind: string; offset: Uint8Array; size: Uint8Array; stride: Uint8Array }> = {}) {
  const storage = bytesOf('(', text('storage'), `ctorch\n${kind}\n`, text(key), text('cpu'), byte(16), 'tQ');
  return bytesOf('ctorch._utils\n_rebuild_tensor_v2\n(', storage, offset, size, stride, [0x89], '}tR');
}
const proto = [0x80, 2];
const dict = (value: Uint8Array) => bytesOf(proto, '}', text('w'), value, 's.');
const repeat = (count: number, part: Uint8Array) => {
  const all = new Uint8Array(count * part.length);
  for (let i = 0; i < count; i++) all.set(part, i * part.length);
  return all;
};
const concat = (...parts: Uint8Array[]) => new Uint8Array(Buffer.concat(parts));
const archive = (pickle: Uint8Array, { level = 0, storage = 64 }: { level?: 0 | 6; storage?: number } = {}) =>
  zipSync({ 'm/data.pkl': pickle, 'm/data/0': new Uint8Array(storage) }, { level });

/** The same archive with a zip64 end record, as PyTorch writes above 4 GiB. */
function zip64(bytes: Uint8Array): Uint8Array {
  const end = bytes.length - 22;
  const old = new DataView(bytes.buffer, bytes.byteOffset + end, 22);
  const extra = new DataView(new ArrayBuffer(76));
  extra.setUint32(0, 0x06064b50, true);
  extra.setBigUint64(4, 44n, true);
  for (const at of [24, 32]) extra.setBigUint64(at, BigInt(old.getUint16(10, true)), true);
  extra.setBigUint64(40, BigInt(old.getUint32(12, true)), true);
  extra.setBigUint64(48, BigInt(old.getUint32(16, true)), true);
  extra.setUint32(56, 0x07064b50, true);
  extra.setBigUint64(64, BigInt(end), true);
  const changed = bytes.slice(end);
  changed.fill(0xff, 8, 20);
  return concat(bytes.subarray(0, end), new Uint8Array(extra.buffer), changed);
}

async function expectRefused(bytes: Uint8Array, message: RegExp): Promise<void> {
  expect(await refusal(() => open(bytes))).toMatchObject({
    code: 'bad-weights',
    message: expect.stringMatching(message),
  });
}

describe('a hostile checkpoint', () => {
  it('is measured against a good one', async () => {
    expect((await open(archive(dict(tensor())))).tensors.get('w')!.shape).toEqual([4, 4]);
  });

  it.each<[string, Uint8Array, RegExp]>([
    [
      'a tensor beyond its storage',
      dict(tensor({ offset: byte(1) })),
      /tensor "w".*more than its storage of 64/,
    ],
    ['huge sizes', dict(tensor({ size: pair(long(2 ** 40), long(2 ** 12)) })), /larger than any file/],
    ['a negative size', dict(tensor({ size: pair(long(-4), byte(4)) })), /_rebuild_tensor_v2 with arguments/],
    ['a negative offset', dict(tensor({ offset: long(-1) })), /with arguments/],
    [
      'a tensor blown up by strides of 0',
      dict(tensor({ size: pair(long(2 ** 30), byte(4)), stride: pair(byte(0), byte(1)) })),
      /more than its storage/,
    ],
    ['a storage that is missing', dict(tensor({ key: '7' })), /storage "7" is not in the file/],
    ['a storage outside of the data', dict(tensor({ key: '../data.pkl' })), /no storage of a tensor/],
    ['a storage of an unknown kind', dict(tensor({ kind: 'QInt8Storage' })), /"torch\.QInt8Storage"/],
    ['a list in itself', bytesOf(proto, ']q\0h\0a', 'h\0.'), /no table of tensors/],
    ['a dictionary in itself', bytesOf(proto, '}q\0', text('a'), 'h\0s.'), /no table of tensors/],
    [
      'a memo bomb',
      concat(bytesOf(proto, ']q\0'), repeat(100_000, bytesOf('h\0h\0', [0x86], 'q\0')), bytesOf('.')),
      /no table of tensors/,
    ],
    [
      'dictionaries made of one huge list',
      concat(
        bytesOf(proto, ']q\0('),
        repeat(100_000, bytesOf('NN', [0x86])),
        bytesOf('e'),
        repeat(10_000, bytesOf('ccollections\nOrderedDict\nh\0', [0x85], 'R')),
      ),
      /OrderedDict with arguments/,
    ],
    ['a memo that was never written', bytesOf(proto, 'j', u32(2 ** 32 - 1), '.'), /memo 4294967295/],
    ['a text of 4 GiB', bytesOf(proto, 'X', u32(2 ** 32 - 1), 'w.'), /4294967295 bytes are asked for/],
    [
      'half a million marks',
      concat(bytesOf(proto), repeat(500_000, bytesOf('('))),
      /1 bytes are asked for, 0/,
    ],
    [
      'nested tuples',
      concat(bytesOf(proto, ')'), repeat(500_000, Uint8Array.of(0x85)), bytesOf('.')),
      /no table/,
    ],
    ['no end', bytesOf(proto, '}'), /0 follow/],
    ['nothing', new Uint8Array(0), /0 follow/],
    ['an empty stack', bytesOf(proto, 'R.'), /the stack is empty/],
    ['the opcode INST', bytesOf(proto, '(ios\nsystem\n.'), /opcode 0x69/],
    ['the opcode NEWOBJ', bytesOf(proto, 'ccollections\nOrderedDict\n)', [0x81], '.'), /opcode 0x81/],
    ['an extension', bytesOf(proto, [0x82, 1], '.'), /opcode 0x82/],
    ['getattr', bytesOf(proto, 'cbuiltins\ngetattr\n.'), /"builtins\.getattr"/],
    ['a later protocol', bytesOf([0x80, 4], '}.'), /protocol 4/],
    [
      'a number of 255 bytes',
      bytesOf(proto, [0x8a, 255], new Uint8Array(255).fill(1), '.'),
      /beyond any file/,
    ],
    ['something persistent that is no storage', bytesOf(proto, text('x'), 'Q.'), /no storage/],
  ])('with %s is refused at once', async (_, pickle, message) => {
    await expectRefused(archive(pickle), message);
  });

  it('that is compressed is refused', () =>
    expectRefused(archive(concat(dict(tensor()), new Uint8Array(1000)), { level: 6 }), /it is compressed/));

  it('with a pickle beyond any model is refused unread', () =>
    expectRefused(archive(new Uint8Array(3 * 2 ** 20)), /data\.pkl has 3145728 bytes/));

  it('with broken tables of contents is refused', async () => {
    const good = archive(dict(tensor()));
    const at = (offset: number, bytes: number[]) => {
      const changed = good.slice();
      changed.set(bytes, offset < 0 ? good.length + offset : offset);
      return changed;
    };
    await expectRefused(at(-12, u32(0x7fffffff)), /does not fit a file/);
    await expectRefused(at(-6, u32(2 ** 31)), /does not fit a file/);
    await expectRefused(at(-14, [0xff, 0x7f, 0xff, 0x7f]), /32767 files/);
    const directory = new DataView(good.buffer).getUint32(good.length - 6, true);
    await expectRefused(at(directory + 42, u32(good.length)), /behind all files/);
    await expectRefused(at(directory + 42, u32(5)), /no file begins at byte 5/);
    const second = directory + 46 + 'm/data.pkl'.length;
    await expectRefused(at(second + 42, u32(0)), /overlaps/);
    await expectRefused(at(second + 20, [...u32(2 ** 30), ...u32(2 ** 30)]), /reach beyond/);
    const large = zip64(good);
    new DataView(large.buffer).setBigUint64(large.length - 34, 2n ** 60n, true);
    await expectRefused(large, /says 1152921504606846976/);
  });

  it('of the old form whose storage claims too much is refused', async () => {
    const good = data('legacy.bin');
    // A storage is a count of values, then the values.
    const { byteOffset } = (await open(good)).tensors.get('parameter')!;
    for (const count of [2n ** 40n, -1n, 1000n]) {
      const bytes = good.slice();
      new DataView(bytes.buffer).setBigInt64(byteOffset - 8, count, true);
      await expectRefused(bytes, /its storage "\d+" (claims|of 4000 bytes)/);
    }
  });

  it.each(['state.bin', 'legacy.bin'])('cut anywhere is refused: %s', async (name) => {
    const good = data(name);
    for (let length = 0; length < good.length; length += 37)
      await expect(open(good.slice(0, length))).rejects.toMatchObject({ code: 'bad-weights' });
  });

  it.each(['state.bin', 'legacy.bin'])(
    'with any bytes changed opens or is refused, and never claims more than the file has: %s',
    async (name) => {
      const good = data(name);
      const change = fc.tuple(fc.nat(good.length - 1), fc.nat(255));
      await fc.assert(
        fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 6 }), async (changes) => {
          const bytes = good.slice();
          for (const [offset, value] of changes) bytes[offset] = value;
          try {
            const weights = await open(bytes);
            for (const { name, byteLength } of weights.tensors.values()) {
              expect(byteLength).toBeLessThanOrEqual(bytes.length);
              expect((await weights.read(name)).byteLength).toBe(byteLength);
            }
          } catch (error) {
            expect(error).toBeInstanceOf(PreludeError);
          }
        }),
        { numRuns: 300 },
      );
    },
  );
});
