/** The parts of the protocol that are about the inside of prompts, and about several of them on one model. */
import type { LabelScore, OnProgress, PromptRef } from './protocol.ts';

// ---------------------------------------------------------------- inside a prompt

/** Words of the vocabulary on the plane that shows most of their differences (PCA). */
export interface VocabularyMap {
  /** Words that are drawn, of all ordinary ones: an even draw over the vocabulary's order of frequency. */
  words: string[];
  of: number;
  /** [words, 2] */
  xy: Float32Array;
  /** [words] L2 norms. */
  norms: Float32Array;
  /** Share of the words' variance along each axis, 0 to 1. */
  explained: [number, number];
  /** The words that the task answers with, with their places. */
  labels: { label: string; word: string; x: number; y: number; norm: number }[];
}

/** A prompt's way on that plane. */
export interface PromptTrail {
  /** P */
  length: number;
  /** Steps whose prompt is kept, ascending; one for a kept prompt. */
  steps: number[];
  /** [steps, P, 2] */
  xy: Float32Array;
  /** [steps, P] L2 norms. */
  norms: Float32Array;
  /** [steps] The part of the prompt's squared distance from the words' middle that the plane shows, 0 to 1. */
  shown: Float32Array;
}

export interface LeaveOneOut {
  /** Dev rows read, the same for every virtual token. */
  n: number;
  whole: { loss: number; accuracy: number };
  tokens: {
    loss: number;
    accuracy: number;
    /** Mean over the rows of loss without this token less loss with all, and the standard error of that mean. */
    change: number;
    error: number;
  }[];
}

export interface AttentionRows {
  /** Row of the block's tokens that asks first; the others follow it. */
  first: number;
  count: number;
  /** [count, P, heads] softmax weights; the rest to 1 went to other rows. */
  weights: Float32Array;
}

export interface AttentionToPrompt {
  /** P */
  length: number;
  heads: number;
  /** The label whose words stand for the answer: the likeliest. */
  label: string;
  blocks: {
    /** Who looks: the encoder's input, the decoder through cross-attention, or all rows of a decoder alone. */
    of: 'encoder' | 'cross' | 'causal';
    tokens: string[];
    /** Rows that a row of this block can see at most; of them P are the prompt's. */
    seen: number;
    layers: AttentionRows[];
  }[];
}

export interface InsideEngine {
  vocabularyMap(): Promise<VocabularyMap>;
  promptTrail(prompt: PromptRef): Promise<PromptTrail>;
  /** Dev loss and accuracy with each virtual token removed. Rejects `cancelled` after `stopMeasuring`. */
  leaveOneOut(prompt: PromptRef, options: { rows: number }, onProgress: OnProgress): Promise<LeaveOneOut>;
  /** Rejects `no-webgpu` on the ONNX engine, which keeps no attention. */
  attention(prompt: PromptRef, text: string, text2: string | undefined): Promise<AttentionToPrompt>;
  /** Ends `leaveOneOut`, `vote` and `slide` that are going on. */
  stopMeasuring(): Promise<void>;
}

// ---------------------------------------------------------------- several prompts on one model

/** What is known of a prompt besides its numbers. */
export interface PromptDescription {
  prompt: PromptRef;
  name: string;
  length: number;
  bytes: number;
  labels: string[];
  template: string;
  /** Rows of its own dev set, where it is a run's. */
  examples: { text: string; text2?: string; label: string }[];
}

export interface TogetherReport {
  /** One for each text, in their order; `tokens` are those of the text in its template. */
  answers: { label: string; scores: LabelScore[]; tokens: number }[];
  /** Forward passes that read all texts: one, while they fit a batch. */
  passes: { examples: number; prompts: number; rows: number }[];
  milliseconds: number;
  /** Largest difference of a probability from the same text read alone. */
  difference: number;
}

export interface Share {
  accuracy: number;
  /** Wilson's 95% interval. */
  low: number;
  high: number;
}

export interface VoteReport {
  part: 'dev' | 'test';
  n: number;
  labels: string[];
  members: (Share & { prompt: PromptRef })[];
  /** Mean of the members' accuracies. */
  average: number;
  /** The label that most members answer; of equal ones the one with the larger mean probability. */
  majority: Share;
  /** The label with the largest mean probability. */
  mean: Share;
  outcomes: {
    row: number;
    text: string;
    text2?: string;
    label: string;
    /** Each member's answer and its probability. */
    votes: { label: string; probability: number }[];
    majority: string;
    mean: string;
  }[];
}

export interface SlidePoint {
  /** 0: all of the first prompt, 1: all of the second. */
  at: number;
  loss: number;
  accuracy: number;
}

export interface SlideReport {
  n: number;
  points: SlidePoint[];
}

export interface TogetherEngine {
  describePrompts(prompts: PromptRef[]): Promise<PromptDescription[]>;
  /** Reads texts of several tasks, each under its own prompt and template, in one batch. */
  readTogether(items: { prompt: PromptRef; text: string; text2?: string }[]): Promise<TogetherReport>;
  /**
   * Several prompts answer the same rows of the task that is set, all in one batch (Lester et al. 2021, section 6). Rejects
   * `prompt-mismatch` for a prompt with other labels, `cancelled` after `stopMeasuring`.
   */
  vote(prompts: PromptRef[], part: 'dev' | 'test', onProgress: OnProgress): Promise<VoteReport>;
  /** (1 - a) A + a B: dev loss and accuracy at `points` places. Rejects `prompt-mismatch` where the lengths differ. */
  slide(
    from: PromptRef,
    to: PromptRef,
    options: { points: number; rows: number },
    onProgress: OnProgress,
  ): Promise<SlideReport>;
  /** The labels' scores of one text at the same places, in one batch. */
  slideText(
    from: PromptRef,
    to: PromptRef,
    text: string,
    text2: string | undefined,
    points: number,
  ): Promise<LabelScore[][]>;
}
