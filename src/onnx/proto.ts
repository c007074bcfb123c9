import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

/**
 * The messages of onnx.proto (github.com/onnx/onnx, IR version 11) that we write, as plain data, and their bytes. Field numbers are
 * those of the schema; everything we leave out is optional there.
 */
export type OnnxDtype = 'f32' | 'f16' | 'i32' | 'i64';

const DATA_TYPE: Record<OnnxDtype, number> = { f32: 1, f16: 10, i32: 6, i64: 7 };

export type Attribute = number | { f: number } | string | readonly number[];

export interface NodeProto {
  name: string;
  opType: string;
  inputs: readonly string[];
  outputs: readonly string[];
  /** A bare number is an integer; `{ f }` a float; an array integers. */
  attributes: Readonly<Record<string, Attribute>>;
}

/** A constant. Its values lie in the model file, or in another one beside it. */
export interface TensorProto {
  name: string;
  dtype: OnnxDtype;
  shape: readonly number[];
  data: Uint8Array | { location: string; offset: number; length: number };
}

/** An input or an output; named sizes are free. */
export interface ValueInfo {
  name: string;
  dtype: OnnxDtype;
  shape: readonly (number | string)[];
}

export interface ModelProto {
  graphName: string;
  doc: string;
  opset: number;
  irVersion: number;
  nodes: readonly NodeProto[];
  initializers: readonly TensorProto[];
  inputs: readonly ValueInfo[];
  outputs: readonly ValueInfo[];
  metadata?: Readonly<Record<string, string>>;
}

/** Largest file that protobuf can hold; larger models keep their weights beside it. */
export const MAX_PROTO_BYTES = 2 ** 31 - 1;

type Write = (w: BinaryWriter) => void;

const message = (w: BinaryWriter, field: number, write: Write) => {
  w.tag(field, WireType.LengthDelimited).fork();
  write(w);
  w.join();
};
const text = (w: BinaryWriter, field: number, value: string) =>
  w.tag(field, WireType.LengthDelimited).string(value);
const integer = (w: BinaryWriter, field: number, value: number) => w.tag(field, WireType.Varint).int64(value);
const integers = (w: BinaryWriter, field: number, values: readonly number[]) =>
  message(w, field, () => {
    for (const value of values) w.int64(value);
  });
const entry = (w: BinaryWriter, field: number, key: string, value: string) =>
  message(w, field, () => {
    text(w, 1, key);
    text(w, 2, value);
  });

const ATTRIBUTE_TYPE = { float: 1, int: 2, string: 3, ints: 7 };

function writeAttribute(w: BinaryWriter, name: string, value: Attribute): void {
  text(w, 1, name);
  let type: number;
  if (typeof value === 'number') {
    integer(w, 3, value);
    type = ATTRIBUTE_TYPE.int;
  } else if (typeof value === 'string') {
    text(w, 4, value);
    type = ATTRIBUTE_TYPE.string;
  } else if ('f' in value) {
    w.tag(2, WireType.Bit32).float(value.f);
    type = ATTRIBUTE_TYPE.float;
  } else {
    integers(w, 8, value);
    type = ATTRIBUTE_TYPE.ints;
  }
  integer(w, 20, type);
}

function writeNode(w: BinaryWriter, node: NodeProto): void {
  for (const input of node.inputs) text(w, 1, input);
  for (const output of node.outputs) text(w, 2, output);
  text(w, 3, node.name);
  text(w, 4, node.opType);
  for (const [name, value] of Object.entries(node.attributes))
    message(w, 5, () => writeAttribute(w, name, value));
}

function writeTensor(w: BinaryWriter, { name, dtype, shape, data }: TensorProto): void {
  integers(w, 1, shape);
  integer(w, 2, DATA_TYPE[dtype]);
  text(w, 8, name);
  if (data instanceof Uint8Array) w.tag(9, WireType.LengthDelimited).bytes(data);
  else {
    entry(w, 13, 'location', data.location);
    entry(w, 13, 'offset', String(data.offset));
    entry(w, 13, 'length', String(data.length));
    integer(w, 14, 1);
  }
}

function writeValueInfo(w: BinaryWriter, { name, dtype, shape }: ValueInfo): void {
  text(w, 1, name);
  message(w, 2, () =>
    message(w, 1, () => {
      integer(w, 1, DATA_TYPE[dtype]);
      message(w, 2, () => {
        for (const size of shape)
          message(w, 1, () => (typeof size === 'number' ? integer(w, 1, size) : text(w, 2, size)));
      });
    }),
  );
}

/** The bytes of a `.onnx` file. */
export function encodeModel(model: ModelProto): Uint8Array<ArrayBuffer> {
  const w = new BinaryWriter();
  integer(w, 1, model.irVersion);
  text(w, 2, 'prelude');
  message(w, 7, () => {
    for (const node of model.nodes) message(w, 1, () => writeNode(w, node));
    text(w, 2, model.graphName);
    for (const tensor of model.initializers) message(w, 5, () => writeTensor(w, tensor));
    text(w, 10, model.doc);
    for (const input of model.inputs) message(w, 11, () => writeValueInfo(w, input));
    for (const output of model.outputs) message(w, 12, () => writeValueInfo(w, output));
  });
  message(w, 8, () => {
    text(w, 1, '');
    integer(w, 2, model.opset);
  });
  for (const [key, value] of Object.entries(model.metadata ?? {})) entry(w, 14, key, value);
  return w.finish();
}
