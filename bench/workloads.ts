/** The fixed workloads of the step benchmark, with random frozen weights, and what a step of each needs at least. */
import type { Precision } from '../src/models/index.ts';
import type { BatchExample } from '../src/tuning/index.ts';
import { planAnswers } from '../src/tuning/index.ts';
import type { TensorInfo, WeightFile } from '../src/weights/index.ts';

export interface T5Shape {
  kind: 't5';
  vocab: number;
  dModel: number;
  heads: number;
  dHead: number;
  dFf: number;
  encoderLayers: number;
  decoderLayers: number;
}

export interface LlamaShape {
  kind: 'llama';
  vocab: number;
  dModel: number;
  heads: number;
  kvHeads: number;
  dHead: number;
  dFf: number;
  layers: number;
}

export interface Workload {
  name: string;
  about: string;
  shape: T5Shape | LlamaShape;
  /** How the weights are kept; default f32, as they are made. */
  precision?: Precision;
  prompt: number;
  /** Tokens of each example's input and target. */
  examples: { input: number; target: number }[];
}

const W1_SHAPE: T5Shape = {
  kind: 't5',
  vocab: 8192,
  dModel: 192,
  heads: 6,
  dHead: 32,
  dFf: 384,
  encoderLayers: 4,
  decoderLayers: 4,
};
const W2_SHAPE: LlamaShape = {
  kind: 'llama',
  vocab: 49_152,
  dModel: 576,
  heads: 9,
  kvHeads: 3,
  dHead: 64,
  dFf: 1536,
  layers: 30,
};

const same = (count: number, input: number, target: number) =>
  Array.from({ length: count }, () => ({ input, target }));

export const workloads: Workload[] = [
  {
    name: 'W1',
    about: 'T5 v1.1, batch 16, P 20, inputs of 32',
    shape: W1_SHAPE,
    prompt: 20,
    examples: same(16, 32, 2),
  },
  {
    name: 'W1r',
    about: 'W1 with ragged inputs of 4 to 32',
    shape: W1_SHAPE,
    prompt: 20,
    // 4, 5.9, 7.7, ... 32: half of W1's input tokens in all, short ones more often.
    examples: Array.from({ length: 16 }, (_, i) => ({
      input: Math.round(4 + 28 * (i / 15) ** 1.35),
      target: 2,
    })),
  },
  {
    name: 'W2',
    about: 'SmolLM2-135M, batch 4, P 20, inputs of 32',
    shape: W2_SHAPE,
    prompt: 20,
    examples: same(4, 32, 1),
  },
  {
    name: 'W2p',
    about: 'SmolLM2-135M, batch 8, P 100, inputs of 32',
    shape: W2_SHAPE,
    prompt: 100,
    examples: same(8, 32, 1),
  },
];

/** Points of the cost curves: W1 with one thing changed. */
export function curve(which: 'prompt' | 'batch' | 'length' | 'depth'): { x: number; workload: Workload }[] {
  const base = workloads[0];
  const at = (x: number, change: Partial<Workload>) => ({
    x,
    workload: { ...base, name: `${which} ${x}`, ...change },
  });
  switch (which) {
    case 'prompt':
      return [1, 5, 20, 50, 100, 150].map((x) => at(x, { prompt: x }));
    case 'batch':
      return [1, 2, 4, 8, 16, 32, 64].map((x) => at(x, { examples: same(x, 32, 2) }));
    case 'length':
      return [16, 32, 64, 128, 256, 512, 1024].map((x) => at(x, { examples: same(2, x, 2) }));
    case 'depth':
      return [1, 2, 4, 8].map((x) => at(x, { shape: { ...W1_SHAPE, encoderLayers: x, decoderLayers: x } }));
  }
}

const range = (n: number) => Array.from({ length: n }, (_, i) => i);

/** Published `config.json` of a shape. */
export function configOf(shape: Workload['shape']): unknown {
  if (shape.kind === 't5')
    return {
      model_type: 't5',
      vocab_size: shape.vocab,
      d_model: shape.dModel,
      d_kv: shape.dHead,
      d_ff: shape.dFf,
      num_heads: shape.heads,
      num_layers: shape.encoderLayers,
      num_decoder_layers: shape.decoderLayers,
      relative_attention_num_buckets: 32,
      relative_attention_max_distance: 128,
      layer_norm_epsilon: 1e-6,
      feed_forward_proj: 'gated-gelu',
      tie_word_embeddings: false,
      pad_token_id: 0,
      eos_token_id: 1,
      decoder_start_token_id: 0,
    };
  return {
    model_type: 'llama',
    vocab_size: shape.vocab,
    hidden_size: shape.dModel,
    intermediate_size: shape.dFf,
    num_hidden_layers: shape.layers,
    num_attention_heads: shape.heads,
    num_key_value_heads: shape.kvHeads,
    head_dim: shape.dHead,
    rope_theta: 100_000,
    rms_norm_eps: 1e-5,
    hidden_act: 'silu',
    max_position_embeddings: 2048,
    tie_word_embeddings: true,
    bos_token_id: 1,
    eos_token_id: 2,
    pad_token_id: 0,
  };
}

function tensorShapes(shape: Workload['shape']): Map<string, number[]> {
  const shapes = new Map<string, number[]>();
  const d = shape.dModel;
  if (shape.kind === 'llama') {
    const [q, kv] = [shape.heads * shape.dHead, shape.kvHeads * shape.dHead];
    shapes.set('model.embed_tokens.weight', [shape.vocab, d]);
    for (const i of range(shape.layers)) {
      const p = `model.layers.${i}`;
      for (const [name, rows, cols] of [
        ['self_attn.q_proj', q, d],
        ['self_attn.k_proj', kv, d],
        ['self_attn.v_proj', kv, d],
        ['self_attn.o_proj', d, q],
        ['mlp.gate_proj', shape.dFf, d],
        ['mlp.up_proj', shape.dFf, d],
        ['mlp.down_proj', d, shape.dFf],
      ] as const)
        shapes.set(`${p}.${name}.weight`, [rows, cols]);
      for (const name of ['input_layernorm', 'post_attention_layernorm'])
        shapes.set(`${p}.${name}.weight`, [d]);
    }
    shapes.set('model.norm.weight', [d]);
    return shapes;
  }
  const inner = shape.heads * shape.dHead;
  const attention = (p: string) => {
    for (const w of ['q', 'k', 'v']) shapes.set(`${p}.${w}.weight`, [inner, d]);
    shapes.set(`${p}.o.weight`, [d, inner]);
  };
  const feedForward = (p: string) => {
    for (const w of ['wi_0', 'wi_1']) shapes.set(`${p}.${w}.weight`, [shape.dFf, d]);
    shapes.set(`${p}.wo.weight`, [d, shape.dFf]);
  };
  shapes.set('shared.weight', [shape.vocab, d]);
  shapes.set('lm_head.weight', [shape.vocab, d]);
  for (const [stack, layers] of [
    ['encoder', shape.encoderLayers],
    ['decoder', shape.decoderLayers],
  ] as const) {
    const sublayers =
      stack === 'encoder'
        ? ['SelfAttention', 'DenseReluDense']
        : ['SelfAttention', 'EncDecAttention', 'DenseReluDense'];
    for (const i of range(layers))
      sublayers.forEach((sublayer, j) => {
        const p = `${stack}.block.${i}.layer.${j}`;
        if (sublayer === 'DenseReluDense') feedForward(`${p}.${sublayer}`);
        else attention(`${p}.${sublayer}`);
        shapes.set(`${p}.layer_norm.weight`, [d]);
      });
    shapes.set(`${stack}.block.0.layer.0.SelfAttention.relative_attention_bias.weight`, [32, shape.heads]);
    shapes.set(`${stack}.final_layer_norm.weight`, [d]);
  }
  return shapes;
}

/** A checkpoint of seeded values, made as it is read: no more than one tensor is in memory at a time. f32. */
export function randomWeights(shape: Workload['shape']): WeightFile {
  const tensors = new Map<string, TensorInfo>();
  let byteOffset = 0;
  for (const [name, dims] of tensorShapes(shape)) {
    const byteLength = 4 * dims.reduce((product, n) => product * n, 1);
    tensors.set(name, { name, dtype: 'F32', shape: dims, byteOffset, byteLength });
    byteOffset += byteLength;
  }
  return {
    format: 'safetensors',
    name: 'random weights',
    tensors,
    metadata: {},
    async read(name) {
      const info = tensors.get(name)!;
      const values = new Float32Array(info.byteLength / 4);
      if (info.shape.length === 1) values.fill(1);
      else {
        let state = (info.byteOffset + 12_345) >>> 0;
        // Uniform with the deviation 1 / sqrt(columns): every layer keeps the size of its input.
        const scale = Math.sqrt(12 / info.shape[1]);
        for (let i = 0; i < values.length; i++) {
          state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
          values[i] = (state / 2 ** 32 - 0.5) * scale;
        }
      }
      return new Uint8Array(values.buffer);
    },
  };
}

/** Examples of seeded tokens. */
export function examplesOf({ shape, prompt, examples }: Workload): BatchExample[] {
  const token = (i: number, j: number) => 3 + ((i * 7919 + j * 104_729) % (shape.vocab - 3));
  return examples.map(({ input, target }, i) => ({
    ids: range(input).map((j) => token(i, j)),
    prompt: { first: 0, count: prompt },
    answers: planAnswers([range(target).map((j) => token(i + 1000, j))]),
    target: 0,
  }));
}

/**
 * FLOPs that a step needs: products only, a multiply and an add as two, over real tokens. Frozen weights: a linear map costs its
 * forward product once more on the way back, attention's two products twice theirs. In a causal model the prompt's rows count once
 * a step, and of the last layer only what label rows read. For T5 the first decoder layer's queries and self-attention, which no
 * gradient passes, are counted as forward and backward like the rest, as the peers' harness does.
 */
export function neededFlops({ shape, prompt, examples }: Workload): { forward: number; step: number } {
  const d = shape.dModel;
  const attention = (pairs: number) => 4 * shape.heads * shape.dHead * pairs;
  let linear = 0;
  let scores = 0;
  if (shape.kind === 't5') {
    const inner = shape.heads * shape.dHead;
    const projection = 2 * d * inner;
    const feedForward = 6 * d * shape.dFf;
    for (const { input, target } of examples) {
      const keys = prompt + input;
      linear += shape.encoderLayers * keys * (4 * projection + feedForward);
      linear += shape.decoderLayers * (target * (6 * projection + feedForward) + keys * 2 * projection);
      linear += 2 * target * d * shape.vocab;
      scores += shape.encoderLayers * attention(keys * keys);
      scores += shape.decoderLayers * (attention(target * target) + attention(target * keys));
    }
  } else {
    const keyValue = 4 * d * shape.kvHeads * shape.dHead;
    const layer = 4 * d * shape.heads * shape.dHead + keyValue + 6 * d * shape.dFf;
    // The last target token is predicted and never read.
    const rows = prompt + examples.reduce((sum, e) => sum + e.input + e.target - 1, 0);
    const labels = examples.reduce((sum, e) => sum + e.target, 0);
    const pairs =
      (prompt * (prompt + 1)) / 2 +
      examples.reduce((sum, e) => {
        const own = e.input + e.target - 1;
        return sum + own * prompt + (own * (own + 1)) / 2;
      }, 0);
    linear += (shape.layers - 1) * rows * layer + rows * keyValue + labels * (layer - keyValue);
    linear += 2 * labels * d * shape.vocab;
    scores += (shape.layers - 1) * attention(pairs);
    scores += examples.reduce((sum, e) => sum + attention(e.target * (prompt + e.input)), 0);
  }
  return { forward: linear + scores, step: 2 * linear + 3 * scores };
}
