/**
 * The room of learning: recipes, initialisers, packed batches, the learner on the GPU, the training loop with its evaluations
 * and checkpoints, and reading with a learned prompt. Knows no page and no worker.
 */
export type { AttentionBlock, AttentionLayer } from './attend.ts';
export { type AnswerPlan, type BatchExample, planAnswers } from './batch.ts';
export { addSnapshot, type PromptSnapshot, snapshotLimit } from './history.ts';
export { type StartedPrompt, startPrompt, type Vocabulary } from './init.ts';
export {
  createLearner,
  type GpuLearner,
  type LearnerProfile,
} from './learner.ts';
export { type BatchPlan, type MemoryPrediction, planBatch, predictMemory } from './memory.ts';
export {
  chooseEngine,
  type EngineName,
  type EngineTime,
  type MeasuredChoice,
  type ProbedLearner,
  type ProbeOptions,
} from './onnx/choose.ts';
export { type ExportedFile, type ExportSettings, exportOnnx } from './onnx/export.ts';
export { createOnnxLearner, type OnnxLearner } from './onnx/learner.ts';
export {
  compareLearners,
  type Difference,
  type OpenLearner,
  opinionSettings,
  type SecondOpinion,
} from './onnx/opinion.ts';
export { createOnnxScorer } from './onnx/scorer.ts';
export { productShapes } from './products.ts';
export { hasDiverged, type RatePoint, type RateSuggestion, rateRamp, suggestRate } from './rateRange.ts';
export * from './recipe.ts';
export { createSampler, type Sampler } from './sampler.ts';
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
  type Learner,
  type LearnerState,
  type SceneNumbers,
  type StepOptions,
  type StepReport,
  type Trainer,
  type TrainingEnd,
} from './trainer.ts';
export type { LearnerSettings } from './trainingGraph.ts';
export { warmPipelines } from './warm.ts';
