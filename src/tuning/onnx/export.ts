import { createGraph, makeTensor } from '../../graph/index.ts';
import type { Tensor } from '../../kernels/index.ts';
import type { FrozenModel } from '../../models/index.ts';
import {
  encodeModel,
  IR_VERSION,
  lowerGraph,
  MAX_PROTO_BYTES,
  OPSET,
  type TensorProto,
} from '../../onnx/index.ts';
import type { WeightFile } from '../../weights/index.ts';
import { causalFeed, seq2seqFeed } from '../feed.ts';
import { frozenValues } from './batch.ts';
import { type PaddedInputs, paddedCausal, paddedSeq2Seq } from './padded.ts';

export interface ExportSettings {
  /** Values [P, d] that become part of the model; without them `prompt` [P, d] is an input, and one file serves many tasks. */
  prompt?: Float32Array<ArrayBuffer>;
  /** Name of the `.onnx` file. Default `model.onnx`. */
  name?: string;
  /** Weights in a file of their own beside the model. Default: where they would not fit into one. */
  weightsBeside?: boolean;
  /** Kept in the file: what it was made of. */
  metadata?: Readonly<Record<string, string>>;
}

/** A file of a download, as parts that follow one another. */
export interface ExportedFile {
  name: string;
  parts: Uint8Array<ArrayBuffer>[];
}

/** A page that external weights begin at, so that a runtime may map them. */
const PAGE = 4096;

/**
 * The frozen model's forward pass as ONNX, for other runtimes. Inputs `input_ids` and `attention_mask` [batch, length] (i64, padded on
 * the right), for an encoder-decoder also `decoder_input_ids` [batch, target_length], and `prompt` [P, d] unless it is built in;
 * output `logits` (see `paddedSeq2Seq`, `paddedCausal`).
 */
export async function exportOnnx(
  model: FrozenModel,
  weights: WeightFile,
  settings: ExportSettings = {},
): Promise<ExportedFile[]> {
  const { prompt: values, name = 'model.onnx', metadata = {} } = settings;
  const graph = createGraph({ rowLanes: 1 });
  const prompt = makeTensor('state', 'prompt', 'P', model.info.width);
  let padded: PaddedInputs;
  let logits: Tensor;
  if (model.kind === 'seq2seq') {
    const feed = seq2seqFeed(model);
    logits = feed.forward(graph, { rows: prompt }).logits;
    padded = paddedSeq2Seq(feed.batch, prompt, model.info.vocabSize);
  } else {
    const feed = causalFeed(model);
    logits = feed.forward(graph, { rows: prompt }).logits;
    padded = paddedCausal(feed.batch, prompt, model);
  }
  const lowered = lowerGraph(graph.nodes, {
    ...padded,
    outputs: { logits },
    baked: values && new Map([[prompt, values]]),
    state: () => ({ name: 'prompt', rows: 'prompt_length' }),
  });
  const [left] = lowered.feeds;
  if (left) throw new Error(`the export does not know what ${left.name} is in a padded batch`);

  const valuesOf = frozenValues(model, weights);
  const frozen: { name: string; tensor: Tensor; data: Uint8Array<ArrayBuffer> }[] = [];
  let bytes = 0;
  for (const [initializer, tensor] of lowered.weights) {
    const { buffer, byteOffset, byteLength } = await valuesOf(tensor);
    frozen.push({ name: initializer, tensor, data: new Uint8Array(buffer, byteOffset, byteLength) });
    bytes += byteLength;
  }
  const beside = settings.weightsBeside ?? bytes > MAX_PROTO_BYTES - 2 ** 24;
  const location = `${name}.data`;
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let offset = 0;
  const initializers = frozen.map(({ name: initializer, tensor, data }): TensorProto => {
    const common = {
      name: initializer,
      dtype: tensor.dtype === 'f16' ? ('f16' as const) : ('f32' as const),
      shape: [tensor.rows as number, tensor.cols],
    };
    if (!beside) return { ...common, data };
    const gap = (PAGE - (offset % PAGE)) % PAGE;
    parts.push(new Uint8Array(gap), data);
    const place = { location, offset: offset + gap, length: data.byteLength };
    offset += gap + data.byteLength;
    return { ...common, data: place };
  });
  const file = encodeModel({
    graphName: model.info.family,
    doc: `${model.info.family}, frozen, behind a soft prompt${values ? ' that is built in' : ''}.`,
    opset: OPSET,
    irVersion: IR_VERSION,
    nodes: lowered.nodes,
    initializers: [...lowered.constants, ...initializers],
    inputs: lowered.inputs,
    outputs: lowered.outputs,
    metadata,
  });
  return [{ name, parts: [file] }, ...(beside ? [{ name: location, parts }] : [])];
}
