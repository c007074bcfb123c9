import type { ErrorReport } from '../../errors.ts';
import type { Engine, EngineChoice } from '../../worker/protocol.ts';
import { fakeDevice } from './fakeData.ts';

type Choice = Pick<EngineChoice, 'engine' | 'reason' | 'why'> & Partial<EngineChoice>;
const choiceOf = (choice: Choice): EngineChoice => ({ times: [], ...choice });

/** Engine choice over a GPU, or over an adapter in software. */
export function fakeEngineSwitch(
  { deviceError, software = false }: { deviceError?: ErrorReport; software?: boolean },
  answer: () => Promise<void>,
): Pick<Engine, 'openDevice' | 'compareEngines' | 'secondOpinion' | 'checkDeployment' | 'exportDeployment'> {
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
    async checkDeployment() {
      await answer();
      return {
        files: [
          { name: 'model.onnx', bytes: 11_600_000 },
          { name: 'tokenizer.json', bytes: 600_000 },
          { name: 'prompt.npy', bytes: 10_368 },
        ],
        bytes: { all: 12_210_368, withoutModel: 610_368 },
        milliseconds: 14,
        threads: 2,
        rows: 12,
        agree: 12,
        largest: 2e-6,
      };
    },
    async exportDeployment(_prompt, withModel) {
      await answer();
      const name = withModel ? 'prompt-onnx.zip' : 'prompt-onnx-without-model.zip';
      return { name, type: 'application/zip', bytes: new Blob(['zip']) };
    },
    async secondOpinion() {
      await answer();
      const near = (count: number) => ({ largest: 2e-6, magnitude: 4, relative: 5e-7, count });
      return {
        rows: 8,
        adapter: 'Fake adapter',
        loss: { shaders: 1.25, onnx: 1.250001, largest: 1e-6, magnitude: 1.25, relative: 8e-7, count: 1 },
        logits: near(65_536),
        gradient: near(2560),
        seconds: 2.4,
      };
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
