import type { ErrorReport } from '../../errors.ts';
import type { Engine, EngineChoice } from '../../worker/protocol.ts';
import { fakeDevice } from './fakeData.ts';

type Choice = Pick<EngineChoice, 'engine' | 'reason' | 'why'> & Partial<EngineChoice>;
const choiceOf = (choice: Choice): EngineChoice => ({ times: [], ...choice });

/** Engine choice over a GPU, or over an adapter in software. */
export function fakeEngineSwitch(
  { deviceError, software = false }: { deviceError?: ErrorReport; software?: boolean },
  answer: () => Promise<void>,
): Pick<Engine, 'openDevice' | 'compareEngines'> {
  return {
    async openDevice(wish = 'auto') {
      await answer();
      if (deviceError) throw deviceError;
      if (wish !== 'auto') {
        const choice = choiceOf({ engine: wish, reason: 'wanted', why: 'As you chose.' });
        return { ...fakeDevice, software, engine: wish, choice };
      }
      if (!software) return fakeDevice;
      const choice = choiceOf({
        engine: 'onnx',
        reason: 'unmeasured',
        why: 'WebGPU is only software here.',
      });
      return { ...fakeDevice, software, engine: 'onnx', choice };
    },
    async compareEngines() {
      await answer();
      const choice = choiceOf({
        engine: 'onnx',
        reason: 'faster',
        why: 'On the processor a step takes 250 ms; on WebGPU 5.2 s.',
        times: [
          { engine: 'onnx', step: 250, steps: 3 },
          { engine: 'webgpu', step: 5200, steps: 1 },
        ],
        examples: 8,
      });
      return { ...fakeDevice, software: true, engine: 'onnx', choice };
    },
  };
}
