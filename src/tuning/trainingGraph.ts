import { createGraph, type Graph, makeTensor, recompute } from '../graph/index.ts';
import {
  type Builder,
  chunkedSequenceLoss,
  headChunk,
  type KernelTraits,
  type LossMode,
  type Node,
  type OptimizerRule,
  optimize,
  rowNorms,
  STAT_COLUMNS,
  sequenceLoss,
  sumSquares,
  type Tensor,
} from '../kernels/index.ts';
import type { FrozenModel } from '../models/index.ts';
import type { BatchExample } from './batch.ts';
import { type Feed, makeFeed } from './feed.ts';
import { optimizerRule } from './optimizer.ts';
import type { OptimizerSettings } from './recipe.ts';

export interface LearnerSettings {
  /** P */
  length: number;
  loss: LossMode;
  optimizer: OptimizerSettings;
  /** 0: never. */
  clipNorm: number;
  /** Keeps the logits readable after a step, at the price of their size. */
  keepLogits?: boolean;
  /** So many layers, the first ones, are run a second time on the way back, to save the memory of what they leave. Default 0. */
  recompute?: number;
}

export interface TrainingGraph {
  graph: Graph;
  feed: Feed;
  prompt: Tensor;
  gradient: Tensor;
  loss: Tensor;
  logits: Tensor;
  scene: { tokenGrad: Tensor; tokenMoved: Tensor; layers: Tensor; start: Tensor };
  /** The residual stream that enters each layer, an encoder's layers first. */
  streams: Tensor[];
  /** The layer a node belongs to, an encoder's first; undefined for embedding, head and loss. */
  layerOf(node: Node): number | undefined;
  /** What a step runs, in order: the graph's nodes, with layers run again where the settings ask for it. */
  nodes: readonly Node[];
}

/** Forward, loss and backward of a frozen model to its prompt, with the measurements the scene is drawn from. */
export function trainingGraph(
  traits: KernelTraits,
  model: FrozenModel,
  settings: LearnerSettings,
): TrainingGraph {
  const { width, layers: layerCounts } = model.info;
  const state = (name: string, rows: number, cols: number) => makeTensor('state', name, rows, cols);
  const prompt = state('prompt', settings.length, width);
  const start = state('prompt at the start', settings.length, width);
  const gradient = state('prompt gradient', settings.length, width);
  const loss = state('loss', 1, 1);
  const tokenGrad = state('token gradient norms', settings.length, 1);
  const tokenMoved = state('token distances', settings.length, 1);
  const layers = state('layer gradient squares', 1, layerCounts[0] + layerCounts[1]);

  const graph = createGraph(traits, [prompt]);
  const feed = makeFeed(model);
  const { logits, layers: streams, head } = feed.forward(graph, { rows: prompt, gradient });
  const { loss: mode, keepLogits = false } = settings;
  const columns = keepLogits ? undefined : headChunk(graph.traits, head);
  if (columns !== undefined) chunkedSequenceLoss(graph, head, feed.loss, mode, { loss }, columns);
  else sequenceLoss(graph, logits, feed.loss, { mode, keepLogits }, { loss });

  const measure: Builder = { ...graph, record: (node) => graph.record({ ...node, tap: true }) };
  const slots = new Map<Tensor, number>(streams.map((tensor, i) => [tensor, i]));
  graph.backward(loss, (tensor, ownGradient) => {
    const slot = slots.get(tensor);
    if (slot !== undefined) sumSquares(measure, ownGradient, layers, slot);
  });
  rowNorms(measure, gradient, tokenGrad);
  rowNorms(measure, prompt, tokenMoved, start);
  const layerOf = layersOf(graph, streams, layerCounts[0]);
  const again = settings.recompute ?? 0;
  const isAgain = (layer: number | undefined) => (layer !== undefined && layer < again ? layer : undefined);
  return {
    layerOf,
    nodes: again > 0 ? recompute(graph.nodes, (node) => isAgain(layerOf(node))) : graph.nodes,
    graph,
    feed,
    prompt,
    gradient,
    loss,
    logits,
    scene: { tokenGrad, tokenMoved, layers, start },
    streams,
  };
}

/** The optimiser's step from the gradient, with the states it keeps, and the statistics that are read after each step. */
export function updateGraph(
  traits: KernelTraits,
  { optimizer }: Pick<LearnerSettings, 'optimizer'>,
  { prompt, gradient, loss }: Pick<TrainingGraph, 'prompt' | 'gradient' | 'loss'>,
): { graph: Graph; rule: OptimizerRule; states: Record<string, Tensor>; stats: Tensor } {
  const [length, width] = [prompt.rows as number, prompt.cols];
  const stats = makeTensor('state', 'stats', 1, STAT_COLUMNS);
  const rule = optimizerRule(optimizer, length, width);
  const states = Object.fromEntries(
    Object.entries(rule.states(length, width)).map(([name, [rows, cols]]) => [
      name,
      makeTensor('state', `${rule.name} ${name}`, rows, cols),
    ]),
  );
  const graph = createGraph(traits);
  optimize(graph, rule, [{ parameter: prompt, gradient, states }], loss, stats);
  return { graph, rule, states, stats };
}

/**
 * The layer of each node: what reads the stream that enters a layer is the layer's, and so is all that is named after it; a
 * gradient is of its forward node's layer.
 */
function layersOf(
  graph: Graph,
  streams: readonly Tensor[],
  encoderLayers: number,
): (node: Node) => number | undefined {
  const entered = new Map(streams.map((tensor, i) => [tensor, i]));
  const shape = ({ name }: Tensor) => name.replace(/\d+/, '*');
  const streamShapes = new Set(streams.map(shape));
  const layers = new Map<string, number | undefined>();
  const key = ({ outputs: [output] }: Node) => output?.name ?? '';
  for (const node of graph.nodes) {
    if (node.backOf) break;
    const {
      inputs: [input],
      outputs: [output],
    } = node;
    if (!input || !output) continue;
    const named = /^(encoder\.|decoder\.|layer )(\d+)\./.exec(output.name);
    let layer = named ? Number(named[2]) + (named[1] === 'decoder.' ? encoderLayers : 0) : undefined;
    // Norms and chosen rows are named after what they read.
    if (output.name.startsWith(`${input.name}.`)) {
      if (entered.has(input)) {
        layer = entered.get(input);
        entered.set(output, layer!);
      } else if (streamShapes.has(shape(input))) layer = undefined;
    }
    layers.set(key(node), layer);
  }
  return (node) => layers.get(key(node.backOf ?? node.again ?? node));
}

/** What the losses of a step are multiplied by: one over its label tokens, or over its examples. */
export function lossScale(mode: LossMode, chosen: readonly BatchExample[]): number {
  const labelTokens = chosen.reduce((sum, e) => sum + (e.answers.candidates[e.target]?.length ?? 0), 0);
  return 1 / (mode === 'vocabulary' ? labelTokens : chosen.length);
}
