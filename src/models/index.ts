/**
 * The room of the frozen models: each family is one file that maps a published `config.json` and its tensors to the graph.
 * A new family is a new file and one line in `registry.ts`.
 */
export { fromGguf, loadGguf } from './gguf.ts';
export { readFrozen, readWidened, uploadFrozen } from './load.ts';
export type {
  CausalBatch,
  CausalModel,
  Decoded,
  FrozenModel,
  FrozenTensor,
  PromptInput,
  Seq2SeqBatch,
  Seq2SeqModel,
} from './model.ts';
export { PRECISIONS, type Precision } from './precision.ts';
export { type ModelOptions, makeModel } from './registry.ts';
export { traitsOf } from './traits.ts';
