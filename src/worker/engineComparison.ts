/** The three-step probe of the person's own task on both engines, where the adapter is software. */
import { PreludeError } from '../errors.ts';
import type { FrozenModel } from '../models/index.ts';
import { chooseEngine, createSampler, type ProbedLearner, parseRecipe } from '../tuning/index.ts';
import type { DeviceDesk } from './device.ts';
import { openOnnxPlace, openWebgpuPlace, type Place } from './place.ts';
import type { PreparedTask } from './preparedTask.ts';
import type { DeviceReport, EngineName } from './protocol.ts';
import { learnerSettings, startOf, trainingExamples } from './runPlan.ts';

/** Examples of a measured step, at most: enough to compare, few enough not to be waited for. */
const MOST_EXAMPLES = 8;

export interface Comparison {
  /** Undefined where there is nothing to compare, or where `stop` came first. */
  run(recipe: unknown): Promise<DeviceReport | undefined>;
  stop(): void;
}

export function createComparison(device: DeviceDesk, task: () => PreparedTask): Comparison {
  let going: AbortController | undefined;

  const stop = () => {
    going?.abort(
      new PreludeError('cancelled', 'The comparison was broken off.', { remedy: 'Nothing to do.' }),
    );
    going = undefined;
  };

  const compare = async (given: unknown, { signal }: AbortController) => {
    const recipe = parseRecipe(given);
    const resident = device.need();
    const current = task();
    const here = device.place();
    const { engine: own, software } = here.report;
    // A GPU is not compared; nothing can be without rows.
    if ((own === 'webgpu' && !software) || current.train.length === 0) return undefined;
    const { loaded, precision = 'stored' } = resident.opened;
    const { config, weights } = loaded;
    const examples = trainingExamples(recipe, current);
    const settings = learnerSettings(recipe, current);
    const { values } = await startOf(recipe, resident, current);
    const batch = createSampler(examples.length, recipe.batchSize, recipe.seed)
      .batch(1)
      .slice(0, MOST_EXAMPLES);
    let onSoftware = own === 'webgpu';
    const learnerOn = (place: Place, model: FrozenModel) =>
      place.makeLearner(model, weights, settings, examples, values.slice(), batch.length, () => {});
    const open = async (engine: EngineName): Promise<ProbedLearner> => {
      if (engine === own) return learnerOn(here, resident.model);
      const spare = engine === 'webgpu' ? device.spare() : undefined;
      const place = spare ?? (await (engine === 'onnx' ? openOnnxPlace() : openWebgpuPlace()));
      if (engine === 'webgpu') onSoftware = place.report.software;
      const { model, scorer } = await place.makeModel(config, weights, precision, () => {});
      try {
        signal.throwIfAborted();
        const learner = await learnerOn(place, model);
        return {
          step: learner.step,
          destroy() {
            learner.destroy();
            place.freeModel(model, scorer);
          },
        };
      } catch (error) {
        place.freeModel(model, scorer);
        throw error;
      }
    };
    const choice = await chooseEngine({ open, examples: batch, signal, isSoftware: () => onSoftware });
    signal.throwIfAborted();
    return device.settle({ ...choice, examples: batch.length });
  };

  return {
    stop,
    async run(recipe) {
      stop();
      const own = new AbortController();
      going = own;
      try {
        return await compare(recipe, own);
      } catch (error) {
        if (own.signal.aborted) return undefined;
        throw error;
      } finally {
        if (going === own) going = undefined;
      }
    },
  };
}
