/** The part of the protocol that is about models of hubs; `protocol.ts` is the door to it. */

import type { Precision } from '../models/index.ts';

/** A model of the Hugging Face Hub or a mirror of it. */
export interface HubSource {
  kind: 'hub';
  /** `owner/name`, `owner/name@revision`, or the address of its page or of one of its files. */
  id: string;
  /** A branch, a tag or a commit; default `main`. */
  revision?: string;
  /** One GGUF file of the model, where it has several. */
  file?: string;
  /** For private and gated models. Kept by the page for the session only; sent to this hub's host and nowhere else. */
  token?: string;
  /** A mirror's address; default https://huggingface.co. */
  baseUrl?: string;
}

/** What a hub has of a model, before anything is downloaded. */
export interface HubReport {
  /** That of its card among the kept models, once it is there. */
  key: string;
  /** `owner/name` */
  id: string;
  revision: string;
  /** The commit that the revision is now. */
  commit: string;
  /** What would be downloaded; empty where one of `choices` must be chosen first. */
  files: { path: string; bytes: number }[];
  downloadBytes: number;
  /** GGUF files, smallest first. */
  choices: { path: string; bytes: number }[];
}

/** A model of a hub that is kept in this browser, whole or in part. */
export interface CachedModelCard {
  /** For `deleteCachedModel`. */
  id: string;
  /** `owner/name`, and the GGUF file if it is one. */
  title: string;
  /** Loads it again; a model that is whole without asking the hub. */
  source: HubSource;
  commit: string;
  bytes: number;
  totalBytes: number;
  complete: boolean;
  /** It is loaded, so it cannot be deleted. */
  inUse: boolean;
  /** ISO 8601. */
  usedAt: string;
}

export interface CachedModels {
  models: CachedModelCard[];
  /** What all of Prelude takes in this browser, and may take, as far as the browser says. */
  usedBytes?: number;
  quotaBytes?: number;
  /** False where this browser keeps no files: downloads go with the page. */
  lasting: boolean;
}

/** What a model needs at one precision. */
export interface PrecisionNeed {
  precision: Precision;
  weightBytes: number;
  /** The largest matrix, which must go into one buffer. */
  largestBytes: number;
  /** Whether each matrix goes into one buffer of this device. */
  fits: boolean;
  /** Examples on the device at once, a power of two up to 1,024; 0 where not even one has room. */
  largestBatch: number;
  /** Activations of a step of up to 16 examples. */
  activationBytes: number;
}

/** What a model is and needs here, read off its config and the tables of contents of its weights: no tensor is read for it. */
export interface ModelNeeds {
  family: string;
  parameters: number;
  width: number;
  vocabSize: number;
  layers: [encoder: number, decoder: number];
  /** Formats of its matrices as published, the one with most bytes first: `BF16`, `Q4_1`. */
  storedAs: string[];
  /** The largest first. */
  precisions: PrecisionNeed[];
  recommended: Precision;
  /** `room`: the first with room; `least`: none has room for sure, so the smallest. */
  why: 'room' | 'least';
  /** What weights and a step may take together; a browser does not tell how much memory a graphics device has. */
  assumedBytes: number;
  /** What the step was taken to be. */
  task: { promptLength: number; tokens: number };
}
