/** The three-step probe of the person's own task on both engines, where the adapter is software. */
import { PreludeError } from '../errors.ts';
import { chooseEngine, createSampler, type ProbedLearner, parseRecipe } from '../tuning/index.ts';
import type { DeviceDesk } from './device.ts';
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
    const spare = device.spare();
    const resident = device.need();
    const current = task();
    if (!spare || current.train.length === 0) return undefined;
    const { loaded, precision = 'stored' } = resident.opened;
    const { config, weights } = loaded;
    const examples = trainingExamples(recipe, current);
    const settings = learnerSettings(recipe, current);
    const { values } = await startOf(recipe, resident, current);
    const batch = createSampler(examples.length, recipe.batchSize, recipe.seed)
      .batch(1)
      .slice(0, MOST_EXAMPLES);
    const open = async (engine: EngineName): Promise<ProbedLearner> => {
      const start = values.slice();
      if (engine === 'onnx')
        return device
          .place()
          .makeLearner(resident.model, weights, settings, examples, start, batch.length, () => {});
      const { model, scorer } = await spare.makeModel(config, weights, precision, () => {});
      try {
        signal.throwIfAborted();
        const learner = await spare.makeLearner(
          model,
          weights,
          settings,
          examples,
          start,
          batch.length,
          () => {},
        );
        return {
          step: learner.step,
          destroy() {
            learner.destroy();
            spare.freeModel(model, scorer);
          },
        };
      } catch (error) {
        spare.freeModel(model, scorer);
        throw error;
      }
    };
    const choice = await chooseEngine({ open, examples: batch, signal });
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
