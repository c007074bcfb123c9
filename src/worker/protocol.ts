/**
 * The one typed protocol between the page and the engine's worker. All of it is plain data that a structured clone carries;
 * callbacks cross as Comlink proxies. Errors reject with an `ErrorReport` (see `src/errors.ts`).
 */
import type { ErrorReport } from '../errors.ts';
import type { Precision } from '../models/index.ts';
import type { Recipe } from '../tuning/recipe.ts';
import type {
  DataReport,
  DataSource,
  ReadOptions,
  Roles,
  RowPage,
  RowQuery,
  SampleCard,
  TaskReport,
  TaskSettings,
  TokenView,
} from './dataProtocol.ts';
import type { Deployments } from './deployProtocol.ts';
import type { EngineSwitch } from './engineProtocol.ts';
import type { CachedModels, HubReport, HubSource, ModelNeeds } from './hubProtocol.ts';
import type { InsideEngine, TogetherEngine } from './insideProtocol.ts';
import type { Opinions } from './opinionProtocol.ts';
import type { StepProfile } from './profileProtocol.ts';
import type { Trials } from './trialProtocol.ts';

export type { Precision } from '../models/index.ts';
export type { DeploymentReport, ExportedBlob } from './deployProtocol.ts';
export type { DeviceReport, EngineChoice, EngineName, EngineTime, EngineWish } from './engineProtocol.ts';
export type * from './hubProtocol.ts';
export type * from './insideProtocol.ts';
export type { OpinionDifference, SecondOpinionReport } from './opinionProtocol.ts';
export type { ProfiledDispatch, ProfiledTensor, StepPart, StepProfile } from './profileProtocol.ts';
export type { ProbeReport, RatePoint, RateSweep } from './trialProtocol.ts';

/** Progress of anything that takes longer than a second. */
export interface Progress {
  what: string;
  done: number;
  total: number;
  unit: 'bytes' | 'rows' | 'examples' | 'steps' | 'pipelines';
  /** Seconds left at the present speed; undefined until there is a speed. */
  secondsLeft?: number;
  perSecond?: number;
}
export type OnProgress = (progress: Progress) => void;

// ---------------------------------------------------------------- model

/** A built-in model, known before it is loaded. */
export interface ModelCard {
  id: string;
  title: string;
  goodFor: string;
  parameters: number;
  downloadBytes: number;
  width: number;
  layers: [encoder: number, decoder: number];
  isDefault: boolean;
}

export type ModelSource = { kind: 'builtin'; id: string } | { kind: 'files'; files: File[] } | HubSource;

export interface LoadOptions {
  /** Brings f32, f16 and bf16 matrices to blocks of 8 or 4 bits while they are loaded. Default `stored`: as they come. */
  precision?: Precision;
}

export interface ModelReport {
  id: string;
  title: string;
  family: string;
  fingerprint: string;
  parameters: number;
  /** d: width of the embedding, and of each virtual token. */
  width: number;
  vocabSize: number;
  heads: number;
  layers: [encoder: number, decoder: number];
  weightBytes: number;
  /** How its matrices are kept. */
  precision: Precision;
  /** Seconds: reading, uploading, and compiling. */
  seconds: { read: number; upload: number };
}

// ---------------------------------------------------------------- data

export type {
  DataReport,
  DataSource,
  Finding,
  LabelReport,
  ReadOptions,
  Roles,
  RowPage,
  RowQuery,
  SampleCard,
  TaskReport,
  TaskSettings,
  TokenView,
} from './dataProtocol.ts';

// ---------------------------------------------------------------- prompts, runs

export type PromptRef =
  | { kind: 'none' }
  /** The task's written prompt, or the one given. */
  | { kind: 'written'; template?: string }
  | { kind: 'run'; run: string; which: 'best' | 'current' }
  | { kind: 'saved'; id: string };

export interface RunPlan {
  /** Predicted peak of GPU memory in bytes: weights, activations, all. */
  bytes: { weights: number; activations: number; total: number; largest: number };
  /** Bytes that a run keeps to: WebGPU does not tell how much there is. `buffer`: what the device allows one buffer. */
  budget: { activations: number; buffer: number };
  microBatch: number;
  /** Layers that are run a second time on the way back, because what they leave would not fit. */
  recompute: number;
  /** The largest batch that fits at once. */
  largestBatch: number;
  /** Trainable and frozen numbers. */
  learned: number;
  frozen: number;
}

export type RunState = 'starting' | 'running' | 'paused' | 'stopped' | 'finished' | 'failed';

export interface StepRecord {
  step: number;
  loss: number;
  /** L2 norm of the prompt's gradient. */
  gradNorm: number;
}

export interface EvalRecord {
  step: number;
  accuracy: number;
  loss: number;
  best: boolean;
}

/** Numbers the scene is drawn from, at most ten times a second. */
export interface SceneFrame {
  step: number;
  /** Per virtual token: L2 norm of its gradient, and distance moved from its start. */
  tokenGrad: Float32Array;
  tokenMoved: Float32Array;
  /** L2 norm of d loss / d (residual stream entering each layer), first layer first. */
  encoderGrad: Float32Array;
  decoderGrad: Float32Array;
}

export interface RunSummary {
  id: string;
  name: string;
  state: RunState;
  recipe: Recipe;
  modelId: string;
  modelTitle: string;
  dataName: string;
  step: number;
  steps: StepRecord[];
  evals: EvalRecord[];
  /** Seconds spent stepping. */
  seconds: number;
  learned: number;
  test?: { accuracy: number; low: number; high: number; n: number };
  /** Another day's run whose checkpoint waits in this browser. */
  resumable: boolean;
  error?: ErrorReport;
}

export type RunEvent =
  | { type: 'state'; state: RunState; step: number }
  | {
      type: 'steps';
      records: StepRecord[];
      stepsPerSecond: number;
      tokensPerSecond: number;
      secondsLeft: number;
      gpuBytes: number;
    }
  | { type: 'scene'; frame: SceneFrame }
  | { type: 'eval'; record: EvalRecord }
  | { type: 'progress'; progress: Progress }
  | { type: 'notice'; code: NoticeCode; message: string; remedy: string }
  | { type: 'failed'; error: ErrorReport; lastGoodStep: number }
  | { type: 'finished'; reason: 'steps' | 'patience' | 'stopped'; bestStep: number };

export type NoticeCode =
  | 'one-label'
  | 'rate-too-large'
  | 'rate-too-small'
  | 'overfitting'
  | 'software-adapter'
  | 'tab-hidden'
  | 'recovered';

export interface LabelScore {
  label: string;
  /** log p(verbalizer | input), summed over its tokens. */
  logLikelihood: number;
  /** Softmax of the log-likelihoods over the labels. */
  probability: number;
}

export interface Prediction {
  prompt: PromptRef;
  scores: LabelScore[];
  label: string;
  /** Free greedy decoding, where it was asked for. */
  generated?: string;
}

export interface ClassReport {
  label: string;
  precision: number;
  recall: number;
  f1: number;
  support: number;
}

export interface Evaluation {
  prompt: PromptRef;
  part: 'dev' | 'test';
  n: number;
  accuracy: number;
  /** Wilson's 95% interval. */
  low: number;
  high: number;
  macroF1: number;
  classes: ClassReport[];
  labels: string[];
  /** [true label][predicted label]; with free decoding the last column counts answers that are no label. */
  confusion: number[][];
  majority: { label: string; accuracy: number };
  /** Every example's outcome, in the part's order. */
  outcomes: {
    row: number;
    text: string;
    text2?: string;
    label: string;
    predicted: string;
    probability: number;
    generated?: string;
  }[];
}

export interface TokenNeighbours {
  /** Nearest vocabulary words per virtual token, by cosine. */
  tokens: { norm: number; moved: number; startedFrom?: string; words: { word: string; cosine: number }[] }[];
  /** Best cosine that a random vector finds: mean and 95th percentile over seeded draws. */
  random: { mean: number; p95: number };
}

export interface SavedPrompt {
  id: string;
  name: string;
  length: number;
  width: number;
  modelName: string;
  modelFingerprint: string;
  createdAt: string;
  labels: string[];
  accuracy?: number;
  /** Whether it fits the model that is loaded; the reason where it does not. */
  fits: boolean;
  reason?: string;
  notes: string[];
}

export type ExportFormat = 'peft' | 'npy' | 'json';
export interface ExportedFile {
  name: string;
  type: string;
  bytes: Uint8Array<ArrayBuffer>;
}

// ---------------------------------------------------------------- the engine

export interface Engine extends Deployments, EngineSwitch, Opinions, Trials, InsideEngine, TogetherEngine {
  listModels(): Promise<ModelCard[]>;
  /** Replaces the model that is loaded. */
  loadModel(source: ModelSource, onProgress: OnProgress, options?: LoadOptions): Promise<ModelReport>;
  /** Ends the reading or downloading that `loadModel` is at: it rejects `cancelled`. What has arrived from a hub is kept. */
  cancelLoad(): Promise<void>;
  /** Rejects `download` with what to do: no such model, private or gated, no connection. */
  lookUpHub(source: HubSource): Promise<HubReport>;
  /**
   * What a model needs here, before it is downloaded or read: of a hub's files only configs and tables of contents are fetched.
   * Rejects `unsupported-model` by name, `bad-config`, `bad-weights`, `download`.
   */
  inspectModel(source: HubSource | { kind: 'files'; files: File[] }): Promise<ModelNeeds>;
  cachedModels(): Promise<CachedModels>;
  /** Rejects `storage` for the model that is being downloaded or was loaded last. */
  deleteCachedModel(id: string): Promise<void>;

  listSamples(): Promise<SampleCard[]>;
  openData(source: DataSource, options: ReadOptions, onProgress: OnProgress): Promise<DataReport>;
  /**
   * What a task looks like before anybody changes it: default template, the sample's own verbalizers, and the guessed roles
   * or those given (when a person chooses another column, its labels want other words).
   */
  suggestTask(roles?: Roles): Promise<TaskSettings>;
  /** Breaks off the `openData` or `setTask` that goes on: it rejects `cancelled`, and what was there before stays. */
  cancelData(): Promise<void>;
  /** Tokenises and splits; needs a model and data. */
  setTask(settings: TaskSettings, onProgress: OnProgress): Promise<TaskReport>;
  mend(findingId: string): Promise<TaskReport>;
  undoMend(): Promise<TaskReport>;
  rows(query: RowQuery): Promise<RowPage>;
  readRow(row: number): Promise<TokenView>;
  readText(text: string, text2?: string): Promise<TokenView>;

  planRun(recipe: Recipe): Promise<RunPlan>;
  /** Times every dispatch of one training step. Rejects `bad-recipe` while a run is going, `no-webgpu` where ONNX Runtime trains. */
  profileStep(recipe: Recipe): Promise<StepProfile>;
  /** Starts a run; events come until it has finished, failed or been stopped. One run at a time. */
  startRun(
    recipe: Recipe,
    onEvent: (event: RunEvent) => void,
    options: { paused: boolean },
  ): Promise<RunSummary>;
  /** Takes up a run of an earlier visit from its checkpoint (same model and data loaded). */
  resumeRun(run: string, onEvent: (event: RunEvent) => void): Promise<RunSummary>;
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** One step, then paused. */
  step(): Promise<void>;
  stop(): Promise<void>;
  runs(): Promise<RunSummary[]>;
  renameRun(run: string, name: string): Promise<void>;
  deleteRun(run: string): Promise<void>;

  /** Dev or test accuracy of a prompt, or of no prompt; of more than 500 dev rows a fixed draw of 500. While a run is going it waits for a gap between two steps. */
  evaluate(
    prompt: PromptRef,
    part: 'dev' | 'test',
    options: { decoding: 'rank' | 'greedy' },
    onProgress: OnProgress,
  ): Promise<Evaluation>;
  /** Ends the evaluation of this prompt and part within a batch: it rejects `cancelled`. */
  stopEvaluation(prompt: PromptRef, part: 'dev' | 'test'): Promise<void>;
  /** Label scores of one text under several prompts. */
  predict(
    text: string,
    text2: string | undefined,
    prompts: PromptRef[],
    options: { generate: boolean },
  ): Promise<Prediction[]>;
  /** `step`: as a run's prompt was then (see `promptTrail`). */
  neighbours(prompt: PromptRef, count: number, step?: number): Promise<TokenNeighbours>;

  savedPrompts(): Promise<SavedPrompt[]>;
  /** Keeps a run's best prompt in this browser. */
  savePrompt(run: string, name: string): Promise<SavedPrompt>;
  renamePrompt(id: string, name: string): Promise<void>;
  /** Deleted prompts can be brought back until the page is closed. */
  deletePrompt(id: string): Promise<void>;
  restorePrompt(id: string): Promise<void>;
  exportPrompt(prompt: PromptRef, format: ExportFormat): Promise<ExportedFile>;
  /** The Python that predicts with that file, to lie beside it; the PEFT zip holds it already. */
  exportScript(prompt: PromptRef, format: ExportFormat): Promise<ExportedFile>;
  /** Reads a prompt file (or adapter_config.json with adapter_model.safetensors) and keeps it. Rejects `bad-prompt`, `prompt-mismatch`. */
  importPrompt(files: File[]): Promise<SavedPrompt>;
}
