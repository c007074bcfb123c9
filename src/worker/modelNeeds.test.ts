import { describe, expect, it } from 'vitest';
import { t5XlConfig, t5XlShapes } from '../models/testing/t5Xl.ts';
import { countOf, memoryStore, type WeightFile } from '../weights/index.ts';
import { localHub } from '../weights/testing/localHub.ts';
import { modelNeeds } from './modelNeeds.ts';
import { createModelDesk } from './models.ts';
import { publicFile } from './testing.ts';

const desk = createModelDesk({ modelsUrl: 'http://127.0.0.1:1/', store: async () => memoryStore() });
const device = { traits: { rowLanes: 64 }, bindingLimit: 2 ** 27, report: { engine: 'webgpu' as const } };
const of = async (path: string) =>
  new File([new Uint8Array(await publicFile(`models/${path}`))], path.split('/').at(-1)!);

/** T5 XL's table of contents in f32, none of it read. */
function t5Xl(): { config: unknown; weights: WeightFile } {
  const tensors = new Map(
    [...t5XlShapes()].map(([name, shape]) => [
      name,
      { name, dtype: 'F32' as const, shape, byteOffset: 0, byteLength: 4 * countOf(shape) },
    ]),
  );
  return {
    config: t5XlConfig(),
    weights: {
      format: 'pytorch',
      name: 'pytorch_model.bin',
      tensors,
      metadata: {},
      read: async () => {
        throw new Error('A tensor was read.');
      },
    },
  };
}

describe('modelNeeds', () => {
  it('of a small model: what it is, its bytes, and the largest batch', async () => {
    const peeked = await desk.peek({
      kind: 'files',
      files: await Promise.all([of('tiny/config.json'), of('tiny/model.safetensors')]),
    });
    const needs = modelNeeds(peeked, device);
    expect(needs).toMatchObject({ parameters: 721_920, width: 64, layers: [2, 2], storedAs: ['F16'] });
    expect(needs).toMatchObject({ recommended: 'stored', why: 'room' });
    const [stored] = needs.precisions;
    expect(stored!.weightBytes).toBeGreaterThanOrEqual(2 * 721_920);
    expect(stored).toMatchObject({ fits: true, largestBatch: 1024 });
  });

  it('of T5 XL: its largest batch is smaller, and 8 bits are the first form with room', () => {
    const needs = modelNeeds(t5Xl(), { ...device, bindingLimit: 2 ** 31 - 4 });
    expect(needs.parameters).toBeGreaterThan(2.8e9);
    const stored = needs.precisions.find(({ precision }) => precision === 'stored')!;
    expect(stored.weightBytes).toBeGreaterThan(11e9);
    expect(stored.largestBatch).toBeGreaterThan(0);
    expect(stored.largestBatch).toBeLessThan(1024);
    expect(stored.weightBytes + stored.activationBytes).toBeGreaterThan(needs.assumedBytes);
    expect(needs).toMatchObject({ recommended: 'q8_0', why: 'room' });
  });

  it('cuts matrices that are larger than a buffer may be', () => {
    const needs = modelNeeds(t5Xl(), device);
    for (const { fits, largestBytes } of needs.precisions) {
      expect(fits).toBe(true);
      expect(largestBytes).toBeLessThanOrEqual(device.bindingLimit);
    }
  });

  it('of a model in 8 or 4 bits: 34 and 18 bytes for 32 values; blocks stay what they are', async () => {
    const [stored, eight, four] = modelNeeds(t5Xl(), { ...device, bindingLimit: 2 ** 31 - 4 }).precisions;
    expect(eight!.weightBytes / stored!.weightBytes).toBeCloseTo(34 / 128, 2);
    // The token tables stay at 8 bits.
    expect(four!.weightBytes / stored!.weightBytes).toBeCloseTo(0.146, 3);
    const { config, weights } = t5Xl();
    const blocks = new Map(
      [...weights.tensors].map(([name, info]) => [
        name,
        { ...info, dtype: info.shape.length === 2 && !/bias/.test(name) ? ('Q8_0' as const) : info.dtype },
      ]),
    );
    const { precisions } = modelNeeds({ config, weights: { ...weights, tensors: blocks } }, device);
    expect(precisions.map(({ precision }) => precision)).toEqual(['stored']);
  });

  it('on the processor: blocks and halves of the other kind are held as 32-bit numbers, so no other precision is offered', () => {
    const processor = {
      traits: { rowLanes: 1 },
      bindingLimit: Number.POSITIVE_INFINITY,
      report: { engine: 'onnx' as const },
    };
    const { precisions, parameters } = modelNeeds(t5Xl(), processor);
    expect(precisions).toHaveLength(1);
    expect(precisions[0]!.weightBytes / parameters).toBeCloseTo(4, 2);
  });

  it('of a model on a hub: nothing but tables of contents is sent', async () => {
    const files = Object.fromEntries(
      await Promise.all(
        ['base/config.json', 'base/model.safetensors', 'tokenizer.json'].map(async (path) => [
          path.split('/').at(-1)!,
          new Uint8Array(await publicFile(`models/${path}`)),
        ]),
      ),
    );
    const hub = await localHub({ id: 'tests/base', files });
    const peeked = await desk.peek({ kind: 'hub', id: 'tests/base', baseUrl: hub.url });
    expect(modelNeeds(peeked, device).parameters).toBe(5_116_416);
    expect(hub.sent()).toBeLessThan(30_000);
    await hub.close();
  });

  it('refuses by name what cannot be computed, before anything is downloaded', async () => {
    const config = JSON.parse((await publicFile('models/tiny/config.json')).toString());
    const files = [
      new File([JSON.stringify({ ...config, model_type: 'mamba' })], 'config.json'),
      await of('tiny/model.safetensors'),
    ];
    const peeked = await desk.peek({ kind: 'files', files });
    expect(() => modelNeeds(peeked, device)).toThrow(
      expect.objectContaining({ code: 'unsupported-model', message: expect.stringContaining('mamba') }),
    );
  });
});
