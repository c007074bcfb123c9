/** JSON as `JSON.parse` gives it. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** The frozen model that a prompt was learned on. */
export interface PromptModel {
  /** A hub id or a title, for people and for PEFT's `base_model_name_or_path`. */
  name: string;
  /** Hash of the weights: tells two editions of one name apart. Empty where it is not known. */
  fingerprint: string;
  /** `model_type` of the model's config.json: `t5`, `llama`, `gpt2`, ... */
  family: string;
  /** d: width of the embedding. */
  width: number;
  vocabSize: number;
  /** Layers and heads of the encoder where there is one (what PEFT writes for T5), else of the decoder. */
  numLayers: number;
  numHeads: number;
}

/** What the model is asked with this prompt: enough to predict on another day. */
export interface PromptTask {
  /** Placeholders `{text}`, `{text2}`. */
  template: string;
  /** The written prompt that the soft prompt was compared with. */
  writtenPrompt?: string | undefined;
  /** Columns of the table it was learned on. */
  roles?: { text: string; text2?: string | undefined; label: string } | undefined;
  /** Each label and its verbalizer: the words that the model answers with. */
  labels: { label: string; text: string }[];
  /** The answer ends in `</s>`, and its score counts it. */
  appendEos: boolean;
  /** What stands between input and answer: a space for decoders whose tokens carry it. Default: nothing. */
  answerPrefix?: string | undefined;
}

/** Fractions are 0 to 1. Keys beyond these are kept as they come. */
export interface PromptMetrics {
  devAccuracy?: number;
  devLoss?: number;
  testAccuracy?: number;
  /** Wilson's 95% interval of `testAccuracy`. */
  testLow?: number;
  testHigh?: number;
  testExamples?: number;
  macroF1?: number;
  majorityAccuracy?: number;
  untunedAccuracy?: number;
  [other: string]: number | undefined;
}

/** A learned soft prompt (Lester et al. 2021) with all that is needed to use it again. */
export interface SoftPrompt {
  name: string;
  /** P: number of virtual tokens. */
  length: number;
  /** d: width of each. */
  width: number;
  /** [P, d], row-major, every entry finite. */
  values: Float32Array;
  model: PromptModel;
  recipe?: Json | undefined;
  task?: PromptTask | undefined;
  metrics?: PromptMetrics | undefined;
  /** ISO 8601. */
  createdAt: string;
  /** Training steps behind these values. */
  step: number;
}

/** What a prompt file tells of its model; each part may be missing. */
export type ModelHint = Partial<PromptModel> & {
  /** From PEFT's `task_type`: `SEQ_2_SEQ_LM` or `CAUSAL_LM`. */
  encoderDecoder?: boolean;
};

/** A prompt read from a file. What the file does not tell is absent, and named in `unknown`. */
export interface ImportedPrompt {
  source: 'peft' | 'safetensors' | 'npy' | 'json';
  name: string;
  length: number;
  width: number;
  /** [P, d], row-major, every entry finite. */
  values: Float32Array;
  model: ModelHint;
  recipe?: Json | undefined;
  task?: PromptTask | undefined;
  metrics?: PromptMetrics | undefined;
  createdAt?: string | undefined;
  step?: number | undefined;
  /** What was converted, taken or left out, a sentence each. */
  notes: string[];
  unknown: ('model' | 'task' | 'recipe' | 'metrics')[];
}

/** A file as a drop or a file dialog gives it. */
export interface PromptFile {
  name: string;
  data: Blob | Uint8Array;
}

/** A file in memory. */
export interface NamedBytes {
  name: string;
  bytes: Uint8Array;
}
