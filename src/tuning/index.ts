/**
 * The room of learning: recipes, initialisers, packed batches, the learner on the GPU, the training loop with its evaluations
 * and checkpoints, and reading with a learned prompt. Knows no page and no worker.
 */
export { type AnswerPlan, type BatchExample, planAnswers } from './batch.ts';
export { addSnapshot, type PromptSnapshot, snapshotLimit } from './history.ts';
export { type StartedPrompt, startPrompt, type Vocabulary } from './init.ts';
export {
  createLearner,
  type GpuLearner,
  type LearnerProfile,
} from './learner.ts';
export { type MemoryPrediction, planBatch, predictMemory } from './memory.ts';
export {
  chooseEngine,
  type ProbedLearner,
} from './onnx/choose.ts';
export { exportOnnx } from './onnx/export.ts';
export { createOnnxLearner } from './onnx/learner.ts';
export {
  compareLearners,
  type OpenLearner,
  opinionSettings,
} from './onnx/opinion.ts';
export { createOnnxScorer } from './onnx/scorer.ts';
export { productShapes } from './products.ts';
export { hasDiverged, type RatePoint, rateRamp, suggestRate } from './rateRange.ts';
export * from './recipe.ts';
export { createSampler } from './sampler.ts';
export {
  createScorer,
  type PassReport,
  type PromptSource,
  type ScoreExample,
  type Scorer,
} from './scorer.ts';
export {
  type Checkpoint,
  createTrainer,
  type DevScore,
  type StepReport,
  type Trainer,
} from './trainer.ts';
export type { LearnerSettings } from './trainingGraph.ts';
export { warmPipelines } from './warm.ts';
