/** The part of the protocol that is about models of hubs; `protocol.ts` is the door to it. */

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
