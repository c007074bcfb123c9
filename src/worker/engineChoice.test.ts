import { describe, expect, test } from 'vitest';
import { type ErrorCode, PreludeError } from '../errors.ts';
import { openFitting } from './engineChoice.ts';
import type { Place } from './place.ts';

const place = (engine: 'webgpu' | 'onnx', software: boolean) => ({ report: { engine, software } }) as Place;
const refuse = (code: ErrorCode) => async (): Promise<Place> => {
  throw new PreludeError(code, 'This browser offers no WebGPU to this page.', { remedy: 'Another.' });
};
const onnx = async () => place('onnx', true);

describe('what a computer gets before anything is measured', () => {
  test('a GPU is taken as it is, and ONNX Runtime is not even fetched', async () => {
    const fitting = await openFitting({
      webgpu: async () => place('webgpu', false),
      onnx: refuse('download'),
    });
    expect(fitting).toMatchObject({ place: { report: { engine: 'webgpu' } }, choice: { reason: 'gpu' } });
    expect(fitting.spare).toBeUndefined();
  });

  test.each(['no-webgpu', 'no-adapter', 'limit-too-small'] as const)(
    'the processor goes on where there is %s, and says why',
    async (code) => {
      const { place: taken, choice, spare } = await openFitting({ webgpu: refuse(code), onnx });
      expect(taken.report.engine).toBe('onnx');
      expect(choice).toMatchObject({ engine: 'onnx', reason: 'no-webgpu' });
      expect(choice.why).toMatch(/^This browser offers no WebGPU to this page\. The processor computes/);
      expect(spare).toBeUndefined();
    },
  );

  test('over a software adapter the processor begins, and the adapter waits to be compared', async () => {
    const {
      place: taken,
      choice,
      spare,
    } = await openFitting({
      webgpu: async () => place('webgpu', true),
      onnx,
    });
    expect(taken.report.engine).toBe('onnx');
    expect(choice.reason).toBe('unmeasured');
    expect(spare?.report.engine).toBe('webgpu');
  });

  test('a software adapter alone is better than nothing', async () => {
    const { place: taken, choice } = await openFitting({
      webgpu: async () => place('webgpu', true),
      onnx: async () => {
        throw new Error('no WASM here');
      },
    });
    expect(taken.report.engine).toBe('webgpu');
    expect(choice).toMatchObject({ engine: 'webgpu', reason: 'other-failed' });
    expect(choice.why).toContain('no WASM here');
  });

  test('what is no lack of a device is not hidden', async () => {
    await expect(openFitting({ webgpu: refuse('device-lost'), onnx })).rejects.toMatchObject({
      code: 'device-lost',
    });
  });
});
