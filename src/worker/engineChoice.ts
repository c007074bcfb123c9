/** Which engine a computer gets before anything is measured, and why. */
import { PreludeError } from '../errors.ts';
import { openOnnxPlace, openWebgpuPlace, type Place } from './place.ts';
import type { EngineChoice, EngineName } from './protocol.ts';

const NO_DEVICE = new Set(['no-webgpu', 'no-adapter', 'limit-too-small']);

export const chosen = (engine: EngineName): EngineChoice => ({
  engine,
  reason: 'wanted',
  why:
    engine === 'onnx'
      ? 'You chose the processor, through ONNX Runtime.'
      : 'You chose the graphics device, through WebGPU.',
  times: [],
});

export interface Fitting {
  place: Place;
  choice: EngineChoice;
  /** A software adapter that is still to be compared with the processor. */
  spare?: Place;
}

/**
 * A GPU where there is one. The processor where there is no WebGPU; also over a software adapter, until both have been measured.
 * @throws what ONNX Runtime threw where neither opens
 */
export async function openFitting(
  openers = { webgpu: openWebgpuPlace, onnx: openOnnxPlace },
): Promise<Fitting> {
  const found = await openers.webgpu().catch((error) => {
    if (error instanceof PreludeError && NO_DEVICE.has(error.code)) return error;
    throw error;
  });
  if (found instanceof PreludeError)
    return {
      place: await openers.onnx(),
      choice: {
        engine: 'onnx',
        reason: 'no-webgpu',
        why: `${found.message} The processor computes instead, through ONNX Runtime: the same results, slower than a graphics processor.`,
        times: [],
      },
    };
  if (!found.report.software)
    return {
      place: found,
      choice: { engine: 'webgpu', reason: 'gpu', why: 'WebGPU, on your graphics processor.', times: [] },
    };
  try {
    return {
      place: await openers.onnx(),
      spare: found,
      choice: {
        engine: 'onnx',
        reason: 'unmeasured',
        why: 'WebGPU is only software in this browser, so that the processor (ONNX Runtime) is likely to be faster; the two have not been compared yet.',
        times: [],
      },
    };
  } catch (error) {
    return {
      place: found,
      choice: {
        engine: 'webgpu',
        reason: 'other-failed',
        why: `WebGPU, in software: ONNX Runtime could not be opened (${(error as Error).message}).`,
        times: [],
      },
    };
  }
}
