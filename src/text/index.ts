/**
 * Between a person's text and a model's token ids: tokenizers, templates that put a row's fields into the text the model
 * reads, and verbalizers, the words that stand for the labels. Knows nothing of tables, models or the GPU.
 */
export {
  binLengths,
  encodeExamples,
  truncate,
} from './encode.ts';
export { ggufTokenizer } from './gguf.ts';
export { spieceTokenizer } from './spiece.ts';
export { DEFAULT_TEMPLATES, parseTemplate, render, type Template } from './template.ts';
export { loadTokenizer, type Tokenizer } from './tokenizer.ts';
export {
  answerJoiner,
  inspectVerbalizers,
  makeVerbalizers,
  type VerbalizerIssue,
} from './verbalizer.ts';
