import { describe, expect, test } from 'vitest';
import { chooseEngine, type EngineName, type ProbedLearner, type ProbeOptions } from './choose.ts';

/** Engines whose steps take the given milliseconds, on a clock of their own. */
function engines(steps: Partial<Record<EngineName, number[]>>) {
  let clock = 0;
  const log: string[] = [];
  const open = async (engine: EngineName): Promise<ProbedLearner> => {
    const own = steps[engine];
    if (!own) throw new Error(`${engine} is broken`);
    let taken = 0;
    return {
      async step() {
        clock += own[taken++];
        log.push(engine);
        return { loss: 1, gradNorm: 1, finite: true, tokens: 1 };
      },
      readState: async () => ({ prompt: new Float32Array(), optimizer: {} }),
      writeState() {},
      destroy: () => void log.push(`${engine} freed`),
    };
  };
  const choose = (options: Pick<ProbeOptions, 'adapter' | 'wanted'>) =>
    chooseEngine({ ...options, open, examples: [0], now: () => clock });
  return { choose, log };
}

describe('which engine trains', () => {
  test.each([
    [{ adapter: 'gpu' }, 'webgpu', 'gpu'],
    [{ adapter: 'none' }, 'onnx', 'no-webgpu'],
    [{ adapter: 'gpu', wanted: 'onnx' }, 'onnx', 'wanted'],
    [{ adapter: 'software', wanted: 'webgpu' }, 'webgpu', 'wanted'],
    [{ adapter: 'none', wanted: 'webgpu' }, 'onnx', 'no-webgpu'],
  ] as const)('%j needs no measurement: %s', async (options, engine, reason) => {
    const { choose, log } = engines({});
    expect(await choose(options)).toMatchObject({ engine, reason, times: [] });
    expect(log).toEqual([]);
  });

  test('a software adapter is measured, three steps each, the first of which may be slow', async () => {
    const { choose, log } = engines({ onnx: [900, 250, 260], webgpu: [800, 700, 650] });
    const choice = await choose({ adapter: 'software' });
    expect(choice).toMatchObject({
      engine: 'onnx',
      reason: 'faster',
      times: [
        { engine: 'onnx', step: 250, steps: 3 },
        { engine: 'webgpu', step: 650, steps: 3 },
      ],
    });
    expect(choice.why).toContain('250 ms');
    expect(log.slice(-4)).toEqual(['webgpu', 'webgpu', 'webgpu', 'webgpu freed']);
  });

  test('a software adapter that wins is taken', async () => {
    const { choose } = engines({ onnx: [300, 300, 300], webgpu: [900, 200, 210] });
    expect(await choose({ adapter: 'software' })).toMatchObject({ engine: 'webgpu', reason: 'faster' });
  });

  test('what is hopelessly slow is not measured on', async () => {
    const { choose } = engines({ onnx: [200, 200, 200], webgpu: [9000, 9000, 9000] });
    const { times } = await choose({ adapter: 'software' });
    expect(times[1]).toEqual({ engine: 'webgpu', step: 9000, steps: 1 });
  });

  test('an engine that fails leaves it to the other', async () => {
    const { choose } = engines({ webgpu: [500, 500, 500] });
    const choice = await choose({ adapter: 'software' });
    expect(choice).toMatchObject({ engine: 'webgpu', reason: 'other-failed' });
    expect(choice.times[0]).toMatchObject({ engine: 'onnx', problem: 'onnx is broken' });
  });

  test('where none runs, the error is that of an engine', async () => {
    await expect(engines({}).choose({ adapter: 'software' })).rejects.toThrow('webgpu is broken');
  });
});
