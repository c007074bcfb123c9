/**
 * The one error that is meant for a person. Its message has three parts: what happened, where (file, row, tensor), and what
 * to do now. `code` is for programs: the studio picks its page by it, tests assert on it.
 */
export class PreludeError extends Error {
  override readonly name = 'PreludeError';
  readonly code: ErrorCode;
  /** What to press or change now, in one sentence. */
  readonly remedy: string;
  /** Where: a file's name, a row, a tensor. */
  readonly where: string | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options: { remedy: string; where?: string; cause?: unknown },
  ) {
    super(message, { cause: options.cause });
    this.code = code;
    this.remedy = options.remedy;
    this.where = options.where;
  }
}

/** Kinds of failure a person can do something about. */
export type ErrorCode =
  /** No WebGPU in this browser, no adapter, or a limit that is too small. */
  | 'no-webgpu'
  | 'no-adapter'
  | 'limit-too-small'
  | 'out-of-memory'
  | 'device-lost'
  /** A shader that this device refuses: our mistake, reported with its text. */
  | 'shader'
  /** Files: not what they claim to be. */
  | 'bad-table'
  | 'bad-weights'
  | 'bad-config'
  | 'bad-tokenizer'
  | 'bad-prompt'
  | 'download'
  /** The data cannot be used for the task as it is set. */
  | 'bad-labels'
  | 'bad-template'
  | 'bad-recipe'
  | 'bad-card'
  /** A model or a prompt that does not fit the other. */
  | 'unsupported-model'
  | 'prompt-mismatch'
  /** The loss became NaN or infinite. */
  | 'non-finite-loss'
  | 'storage'
  | 'cancelled';

/** Plain data of an error, to cross from the worker to the page. */
export interface ErrorReport {
  code: ErrorCode | 'unexpected';
  message: string;
  remedy: string;
  where?: string;
}

/** An error as plain data; what is no `PreludeError` becomes `unexpected` with a request to report it. */
export function reportError(error: unknown): ErrorReport {
  if (error instanceof PreludeError)
    return { code: error.code, message: error.message, remedy: error.remedy, where: error.where };
  return {
    code: 'unexpected',
    message: error instanceof Error ? error.message : String(error),
    remedy: 'This is a mistake in Prelude. Reload the page; if it happens again, report it with this text.',
  };
}
