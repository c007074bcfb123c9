/** The part of the protocol that is about what a step costs, kernel by kernel; `protocol.ts` is the door to it. */

/** One training step on the loaded model and task, every dispatch timed, in the order in which they ran. */
export interface StepProfile {
  /** `Apple M2`, as the browser names the adapter. */
  adapter: string;
  /**
   * `timestamps`: the device's own clock (browsers round it, often to 100 microseconds). `submissions`: each dispatch sent alone
   * and waited for, since the device has no clock to read: short ones then count for too much.
   */
  clock: 'timestamps' | 'submissions';
  /** The two roofs of this adapter, measured in the same minute: f32 products, and bytes read and written by a copy. */
  ceiling: { gflops: number; gbytesPerSecond: number };
  batch: {
    /** Examples of the batch, and of them how many were on the device at once and are timed here. */
    examples: number;
    timed: number;
    /** Rows the model computed: real tokens and virtual ones, no padding. */
    tokens: number;
    /** Sizes by the letters that shapes are written in: T, S, D, N, P ... */
    sizes: Record<string, number>;
  };
  /** An ordinary step of these examples, nothing timed inside it. */
  stepMs: number;
  /** From the first dispatch's begin to the last one's end, and the sum of their own times. */
  spanUs: number;
  busyUs: number;
  dispatches: ProfiledDispatch[];
  /** Every shader once, by `ProfiledDispatch.source`, with the kernels that run it. */
  sources: { kernels: string[]; code: string }[];
}

/** `recompute`: a forward pass done again on the way back, to save memory. */
export type StepPart = 'forward' | 'recompute' | 'backward' | 'update';

export interface ProfiledDispatch {
  /** `matmul/nt`, `attention/forward`, ... */
  kernel: string;
  /** What it computes: `encoder.0.qkv`; on the way back the forward result whose gradient this is a part of. */
  node: string;
  /** Undefined for what belongs to no layer: embedding, head, loss, update. */
  layer?: { stack: 'encoder' | 'decoder'; index: number };
  part: StepPart;
  tensors: ProfiledTensor[];
  workgroups: [x: number, y: number, z: number];
  /** Index into `StepProfile.sources`. */
  source: number;
  /** Microseconds since the first dispatch began. */
  startUs: number;
  durationUs: number;
  /** What the arithmetic needs at least: a multiply and an add are two. */
  flops: number;
  bytes: number;
  /** Which roof is nearer, and how much of it was reached: 1 is all that this adapter gives. Undefined where it took no measurable time. */
  roof: 'compute' | 'memory';
  roofShare?: number;
}

export interface ProfiledTensor {
  name: string;
  /** Rows and columns in this batch. */
  shape: [rows: number, cols: number];
  dtype: string;
  kind: 'weight' | 'input' | 'state' | 'activation';
  written: boolean;
}
