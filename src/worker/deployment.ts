/** A prompt for other runtimes: what would ship is made, measured and packed here. */
import { Tokenizer } from '@huggingface/tokenizers';
import { PreludeError } from '../errors.ts';
import { loadRuntime, type OnnxRuntime, usableThreads } from '../onnx/index.ts';
import type { SoftPrompt } from '../prompts/index.ts';
import { answerJoiner } from '../text/index.ts';
import { exportOnnx } from '../tuning/index.ts';
import { deployedFiles } from './deploy/files.ts';
import { createPredictor } from './deploy/predict.js';
import { MAX_ZIP_BYTES, type ZippedFile, zipBlob } from './deploy/zip.ts';
import type { Deployments } from './deployProtocol.ts';
import type { DeviceDesk, ResidentModel } from './device.ts';
import { fileStem } from './kept.ts';
import type { PreparedTask } from './preparedTask.ts';
import { speedometer } from './progress.ts';
import type { Prediction, PromptRef } from './protocol.ts';
import { devSample } from './runPlan.ts';

/** Dev rows that the shipped script predicts. */
const ROWS = 12;
/** From this size on the weights lie in a file of their own beside the graph. */
const BESIDE_BYTES = 64e6;
const NAME = 'model.onnx';

export interface DeploymentParts {
  device: DeviceDesk;
  task(): PreparedTask;
  softPrompt(ref: PromptRef): Promise<SoftPrompt>;
  predict(text: string, text2: string | undefined, ref: PromptRef): Promise<Prediction>;
}

export function createDeploymentDesk({ device, task, softPrompt, predict }: DeploymentParts): Deployments {
  const modelFiles = async ({ model, opened }: ResidentModel): Promise<ZippedFile[]> => {
    const { weights } = opened.loaded;
    const made = await exportOnnx(model, weights, {
      name: NAME,
      weightsBeside: besideOf(opened),
      metadata: { model: opened.title, fingerprint: opened.loaded.fingerprint },
    });
    return made.map((file) => ({ ...file, compress: false }));
  };
  const otherFiles = async (ref: PromptRef, resident: ResidentModel, withModel: boolean) => {
    const prompt = await softPrompt(ref);
    const current = task();
    const own = prompt.task ?? {
      template: current.settings.template,
      labels: current.verbalizers.map(({ label, text }) => ({ label, text })),
      appendEos: current.settings.appendEos,
    };
    const { eosId } = resident.opened.tokenizer;
    const end = own.appendEos && eosId !== undefined ? [eosId] : [];
    const labels = own.labels.map(({ label, text }) => ({
      label,
      text,
      ids: [...current.encodeAnswer(text, own.template), ...end],
    }));
    const files = deployedFiles(
      prompt,
      { template: own.template, labels, maxTokens: current.settings.maxTokens },
      resident.model,
      resident.opened,
      { weightsBeside: besideOf(resident.opened), withModel },
    );
    return { prompt, files };
  };

  return {
    async checkDeployment(ref, onProgress) {
      const resident = device.need();
      const current = task();
      const { files } = await otherFiles(ref, resident, true);
      const model = await modelFiles(resident);
      const runtime = await loadRuntime();
      const session = await openSession(runtime, model);
      try {
        const ship = await createPredictor({
          ort: runtime,
          Tokenizer,
          session,
          read: async (name) => files.find((file) => file.name === name)!.bytes,
        });
        const chosen = [...devSample(current.dev, 0), ...current.train]
          .slice(0, ROWS)
          .map((index) => current.examples[index]!);
        const report = speedometer('Predicting with what would ship', 'examples', onProgress);
        const times: number[] = [];
        let agree = 0;
        let largest = 0;
        for (const { text, text2 } of chosen) {
          const began = performance.now();
          const own = await ship(text, text2);
          times.push(performance.now() - began);
          const studio = await predict(text, text2, ref);
          if (own.label === studio.label) agree++;
          own.scores.forEach(({ probability }, i) => {
            largest = Math.max(largest, Math.abs(probability - studio.scores[i]!.probability));
          });
          report(times.length, chosen.length);
        }
        const sizes = [
          ...model.map(({ name, parts }) => ({ name, bytes: parts.reduce((n, part) => n + part.length, 0) })),
          ...files.map(({ name, bytes }) => ({ name, bytes: bytes.length })),
        ];
        const sum = (list: readonly { bytes: number }[]) => list.reduce((n, { bytes }) => n + bytes, 0);
        return {
          files: sizes,
          bytes: { all: sum(sizes), withoutModel: sum(sizes.slice(model.length)) },
          milliseconds: [...times].sort((a, b) => a - b)[times.length >> 1] ?? Number.NaN,
          threads: usableThreads(),
          rows: chosen.length,
          agree,
          largest,
        };
      } finally {
        await session.release();
      }
    },

    async exportDeployment(ref, withModel) {
      const resident = device.need();
      const { prompt, files } = await otherFiles(ref, resident, withModel);
      const model = withModel ? await modelFiles(resident) : [];
      const bytes = model.reduce((n, { parts }) => n + parts.reduce((m, part) => m + part.length, 0), 0);
      if (bytes > MAX_ZIP_BYTES)
        throw new PreludeError('out-of-memory', 'This model is too large for one zip.', {
          where: `${(bytes / 1e9).toFixed(1)} GB`,
          remedy: 'Download without the model.',
        });
      const zip = await zipBlob([
        ...files.map(({ name, bytes: own }) => ({ name, parts: [own], compress: true })),
        ...model,
      ]);
      const name = `${fileStem(prompt)}-onnx${withModel ? '' : '-without-model'}.zip`;
      return { name, type: 'application/zip', bytes: zip };
    },
  };
}

function besideOf({ loaded: { weights } }: ResidentModel['opened']): boolean {
  return [...weights.tensors.values()].reduce((n, { byteLength }) => n + byteLength, 0) > BESIDE_BYTES;
}

async function openSession(runtime: OnnxRuntime, files: readonly ZippedFile[]) {
  const whole = async ({ parts }: ZippedFile) =>
    parts.length === 1
      ? parts[0]!
      : new Uint8Array(await new Blob(parts as Uint8Array<ArrayBuffer>[]).arrayBuffer());
  const [model, ...beside] = files;
  const externalData = await Promise.all(
    beside.map(async (file) => ({ path: file.name, data: await whole(file) })),
  );
  return runtime.InferenceSession.create(await whole(model!), {
    executionProviders: ['wasm'],
    logSeverityLevel: 3,
    externalData,
  });
}

/** With what the loaded model's tokenizer wants before an answer, for scripts that know no more than the prompt's file. */
export function withAnswerPrefix(prompt: SoftPrompt, resident: ResidentModel | undefined): SoftPrompt {
  const { task } = prompt;
  if (!task || !resident || resident.model.kind !== 'causal') return prompt;
  const answerPrefix = answerJoiner(resident.opened.tokenizer, task.template);
  return answerPrefix ? { ...prompt, task: { ...task, answerPrefix } } : prompt;
}
