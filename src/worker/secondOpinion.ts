/** The second opinion: the shaders' numbers beside ONNX Runtime's, on rows of the person's own. */
import { PreludeError } from '../errors.ts';
import { compareLearners, defaultRecipe, opinionSettings } from '../tuning/index.ts';
import type { DeviceDesk } from './device.ts';
import type { Opinions } from './opinionProtocol.ts';
import { openOnnxPlace, openWebgpuPlace, type Place } from './place.ts';
import type { PreparedTask } from './preparedTask.ts';
import type { ResolvePrompt } from './reading.ts';
import { learnerSettings, trainingExamples } from './runPlan.ts';

/** Rows that are compared: a batch that every adapter has room for. */
const ROWS = 8;

export function createOpinionDesk(
  device: DeviceDesk,
  task: () => PreparedTask,
  resolve: ResolvePrompt,
): Opinions {
  return {
    async secondOpinion(ref) {
      const began = performance.now();
      const resident = device.need();
      const current = task();
      const { width } = resident.model.info;
      const values = await (await resolve(ref)).values?.();
      if (!values)
        throw new PreludeError('bad-prompt', 'The second opinion is about a soft prompt.', {
          remedy: 'Choose a run or a kept prompt.',
        });
      const recipe = { ...defaultRecipe, promptLength: values.length / width };
      const examples = trainingExamples(recipe, current).slice(0, ROWS);
      if (examples.length === 0)
        throw new PreludeError('bad-labels', 'There are no training rows to compare on.', {
          remedy: 'Give the train part a share of the rows on the Data station.',
        });
      const settings = opinionSettings(learnerSettings(recipe, current));
      const { loaded, precision = 'stored' } = resident.opened;
      const { config, weights } = loaded;

      const here = device.place();
      const onGpu = here.report.engine === 'webgpu';
      const gpu: Place = onGpu ? here : (device.spare() ?? (await openWebgpuPlace()));
      const cpu: Place = onGpu ? await openOnnxPlace() : here;
      const learnerOn = (place: Place, model = resident.model) =>
        place.makeLearner(model, weights, settings, examples, values.slice(), examples.length, () => {});
      // A model's buffers belong to one place; ONNX Runtime needs the graph alone.
      const guest = onGpu ? undefined : await gpu.makeModel(config, weights, precision, () => {});
      try {
        const shaders = await learnerOn(gpu, guest?.model);
        try {
          const onnx = await learnerOn(cpu);
          try {
            const rows = examples.map((_, i) => i);
            const opinion = await compareLearners(shaders, onnx, rows);
            const { description, vendor, architecture } = gpu.report;
            return {
              ...opinion,
              rows: rows.length,
              adapter: description || [vendor, architecture].filter(Boolean).join(' '),
              seconds: (performance.now() - began) / 1000,
            };
          } finally {
            onnx.destroy();
          }
        } finally {
          shaders.destroy();
        }
      } finally {
        if (guest) gpu.freeModel(guest.model, guest.scorer);
      }
    },
  };
}
