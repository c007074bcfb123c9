import { PreludeError, reportError } from '../errors.ts';
import type { SoftPrompt } from '../prompts/index.ts';
import { parseRecipe } from '../tuning/index.ts';
import { createDatasetDesk } from './dataset.ts';
import { createDeploymentDesk, withAnswerPrefix } from './deployment.ts';
import { createDeviceDesk, type ResidentModel } from './device.ts';
import { createComparison } from './engineComparison.ts';
import { createInsideDesk } from './inside.ts';
import { createPromptDesk } from './kept.ts';
import { createMeasuring, type Measuring } from './measuring.ts';
import { modelNeeds } from './modelNeeds.ts';
import { createModelDesk } from './models.ts';
import type { PreparedTask, TextModel } from './preparedTask.ts';
import { profileStep } from './profile.ts';
import type { Engine, PromptRef } from './protocol.ts';
import { createReadingDesk, type ReadablePrompt, readableValues } from './reading.ts';
import { createRunDesk } from './runs.ts';
import { createOpinionDesk } from './secondOpinion.ts';
import { createTaskOf } from './taskOf.ts';
import { createTogetherDesk } from './together.ts';
import { createTrialDesk } from './trials.ts';

/**
 * The engine of the protocol: desks for device, models, data, runs, reading and kept prompts, joined.
 * @param baseUrl absolute address of the folder with `models/` and `samples/`.
 */
export function createEngine(baseUrl: string): Engine {
  const device = createDeviceDesk();
  const models = createModelDesk({ modelsUrl: new URL('models/', baseUrl).href });
  const data = createDatasetDesk({ samplesUrl: new URL('samples/', baseUrl).href });
  const prompts = createPromptDesk();

  const needTask = (): PreparedTask => {
    const task = data.task();
    if (!task)
      throw new PreludeError('bad-labels', 'No data are ready.', {
        remedy: 'Choose a sample or drop a file on the Data station.',
      });
    return task;
  };
  const runs = createRunDesk(device, needTask);
  const comparison = createComparison(device, needTask);
  const trials = createTrialDesk(device, needTask, () => runs.busy());
  /** What is about to change is used by nobody. */
  const quiet = async () => {
    comparison.stop();
    await trials.stopTrial();
    await runs.stop();
  };

  const resolve = async (ref: PromptRef, step?: number): Promise<ReadablePrompt> => {
    switch (ref.kind) {
      case 'none':
        return { source: undefined };
      case 'written':
        return { source: undefined, template: ref.template ?? needTask().settings.writtenPrompt };
      case 'run':
        return runs.prompt(ref.run, ref.which, step);
      case 'saved':
        return readableValues(await prompts.get(ref.id));
    }
  };
  const reading = createReadingDesk(device, needTask, resolve);
  const opinions = createOpinionDesk(device, needTask, resolve);

  const taskOf = createTaskOf(resolve, runs, prompts, needTask);
  const measuring = createMeasuring();
  const inside = createInsideDesk(
    device,
    needTask,
    resolve,
    async (ref) => (ref.kind === 'run' ? runs.history(ref.run) : []),
    measuring,
  );
  const together = createTogetherDesk(device, needTask, resolve, taskOf, measuring);

  /** A run's best prompt with all that is needed to use it again. */
  const softPrompt = async (id: string, name?: string): Promise<SoftPrompt> => {
    const { summary, checkpoint, settings, labels } = await runs.get(id);
    const resident = device.need();
    if (resident.report.id !== summary.modelId)
      throw new PreludeError(
        'prompt-mismatch',
        `This run learned on ${summary.modelTitle}, which is not loaded.`,
        {
          remedy: `Load ${summary.modelTitle} on the Model station first.`,
        },
      );
    const { best } = checkpoint;
    const scored = summary.evals.find((record) => record.step === best.step);
    return {
      name: name ?? summary.name,
      length: summary.recipe.promptLength,
      width: resident.model.info.width,
      values: best.prompt,
      model: resident.identity,
      recipe: summary.recipe,
      task: {
        template: settings.template,
        writtenPrompt: settings.writtenPrompt,
        roles: settings.roles,
        labels,
        appendEos: settings.appendEos,
      },
      metrics: {
        ...(scored && { devAccuracy: scored.accuracy, devLoss: scored.loss }),
        ...(summary.test && {
          testAccuracy: summary.test.accuracy,
          testLow: summary.test.low,
          testHigh: summary.test.high,
          testExamples: summary.test.n,
        }),
      },
      createdAt: new Date().toISOString(),
      step: best.step,
    };
  };

  /** Of each prompt and part, so that a stop meets what it is about and nothing that goes beside it. */
  const evaluatings = new Map<string, Measuring>();
  const evaluating = (ref: PromptRef, part: 'dev' | 'test'): Measuring => {
    const key = JSON.stringify([ref, part]);
    const known = evaluatings.get(key) ?? createMeasuring();
    evaluatings.set(key, known);
    return known;
  };

  const softPromptOf = async (ref: PromptRef): Promise<SoftPrompt> => {
    if (ref.kind === 'run') return withAnswerPrefix(await softPrompt(ref.run), device.model());
    if (ref.kind === 'saved') return withAnswerPrefix(await prompts.get(ref.id), device.model());
    throw new PreludeError('bad-prompt', 'Only a soft prompt can be downloaded.', {
      remedy: 'Choose a run or a kept prompt.',
    });
  };
  const deployments = createDeploymentDesk({
    device,
    task: needTask,
    softPrompt: softPromptOf,
    predict: async (text, text2, ref) => (await reading.predict(text, text2, [ref], false))[0]!,
  });

  const engine: Engine = {
    async openDevice(engine = 'auto') {
      await quiet();
      return device.open(engine);
    },
    compareEngines: (recipe) => comparison.run(recipe),
    listModels: () => models.listModels(),
    async loadModel(source, onProgress, options) {
      await quiet();
      const began = performance.now();
      const opened = { ...(await models.load(source, onProgress)), ...options };
      return device.load(opened, (performance.now() - began) / 1000, onProgress);
    },
    cancelLoad: async () => models.cancel(),
    lookUpHub: (source) => models.lookUpHub(source),
    inspectModel: async (source) => modelNeeds(await models.peek(source), device.place()),
    cachedModels: () => models.cachedModels(),
    deleteCachedModel: (id) => models.deleteCachedModel(id),

    listSamples: () => data.listSamples(),
    async openData(source, options, onProgress) {
      await quiet();
      return data.openData(source, options, onProgress);
    },
    cancelData: async () => data.cancel(),
    suggestTask: (roles) => data.suggestTask(textModel(device.model()), roles),
    async setTask(settings, onProgress) {
      await quiet();
      return data.setTask(settings, textModel(device.need()), onProgress);
    },
    async mend(finding) {
      await quiet();
      return data.mend(finding);
    },
    async undoMend() {
      await quiet();
      return data.undoMend();
    },
    rows: (query) => data.rows(query),
    readRow: (row) => data.readRow(row),
    readText: (text, text2) => data.readText(text, text2),

    planRun: (recipe) => runs.plan(recipe),
    async profileStep(recipe) {
      await trials.stopTrial();
      return device.withModel(() => runs.quiet(() => profileStep(device, needTask(), parseRecipe(recipe))));
    },
    async startRun(recipe, onEvent, options) {
      comparison.stop();
      await trials.stopTrial();
      return device.withModel(() => runs.start(recipe, onEvent, options));
    },
    async resumeRun(run, onEvent) {
      comparison.stop();
      await trials.stopTrial();
      return device.withModel(() => runs.resumeStored(run, onEvent));
    },
    probeRun(recipe, onProgress) {
      comparison.stop();
      return trials.probeRun(recipe, onProgress);
    },
    sweepRates(recipe, range, onPoint) {
      comparison.stop();
      return trials.sweepRates(recipe, range, onPoint);
    },
    stopTrial: () => trials.stopTrial(),
    pause: async () => runs.pause(),
    resume: async () => runs.resume(),
    step: async () => runs.step(),
    stop: () => runs.stop(),
    runs: () => runs.list(),
    renameRun: (run, name) => runs.rename(run, name),
    deleteRun: (run) => runs.remove(run),

    async evaluate(ref, part, { decoding }, onProgress) {
      const evaluation = await evaluating(ref, part).run((signal) =>
        device.withModel(() => reading.evaluate(ref, part, decoding, onProgress, signal)),
      );
      if (ref.kind === 'run' && ref.which === 'best' && part === 'test' && decoding === 'rank') {
        const { accuracy, low, high, n } = evaluation;
        await runs.recordTest(ref.run, { accuracy, low, high, n });
      }
      return evaluation;
    },
    stopEvaluation: async (ref, part) => evaluating(ref, part).stop(),
    predict: (text, text2, refs, { generate }) =>
      device.withModel(() => reading.predict(text, text2, refs, generate)),
    secondOpinion: (ref) => device.withModel(() => opinions.secondOpinion(ref)),
    neighbours: (ref, count, step) => device.withModel(() => reading.neighbours(ref, count, step)),

    vocabularyMap: () => device.withModel(() => inside.vocabularyMap()),
    promptTrail: (ref) => device.withModel(() => inside.promptTrail(ref)),
    leaveOneOut: (ref, options, onProgress) =>
      device.withModel(() => inside.leaveOneOut(ref, options, onProgress)),
    attention: (ref, text, text2) => device.withModel(() => inside.attention(ref, text, text2)),
    stopMeasuring: async () => measuring.stop(),

    describePrompts: (refs) => device.withModel(() => together.describePrompts(refs)),
    readTogether: (items) => device.withModel(() => together.readTogether(items)),
    vote: (refs, part, onProgress) => device.withModel(() => together.vote(refs, part, onProgress)),
    slide: (from, to, options, onProgress) =>
      device.withModel(() => together.slide(from, to, options, onProgress)),
    slideText: (from, to, text, text2, points) =>
      device.withModel(() => together.slideText(from, to, text, text2, points)),

    savedPrompts: () => prompts.savedPrompts(device.model()?.identity),
    savePrompt: async (run, name) =>
      prompts.savePrompt(await softPrompt(run, name), device.model()?.identity),
    renamePrompt: (id, name) => prompts.renamePrompt(id, name),
    deletePrompt: (id) => prompts.deletePrompt(id),
    restorePrompt: (id) => prompts.restorePrompt(id),
    exportPrompt: async (ref, format) => prompts.exportPrompt(await softPromptOf(ref), format),
    exportScript: async (ref, format) => prompts.exportScript(await softPromptOf(ref), format),
    checkDeployment: (ref, onProgress) =>
      device.withModel(() => deployments.checkDeployment(ref, onProgress)),
    exportDeployment: (ref, withModel) =>
      device.withModel(() => deployments.exportDeployment(ref, withModel)),
    importPrompt: (files) => prompts.importPrompt(files, device.model()?.identity),
  };
  return reportingErrors(engine);
}

/** What the data need of a model. */
function textModel(resident: ResidentModel): TextModel;
function textModel(resident: ResidentModel | undefined): TextModel | undefined;
function textModel(resident: ResidentModel | undefined): TextModel | undefined {
  return resident && { tokenizer: resident.opened.tokenizer, continues: resident.model.kind === 'causal' };
}

/** Errors cross to the page as plain `ErrorReport`s: a structured clone of an Error loses all but its message. */
function reportingErrors(engine: Engine): Engine {
  const wrapped = Object.entries(engine).map(([name, method]) => [
    name,
    async (...args: unknown[]) => {
      try {
        return await (method as (...args: unknown[]) => unknown)(...args);
      } catch (error) {
        throw reportError(error);
      }
    },
  ]);
  return Object.fromEntries(wrapped) as Engine;
}
