import { expect, test } from 'vitest';
import { livingNodes } from '../graph/index.ts';
import { makeModel } from '../models/index.ts';
import type { TensorInfo, WeightFile } from '../weights/index.ts';
import { type BatchExample, planAnswers } from './batch.ts';
import { packCausal } from './causal.ts';
import { sgdDefaults } from './recipe.ts';
import { trainingGraph } from './trainingGraph.ts';

const config = {
  model_type: 'llama',
  vocab_size: 49_152,
  hidden_size: 576,
  intermediate_size: 1536,
  num_hidden_layers: 30,
  num_attention_heads: 9,
  num_key_value_heads: 3,
  rms_norm_eps: 1e-5,
  max_position_embeddings: 8192,
  tie_word_embeddings: true,
};

/** SmolLM2-135M as a file of names and shapes. */
function smollm2(): WeightFile {
  const tensors = new Map<string, TensorInfo>();
  const put = (name: string, ...shape: number[]) =>
    tensors.set(`${name}.weight`, {
      name: `${name}.weight`,
      dtype: 'F32',
      shape,
      byteOffset: 0,
      byteLength: 4 * shape.reduce((a, b) => a * b, 1),
    });
  put('model.embed_tokens', 49_152, 576);
  put('model.norm', 576);
  for (let i = 0; i < 30; i++) {
    const layer = `model.layers.${i}`;
    put(`${layer}.input_layernorm`, 576);
    put(`${layer}.post_attention_layernorm`, 576);
    put(`${layer}.self_attn.q_proj`, 576, 576);
    put(`${layer}.self_attn.k_proj`, 192, 576);
    put(`${layer}.self_attn.v_proj`, 192, 576);
    put(`${layer}.self_attn.o_proj`, 576, 576);
    put(`${layer}.mlp.gate_proj`, 1536, 576);
    put(`${layer}.mlp.up_proj`, 1536, 576);
    put(`${layer}.mlp.down_proj`, 576, 1536);
  }
  return {
    format: 'safetensors',
    name: 'smollm2',
    tensors,
    metadata: {},
    read: async () => new Uint8Array(),
  };
}

/** GFLOP and rows of a training step on `batch` examples of 32 tokens with one label each. */
function step(length: number, batch: number): { gflop: number; rows: number } {
  const settings = { length, loss: 'vocabulary', optimizer: sgdDefaults, clipNorm: 0 } as const;
  const { graph } = trainingGraph({ rowLanes: 1 }, makeModel(config, smollm2()), settings);
  const examples = Array.from(
    { length: batch },
    (): BatchExample => ({
      ids: new Array(32).fill(5),
      prompt: { first: 0, count: length },
      answers: planAnswers([[7]]),
      target: 0,
    }),
  );
  const { dims } = packCausal(examples);
  const sizes = { ...dims, K: batch, C: batch, E: batch, lossScale: 1, accumulate: 0 };
  const flops = livingNodes(graph.nodes, [])
    .flatMap((node) => node.kernels)
    .reduce((sum, kernel) => sum + kernel.cost(sizes).flops, 0);
  return { gflop: flops / 1e9, rows: dims.T };
}

test('a step costs what the real rows cost: the prompt once, the last layer for labels only', () => {
  // 4 x (20 + 32) rows would cost 91 GFLOP.
  const small = step(20, 4);
  expect(small.rows).toBe(20 + 4 * 32);
  expect(small.gflop).toBeGreaterThan(60);
  expect(small.gflop).toBeLessThan(64.5);
  const large = step(100, 8);
  expect(large.rows).toBe(100 + 8 * 32);
  // A little more than in proportion: attention.
  expect(large.gflop / small.gflop).toBeLessThan((356 / 148) * 1.06);
});

test("every dispatch of a layer is known to be that layer's, forward and backward", () => {
  const settings = { length: 20, loss: 'vocabulary', optimizer: sgdDefaults, clipNorm: 0 } as const;
  const parts = trainingGraph({ rowLanes: 1 }, makeModel(config, smollm2()), settings);
  const { layerOf } = parts;
  const ops = (layer: number | undefined, back: boolean) =>
    livingNodes(parts.graph.nodes, [])
      .filter((node) => !node.tap && layerOf(node) === layer && (node.backOf !== undefined) === back)
      .map(({ op }) => op);
  const own = ['rms_norm', 'linear', 'rope', 'attention', 'linear', 'rms_norm', 'linear', 'gate', 'linear'];
  for (let layer = 0; layer < 29; layer++) expect(ops(layer, false)).toEqual(own);
  for (let layer = 1; layer < 29; layer++) expect(ops(layer, true)).toEqual(ops(0, true));
  expect([...ops(0, true)].filter((op) => op === 'linear')).toHaveLength(4);
  // The last layer asks for label rows only.
  expect(ops(29, false)).toContain('gather_rows');
  expect(ops(undefined, false)).toEqual(['embed', 'rms_norm', 'linear', 'sequence_loss']);
  expect(ops(undefined, true)).toEqual(['sequence_loss', 'linear', 'rms_norm', 'embed']);
});
