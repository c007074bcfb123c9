/**
 * The room of the frozen models: each family is one file that maps a published `config.json` and its tensors to the graph.
 * A new family is a new file and one line in `registry.ts`.
 */
export { fromGguf, loadGguf } from './gguf.ts';
export { checkpointOf, readFrozen, readResident, residentDtype, uploadFrozen } from './load.ts';
export type {
  CausalBatch,
  CausalModel,
  FrozenModel,
  FrozenTensor,
  ModelInfo,
  PromptInput,
  Seq2SeqBatch,
  Seq2SeqModel,
} from './model.ts';
export { knownFamilies, makeModel } from './registry.ts';
export { traitsOf } from './traits.ts';
