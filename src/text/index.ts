/**
 * Between a person's text and a model's token ids: tokenizers, templates that put a row's fields into the text the model
 * reads, and verbalizers, the words that stand for the labels. Knows nothing of tables, models or the GPU.
 */
export { loadTokenizer, type Tokenizer } from './tokenizer.ts';
