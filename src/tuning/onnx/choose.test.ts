import { describe, expect, test } from 'vitest';
import { chooseEngine, type EngineName, type ProbedLearner, type ProbeOptions } from './choose.ts';

/** Engines whose steps take the given milliseconds, on a clock of their own. */
function engines(steps: Partial<Record<EngineName, number[]>>, hangs?: EngineName) {
  let clock = 0;
  const log: string[] = [];
  const open = async (engine: EngineName): Promise<ProbedLearner> => {
    const own = steps[engine];
    if (!own) throw new Error(`${engine} is broken`);
    let taken = 0;
    return {
      async step() {
        if (hangs === engine && taken === own.length) await new Promise(() => {});
        clock += own[taken++];
        log.push(engine);
        return { loss: 1, gradNorm: 1, finite: true, tokens: 1 };
      },
      destroy: () => void log.push(`${engine} freed`),
    };
  };
  const choose = (options: Pick<ProbeOptions, 'signal' | 'patience' | 'isSoftware'> = {}) =>
    chooseEngine({ ...options, open, examples: [0], now: () => clock });
  return { choose, log };
}

describe('which engine is faster where WebGPU is software', () => {
  test('three steps each, the first of which may be slow', async () => {
    const { choose, log } = engines({ onnx: [900, 250, 260], webgpu: [800, 700, 650] });
    const choice = await choose();
    expect(choice).toMatchObject({
      engine: 'onnx',
      reason: 'faster',
      times: [
        { engine: 'onnx', step: 250, steps: 3 },
        { engine: 'webgpu', step: 650, steps: 3 },
      ],
    });
    expect(choice.why).toMatch(/a step takes 250 ms; on WebGPU.* 650 ms/);
    expect(log.slice(-4)).toEqual(['webgpu', 'webgpu', 'webgpu', 'webgpu freed']);
  });

  test('a software adapter that wins is taken', async () => {
    const { choose } = engines({ onnx: [300, 300, 300], webgpu: [900, 200, 210] });
    const choice = await choose({ isSoftware: () => true });
    expect(choice).toMatchObject({ engine: 'webgpu', reason: 'faster' });
    expect(choice.why).toMatch(
      /^On WebGPU, which is only software here, a step takes 200 ms; on the processor/,
    );
  });

  test('what is hopelessly slow is not measured on', async () => {
    const { choose } = engines({ onnx: [200, 200, 200], webgpu: [9000, 9000, 9000] });
    const { times } = await choose();
    expect(times[1]).toEqual({ engine: 'webgpu', step: 9000, steps: 1 });
  });

  test('an engine that fails leaves it to the other', async () => {
    const { choose } = engines({ webgpu: [500, 500, 500] });
    const choice = await choose();
    expect(choice).toMatchObject({ engine: 'webgpu', reason: 'other-failed' });
    expect(choice.times[0]).toMatchObject({ engine: 'onnx', problem: 'onnx is broken' });
  });

  test('one that takes no step in time has failed; what it took before counts', async () => {
    const never = await engines({ onnx: [200, 200, 200], webgpu: [] }, 'webgpu').choose({ patience: 20 });
    expect(never).toMatchObject({ engine: 'onnx', reason: 'other-failed' });
    expect(never.times[1].problem).toMatch(/within/);
    const once = await engines({ onnx: [200, 200, 200], webgpu: [300] }, 'webgpu').choose({ patience: 20 });
    expect(once).toMatchObject({ reason: 'faster', times: [{ step: 200 }, { step: 300, steps: 1 }] });
  });

  test('a probe that is broken off throws the reason, even while an engine hangs', async () => {
    const stop = new AbortController();
    const choice = engines({ onnx: [1, 1, 1], webgpu: [] }, 'webgpu').choose({ signal: stop.signal });
    setTimeout(() => stop.abort(new Error('a run begins')), 10);
    await expect(choice).rejects.toThrow('a run begins');
    await expect(engines({ onnx: [1, 1, 1] }).choose({ signal: stop.signal })).rejects.toThrow(
      'a run begins',
    );
  });

  test('where none runs, the error is that of an engine', async () => {
    await expect(engines({}).choose()).rejects.toThrow('webgpu is broken');
  });
});
