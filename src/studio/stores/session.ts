/**
 * The session: the device, the model that is loaded, the data and the task. Each action asks the engine, shows its progress
 * and keeps its report; a failure becomes an error in three parts and leaves what was there before.
 */
import { createStore } from 'zustand/vanilla';
import type { ErrorReport } from '../../errors.ts';
import type { Recipe } from '../../tuning/recipe.ts';
import type {
  DataReport,
  DataSource,
  DeviceReport,
  Engine,
  EngineName,
  EngineWish,
  LoadOptions,
  ModelCard,
  ModelReport,
  ModelSource,
  OnProgress,
  Progress,
  ReadOptions,
  Roles,
  SampleCard,
  TaskReport,
  TaskSettings,
} from '../../worker/protocol.ts';
import { putIntoAddress, rememberEngine, rememberedEngine } from './engineMemory.ts';
import { asReport } from './errors.ts';
import type { Evaluations } from './evaluations.ts';
import type { Notices } from './notices.ts';
import { type TaskWish, withWish } from './taskLink.ts';

/** Where the start-up is. `ready`: a run can start. `waiting`: something is missing that a person must give. */
export type Phase = 'opening' | 'model' | 'data' | 'baselines' | 'ready' | 'waiting' | 'no-device';

export interface Baselines {
  /** Dev accuracy of the untuned model, and of the task's written prompt. */
  untuned?: number;
  written?: number;
}

export interface SessionState {
  phase: Phase;
  device?: DeviceReport;
  /** Both engines are being measured. */
  comparing: boolean;
  /** Why there is no device to train on: the whole page is about it. */
  deviceError?: ErrorReport;
  models: ModelCard[];
  samples: SampleCard[];
  model?: ModelReport;
  /** What the model was loaded from, for the Model station's cards. */
  modelSource?: ModelSource;
  data?: DataReport;
  dataSource?: DataSource;
  task?: TaskReport;
  /** What the engine suggested for these data; what a link need not say. */
  suggested?: TaskSettings;
  baselines: Baselines;
  /** A person stopped the reading of a table that has no task yet. */
  stopped?: boolean;
  /** The long work that is going on, if any. */
  progress?: Progress;

  /** Opens the device, loads the model and the sample that are wished for, or the default ones. */
  begin(wish?: { model?: string; sample?: string; task?: TaskWish; engine?: EngineWish }): Promise<void>;
  /** Measures both engines where the adapter is software, and goes on with the faster one. */
  compareEngines(recipe: Recipe): Promise<void>;
  /** Moves the model to the graphics device or to the processor; the task stays. */
  switchEngine(engine: EngineName): Promise<boolean>;
  loadModel(source: ModelSource, options?: LoadOptions): Promise<boolean>;
  /** Opens a table; then suggests and sets a task when a model is there. */
  openData(source: DataSource, options?: ReadOptions, wish?: TaskWish): Promise<boolean>;
  setTask(settings: TaskSettings): Promise<boolean>;
  /** Breaks off the reading or tokenising that goes on; the table and the task in use stay. */
  stopReading(): Promise<void>;
  mend(findingId: string): Promise<boolean>;
  undoMend(): Promise<boolean>;
  /** Shows progress while `work` runs; errors go to the notices. Undefined when it failed. */
  attempt<T>(work: (onProgress: OnProgress) => Promise<T>, retry?: () => void): Promise<T | undefined>;
}

/**
 * The sample on which the built-in family learns most visibly: from chance to three in four within a hundred steps, and two
 * labels fit beside each other on a small screen.
 */
const DEFAULT_SAMPLE = 'fact-or-opinion';
const NO_DEVICE = new Set(['no-webgpu', 'no-adapter', 'limit-too-small']);

export function createSession(engine: Engine, notices: Notices, evaluations: Evaluations) {
  return createStore<SessionState>()((set, get) => {
    const { fail } = notices.getState();
    /** Counts changes of task, so that a slow baseline of an older task is dropped. */
    let taskGeneration = 0;

    const attempt: SessionState['attempt'] = async (work, retry) => {
      // Progress comes by another port than the result, and its last message may come after it.
      let over = false;
      try {
        return await work((progress) => {
          if (!over) set({ progress });
        });
      } catch (error) {
        const report = asReport(error);
        if (NO_DEVICE.has(report.code)) set({ phase: 'no-device', deviceError: report });
        else fail(report, retry && { label: 'Try again', run: retry });
        return undefined;
      } finally {
        over = true;
        set({ progress: undefined });
      }
    };

    const settle = () => {
      const { model, task, phase } = get();
      if (phase !== 'no-device') set({ phase: model && task ? 'ready' : 'waiting' });
    };

    /** Takes a new task report in; everything measured on the old task is dropped and the baselines are measured anew. */
    const adopt = async (task: TaskReport) => {
      const generation = ++taskGeneration;
      evaluations.getState().forget();
      set({ task, baselines: {}, phase: 'baselines' });
      await attempt(async (onProgress) => {
        const { evaluate } = evaluations.getState();
        for (const [kind, name] of [
          ['none', 'untuned'],
          ['written', 'written'],
        ] as const) {
          if (kind === 'written' && !task.settings.writtenPrompt) continue;
          const { accuracy } = await evaluate({ kind }, 'dev', 'rank', onProgress);
          if (generation !== taskGeneration) return;
          set((s) => ({ baselines: { ...s.baselines, [name]: accuracy } }));
        }
      });
      if (generation === taskGeneration) settle();
    };

    /** Sets the task that the data suggests, or keeps the person's own settings when only the model changed. */
    const setSuggested = async ({ settings, wish }: { settings?: TaskSettings; wish?: TaskWish } = {}) => {
      const suggest = (roles?: Roles) => attempt(() => engine.suggestTask(roles));
      const plain = await suggest();
      if (plain) set({ suggested: plain });
      const suggested = wish?.roles ? ((await suggest(wish.roles)) ?? plain) : plain;
      const choose = (chosen: TaskSettings | undefined) =>
        chosen && attempt((onProgress) => engine.setTask(chosen, onProgress));
      /** What a link asks for may not suit these rows: that is said, and the suggestion stands. */
      const tryWish = (asked: TaskWish) =>
        suggested &&
        attempt(async (onProgress) => {
          try {
            return await engine.setTask(withWish(suggested, asked), onProgress);
          } catch (error) {
            const { message } = asReport(error);
            notices.getState().toast(`${message} The link’s task was left out; the suggested one stands.`);
            return undefined;
          }
        });
      const task = (wish && !settings && (await tryWish(wish))) || (await choose(settings ?? plain));
      if (task) await adopt(task);
      else settle();
      return task !== undefined;
    };

    /** A choice of earlier in this visit stands, unless the link says otherwise or its engine is gone. */
    const openDevice = async (wished?: EngineWish): Promise<DeviceReport> => {
      const kept = wished ? undefined : rememberedEngine();
      if (!kept) return engine.openDevice(wished ?? 'auto');
      try {
        return { ...(await engine.openDevice(kept.engine)), choice: kept };
      } catch {
        return engine.openDevice('auto');
      }
    };

    return {
      phase: 'opening',
      comparing: false,
      models: [],
      samples: [],
      baselines: {},
      attempt,

      async begin(wish = {}) {
        const opened = await attempt(
          async () => {
            const device = await openDevice(wish.engine);
            set({ device, deviceError: undefined, phase: 'opening' });
            const [models, samples] = await Promise.all([engine.listModels(), engine.listSamples()]);
            set({ models, samples });
            return true;
          },
          () => void get().begin(wish),
        );
        if (!opened) return;
        const { models, samples } = get();
        const lacking = [
          wish.model && !models.some((card) => card.id === wish.model) && `no model “${wish.model}”`,
          wish.sample && !samples.some((card) => card.id === wish.sample) && `no sample “${wish.sample}”`,
        ].filter(Boolean);
        if (lacking.length)
          notices
            .getState()
            .toast(`There is ${lacking.join(' and ')} here; the default stands in its place.`);
        const model =
          models.find((card) => card.id === wish.model) ?? models.find((card) => card.isDefault) ?? models[0];
        if (model && !(await get().loadModel({ kind: 'builtin', id: model.id }))) return;
        const sample =
          samples.find((card) => card.id === wish.sample) ??
          samples.find((card) => card.id === DEFAULT_SAMPLE) ??
          samples[0];
        if (sample) await get().openData({ kind: 'sample', id: sample.id }, {}, wish.task);
        else settle();
      },

      async switchEngine(name) {
        try {
          const device = await engine.openDevice(name);
          set({ device });
          rememberEngine(device.choice);
          putIntoAddress(device.engine);
          return true;
        } catch (error) {
          // What was open before goes on.
          fail(error);
          return false;
        }
      },

      async compareEngines(recipe) {
        if (get().comparing) return;
        set({ comparing: true });
        try {
          const device = await engine.compareEngines(recipe);
          if (!device) return;
          set({ device });
          rememberEngine(device.choice);
        } catch (error) {
          fail(error);
        } finally {
          set({ comparing: false });
        }
      },

      async loadModel(source, options) {
        set({ phase: 'model' });
        const model = await attempt(
          (onProgress) => engine.loadModel(source, onProgress, options),
          () => void get().loadModel(source, options),
        );
        if (!model) {
          settle();
          return false;
        }
        const settings = get().task?.settings;
        set({ model, modelSource: source, task: undefined, baselines: {} });
        evaluations.getState().forget();
        if (get().data) await setSuggested({ settings });
        else settle();
        return true;
      },

      async openData(source, options = {}, wish = undefined) {
        set({ phase: 'data', stopped: false });
        const data = await attempt(
          (onProgress) => engine.openData(source, options, onProgress),
          () => void get().openData(source, options, wish),
        );
        if (!data) {
          settle();
          return false;
        }
        taskGeneration++;
        set({ data, dataSource: source, task: undefined, suggested: undefined, baselines: {} });
        evaluations.getState().forget();
        if (get().model) return setSuggested({ wish });
        settle();
        return true;
      },

      async setTask(settings) {
        set({ stopped: false });
        const task = await attempt((onProgress) => engine.setTask(settings, onProgress));
        if (task) await adopt(task);
        return task !== undefined;
      },

      async stopReading() {
        set({ stopped: true });
        await engine.cancelData().catch(fail);
      },

      async mend(findingId) {
        const task = await attempt(() => engine.mend(findingId));
        if (task) await adopt(task);
        return task !== undefined;
      },

      async undoMend() {
        const task = await attempt(() => engine.undoMend());
        if (task) await adopt(task);
        return task !== undefined;
      },
    };
  });
}

export type Session = ReturnType<typeof createSession>;

/** Stations with a tick: what is there and usable. */
export function readyStations(state: SessionState): { model: boolean; data: boolean } {
  return { model: state.model !== undefined, data: state.task !== undefined };
}
