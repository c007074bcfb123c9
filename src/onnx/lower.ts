import type {
  Dtype,
  Node,
  OnnxAttribute,
  OnnxEmitter,
  OnnxFeed,
  OnnxValue,
  Tensor,
} from '../kernels/index.ts';
import type { NodeProto, TensorProto, ValueInfo } from './proto.ts';

/** Operator set and file version of early 2025: onnxruntime-web 1.30 reads up to 26, every ONNX Runtime since 1.22 reads this one. */
export const OPSET = 23;
export const IR_VERSION = 11;

/** A graph in ONNX, all but the values of its weights. */
export interface LoweredGraph {
  nodes: NodeProto[];
  /** Small constants. */
  constants: TensorProto[];
  /** Frozen matrices by the name of their initializer; f16 ones are widened by the graph itself. */
  weights: Map<string, Tensor>;
  /** States (a prompt) by the name of their input. */
  states: Map<string, Tensor>;
  feeds: OnnxFeed[];
  inputs: ValueInfo[];
  outputs: ValueInfo[];
}

export interface LowerOptions {
  /** What is wanted, by the name of its output. */
  outputs: Readonly<Record<string, Tensor>>;
  /**
   * Another origin for what would be fed with each batch: nodes that compute it inside the graph. Undefined leaves it an input. For
   * models that others run, who have no packed batches.
   */
  resolve?(feed: OnnxFeed, e: OnnxEmitter): OnnxValue | undefined;
  /** Inputs that `resolve` reads. */
  inputs?: readonly ValueInfo[];
  /** States that are no inputs but constants, as [rows, cols]. */
  baked?: ReadonlyMap<Tensor, Float32Array<ArrayBuffer>>;
  /** Another form of an output than [rows, cols]. */
  arrange?(value: OnnxValue, e: OnnxEmitter): { value: OnnxValue; shape: (number | string)[] };
  /** Name and rows (a number, or a size's name) of states that become inputs; by default the tensor's own. */
  state?(tensor: Tensor): { name: string; rows: number | string };
}

/** Name of the input of a feed: weights may be called alike. */
export const inputName = (feed: OnnxFeed): string => `batch/${feed.name}`;

/** The nodes that what is wanted depends on, in order, whatever state they write besides. */
function neededNodes(nodes: readonly Node[], wanted: readonly Tensor[]): Node[] {
  const needed = new Set<Tensor>(wanted);
  const found: Node[] = [];
  for (const node of [...nodes].reverse()) {
    if (!node.outputs.some((output) => needed.has(output))) continue;
    for (const tensor of [...node.inputs, ...node.outputs]) needed.add(tensor);
    found.push(node);
  }
  return found.reverse();
}

interface ColumnPart {
  from: number;
  count: number;
  value: OnnxValue;
}

const bytesOf = (data: Float32Array | BigInt64Array) =>
  new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

/** Weights come as f32 or as halves; smaller formats are widened by whoever reads them. */
const valueType = (dtype: Dtype) => (dtype === 'u32' ? 'i32' : dtype === 'f16' ? 'f16' : 'f32');
const CAST_TO_F32 = 1;

/**
 * Writes the ONNX form of a graph, forward and backward alike: each node brings its own.
 * @throws Error where a node has none, or where one reads a tensor that nobody wrote.
 */
export function lowerGraph(nodes: readonly Node[], options: LowerOptions): LoweredGraph {
  const wanted = Object.entries(options.outputs);
  const written: NodeProto[] = [];
  const constants: TensorProto[] = [];
  const weights = new Map<string, Tensor>();
  const states = new Map<string, Tensor>();
  const feeds = new Map<string, { feed: OnnxFeed; value: OnnxValue; fed: boolean }>();
  const values = new Map<Tensor, OnnxValue>();
  const columns = new Map<Tensor, ColumnPart[]>();
  const made = new Map<string, unknown>();
  const stateInputs: ValueInfo[] = [];
  let scope = '';
  let count = 0;

  const add = (
    op: string,
    inputs: readonly string[],
    outputs: number,
    attributes: Readonly<Record<string, OnnxAttribute>>,
  ): OnnxValue[] => {
    const name = `${scope}/${op}_${count++}`;
    const names = Array.from({ length: outputs }, (_, i) => (outputs === 1 ? name : `${name}:${i}`));
    written.push({ name, opType: op, inputs, outputs: names, attributes });
    return [...names] as OnnxValue[];
  };
  const constant = (key: string, dtype: 'f32' | 'i64', shape: readonly number[], data: Uint8Array) =>
    emitter.once(`constant ${key}`, () => {
      const name = `constant_${constants.length}` as OnnxValue;
      constants.push({ name, dtype, shape, data });
      return name;
    });
  /** Where a value comes from that no node writes. */
  const fromOutside = (tensor: Tensor): OnnxValue => {
    if (tensor.kind === 'weight') {
      weights.set(tensor.name, tensor);
      if (tensor.dtype !== 'f16') return tensor.name as OnnxValue;
      return add('Cast', [tensor.name], 1, { to: CAST_TO_F32 })[0];
    }
    const baked = options.baked?.get(tensor);
    if (baked) {
      const shape = [baked.length / tensor.cols, tensor.cols];
      constants.push({ name: tensor.name, dtype: 'f32', shape, data: bytesOf(baked) });
      return tensor.name as OnnxValue;
    }
    if (tensor.kind === 'state' && !columns.has(tensor)) {
      const { name, rows } = options.state?.(tensor) ?? { name: tensor.name, rows: tensor.rows };
      states.set(name, tensor);
      stateInputs.push({ name, dtype: 'f32', shape: [rows, tensor.cols] });
      return name as OnnxValue;
    }
    return joinColumns(tensor, columns.get(tensor) ?? []);
  };
  const joinColumns = (tensor: Tensor, parts: ColumnPart[]): OnnxValue => {
    const pieces: OnnxValue[] = [];
    let at = 0;
    for (const part of [...parts, { from: tensor.cols, count: 0 }].sort((a, b) => a.from - b.from)) {
      const gap = part.from - at;
      // State begins as zeros, and stays so where this graph writes nothing.
      if (gap > 0 && tensor.kind === 'state' && parts.length > 0 && typeof tensor.rows === 'number') {
        const zeros = new Array<number>(tensor.rows * gap).fill(0);
        pieces.push(emitter.f32(zeros, [tensor.rows, gap]));
      } else if (gap !== 0) throw new Error(`ONNX: ${scope} reads ${tensor.name}, which is not written`);
      if ('value' in part) pieces.push(part.value);
      at = part.from + part.count;
    }
    return pieces.length === 1 ? pieces[0] : add('Concat', pieces, 1, { axis: 1 })[0];
  };

  const emitter: OnnxEmitter = {
    value(tensor) {
      let value = values.get(tensor);
      if (!value) {
        value = fromOutside(tensor);
        values.set(tensor, value);
      }
      return value;
    },
    set: (tensor, value) => void values.set(tensor, value),
    setColumns(tensor, from, count, value) {
      columns.set(tensor, [...(columns.get(tensor) ?? []), { from, count, value }]);
      values.delete(tensor);
    },
    node: (op, inputs, attributes = {}) => add(op, inputs, 1, attributes)[0],
    split: (op, inputs, outputs, attributes = {}) => add(op, inputs, outputs, attributes),
    f32(numbers, shape) {
      const list = typeof numbers === 'number' ? [numbers] : numbers;
      const sizes = shape ?? (typeof numbers === 'number' ? [] : [list.length]);
      return constant(`f32 ${sizes} ${list}`, 'f32', sizes, bytesOf(Float32Array.from(list)));
    },
    i64: (numbers) =>
      constant(
        `i64 ${numbers}`,
        'i64',
        [numbers.length],
        bytesOf(BigInt64Array.from(numbers, (value) => BigInt(value))),
      ),
    feed(feed) {
      const known = feeds.get(feed.name);
      if (known) return known.value;
      const resolved = options.resolve?.(feed, emitter);
      const value = resolved ?? (inputName(feed) as OnnxValue);
      feeds.set(feed.name, { feed, value, fed: resolved === undefined });
      return value;
    },
    once<T>(key: string, make: () => T): T {
      if (!made.has(key)) made.set(key, make());
      return made.get(key) as T;
    },
  };

  for (const node of neededNodes(
    nodes,
    wanted.map(([, tensor]) => tensor),
  )) {
    if (!node.onnx) throw new Error(`the op ${node.op} has no ONNX form`);
    scope = node.outputs[0].name;
    node.onnx(emitter);
  }
  scope = 'outputs';
  const outputs: ValueInfo[] = [];
  for (const [name, tensor] of wanted) {
    const plain = { value: emitter.value(tensor), shape: [tensor.rows, tensor.cols] };
    const { value, shape } = options.arrange?.(plain.value, emitter) ?? plain;
    written.push({
      name: `outputs/${name}`,
      opType: 'Identity',
      inputs: [value],
      outputs: [name],
      attributes: {},
    });
    outputs.push({ name, dtype: valueType(tensor.dtype), shape });
  }
  const fed = [...feeds.values()].filter((one) => one.fed).map(({ feed }) => feed);
  return {
    nodes: written,
    constants,
    weights,
    states,
    feeds: fed,
    inputs: [
      ...(options.inputs ?? []),
      ...stateInputs,
      ...fed.map((feed) => ({ name: inputName(feed), dtype: feed.dtype, shape: feed.shape })),
    ],
    outputs,
  };
}
