/** google/t5-xl-lm-adapt as it is published, without its values: 2.85 billion numbers in 24 layers a stack. */
const [d, f, kv, heads] = [2048, 5120, 64, 32];
const LAYERS = 24;
const WORDS = 32128;

export const t5XlConfig = (layers = LAYERS, words = WORDS) => ({
  model_type: 't5',
  d_model: d,
  d_ff: f,
  d_kv: kv,
  num_heads: heads,
  num_layers: layers,
  num_decoder_layers: layers,
  vocab_size: words,
  feed_forward_proj: 'gated-gelu',
  tie_word_embeddings: false,
});

export function t5XlShapes(layers = LAYERS, words = WORDS): Map<string, number[]> {
  const shapes = new Map<string, number[]>();
  const add = (name: string, ...shape: number[]) => shapes.set(`${name}.weight`, shape);
  add('shared', words, d);
  add('lm_head', words, d);
  for (const stack of ['encoder', 'decoder']) {
    add(`${stack}.final_layer_norm`, d);
    add(`${stack}.block.0.layer.0.SelfAttention.relative_attention_bias`, 32, heads);
    for (let i = 0; i < layers; i++) {
      const kinds = stack === 'encoder' ? ['SelfAttention'] : ['SelfAttention', 'EncDecAttention'];
      for (const [at, kind] of kinds.entries()) {
        for (const w of ['q', 'k', 'v', 'o'])
          add(`${stack}.block.${i}.layer.${at}.${kind}.${w}`, heads * kv, d);
        add(`${stack}.block.${i}.layer.${at}.layer_norm`, d);
      }
      const last = `${stack}.block.${i}.layer.${kinds.length}`;
      for (const w of ['wi_0', 'wi_1']) add(`${last}.DenseReluDense.${w}`, f, d);
      add(`${last}.DenseReluDense.wo`, d, f);
      add(`${last}.layer_norm`, d);
    }
  }
  return shapes;
}
