import { isGlobal, isObject, type PickleObject, type PickleValue, readPickle } from './pickle.ts';
import { badWeights } from './problem.ts';
import type { ByteSource } from './source.ts';
import { byteLengthOf, countOf, type DType, type TensorInfo, UNIT, type WeightFile } from './types.ts';
import { readZip, type ZipEntry } from './zip.ts';

/** Enough for 10,000 tensors, more than any model here has; the machine reads it in well under a second. */
const MAX_PICKLE_BYTES = 2 * 2 ** 20;
const MAX_DIMENSIONS = 8;

const STORAGES: Readonly<Record<string, DType | 'untyped'>> = {
  'torch.DoubleStorage': 'F64',
  'torch.FloatStorage': 'F32',
  'torch.HalfStorage': 'F16',
  'torch.BFloat16Storage': 'BF16',
  'torch.LongStorage': 'I64',
  'torch.IntStorage': 'I32',
  'torch.ShortStorage': 'I16',
  'torch.CharStorage': 'I8',
  'torch.ByteStorage': 'U8',
  'torch.BoolStorage': 'BOOL',
  'torch.storage.UntypedStorage': 'untyped',
};
const DTYPES: Readonly<Record<string, DType>> = {
  'torch.float8_e4m3fn': 'F8_E4M3',
  'torch.float8_e5m2': 'F8_E5M2',
  'torch.uint16': 'U16',
  'torch.uint32': 'U32',
  'torch.uint64': 'U64',
};
const ORDERED_DICT = 'collections.OrderedDict';
const TENSOR_2 = 'torch._utils._rebuild_tensor_v2';
const TENSOR_3 = 'torch._utils._rebuild_tensor_v3';
const PARAMETER = 'torch._utils._rebuild_parameter';
const ALLOWED = new Set([
  ...Object.keys(STORAGES),
  ...Object.keys(DTYPES),
  ORDERED_DICT,
  TENSOR_2,
  TENSOR_3,
  PARAMETER,
]);
/** Where training scripts put the state dict of their checkpoints. */
const NESTED = ['state_dict', 'model_state_dict', 'module', 'model'];

interface Storage extends PickleObject {
  readonly kind: 'storage';
  key: string;
  dtype: DType | 'untyped';
}
interface Tensor extends PickleObject {
  readonly kind: 'tensor';
  storage: Storage;
  dtype: DType;
  /** In values of `dtype`, as are the strides. */
  offset: number;
  shape: number[];
  strides: number[];
}
const isStorage = (value: PickleValue | undefined): value is Storage =>
  isObject(value) && value.kind === 'storage';
const isTensor = (value: PickleValue | undefined): value is Tensor =>
  isObject(value) && value.kind === 'tensor';

/**
 * Opens a PyTorch checkpoint in the zip form (`torch.save` since 1.6): a state dict, as `pytorch_model.bin` holds, or one
 * under `state_dict` or `model` of a training checkpoint. Its pickle is read as data and never executed; any name or
 * opcode beyond tensors and dictionaries is refused. Tensors that share a storage are read each from its place; a
 * transposed one is put in row-major order when it is read. Entries that are no tensors are left out.
 * @throws PreludeError 'bad-weights' naming file, tensor, global or opcode
 * Source: torch/serialization.py and torch/_utils.py.
 */
export async function openPytorch(source: ByteSource): Promise<WeightFile> {
  const { name: file } = source;
  await checkMagic(source);
  const entries = await readZip(source);
  const pickle = [...entries.values()].find((entry) => /^[^/]*\/data\.pkl$/.test(entry.name));
  if (!pickle) throw badWeights(file, 'it has no data.pkl inside, so it is no PyTorch checkpoint.');
  const root = pickle.name.slice(0, -'data.pkl'.length);
  if (pickle.size > MAX_PICKLE_BYTES)
    throw badWeights(
      file,
      `its data.pkl has ${pickle.size} bytes; no real model needs more than ${MAX_PICKLE_BYTES}.`,
    );
  const order = entries.get(`${root}byteorder`);
  if (
    order &&
    new TextDecoder().decode(await source.read(order.offset, Math.min(order.size, 8))) !== 'little'
  )
    throw badWeights(file, 'it was saved on a big-endian machine.', 'Save it again on an ordinary computer.');

  const value = readPickle(file, await source.read(pickle.offset, pickle.size), {
    allowed: ALLOWED,
    call: (name, args) => call(file, name, args),
    persistent: (id) => storageOf(file, id),
  });
  const placed = new Map<string, { info: TensorInfo; tensor: Tensor }>();
  for (const [name, tensor] of stateDict(file, value))
    placed.set(name, { info: place(`${file}, tensor "${name}"`, name, tensor, root, entries), tensor });

  const infoOf = (name: string) => {
    const found = placed.get(name);
    if (!found)
      throw badWeights(
        file,
        `it has no tensor "${name}".`,
        'Check that the file belongs to this model: its config asks for a tensor that the file lacks.',
      );
    return found;
  };
  const read = async (name: string): Promise<Uint8Array> => {
    const { info, tensor } = infoOf(name);
    if (isContiguous(tensor)) return source.read(info.byteOffset, info.byteLength);
    const width = UNIT[tensor.dtype][1];
    return inRowOrder(await source.read(info.byteOffset, span(tensor) * width), tensor, width);
  };
  return {
    format: 'pytorch',
    name: file,
    tensors: new Map([...placed].map(([name, { info }]) => [name, info])),
    metadata: {},
    read,
    async readPart(name, offset, length) {
      const { info, tensor } = infoOf(name);
      if (!isContiguous(tensor)) return (await read(name)).subarray(offset, offset + length);
      return source.read(info.byteOffset + offset, Math.min(length, info.byteLength - offset));
    },
  };
}

async function checkMagic(source: ByteSource): Promise<void> {
  const start = await source.read(0, Math.min(4, source.size));
  if (start[0] === 0x50 && start[1] === 0x4b) return;
  throw start[0] === 0x80
    ? badWeights(
        source.name,
        'it is a PyTorch checkpoint of the old form, from before PyTorch 1.6.',
        'Open it in Python and save it again: torch.save(torch.load(file, weights_only=True), file). Or use the model.safetensors of the model.',
      )
    : badWeights(source.name, 'it is no zip archive, so it is no PyTorch checkpoint.');
}

/** The value of one of the few functions that a state dict calls. */
function call(file: string, name: string, args: readonly PickleValue[]): PickleValue {
  switch (name) {
    case ORDERED_DICT:
      // Its items are set afterwards.
      if (args.length === 0) return new Map();
      break;
    case PARAMETER:
      if (isTensor(args[0])) return args[0];
      break;
    case TENSOR_2:
    case TENSOR_3: {
      const [storage, offset, shape, strides] = args;
      const named = name === TENSOR_3 && isGlobal(args[6]) ? DTYPES[args[6].name] : undefined;
      if (!isStorage(storage)) break;
      const dtype = storage.dtype === 'untyped' ? named : storage.dtype;
      if (!dtype || !isNatural(offset) || !isNaturals(shape) || !isNaturals(strides)) break;
      if (shape.length !== strides.length || shape.length > MAX_DIMENSIONS) break;
      const tensor: Tensor = { kind: 'tensor', storage, dtype, offset, shape, strides };
      return tensor;
    }
  }
  throw badWeights(file, `its pickle calls ${name} with arguments that are not those of a tensor.`);
}

/** `('storage', <class>, key, location, count)` */
function storageOf(file: string, id: PickleValue): PickleValue {
  if (Array.isArray(id) && id[0] === 'storage' && isGlobal(id[1]) && typeof id[2] === 'string') {
    const dtype = STORAGES[id[1].name];
    // A key is a file's name inside of the archive.
    if (dtype && /^\d{1,9}$/.test(id[2])) {
      const storage: Storage = { kind: 'storage', key: id[2], dtype };
      return storage;
    }
  }
  throw badWeights(file, 'its pickle names something outside of it that is no storage of a tensor.');
}

/** The tensors by name, from the dictionary itself or one of the usual places in it. */
function stateDict(file: string, value: PickleValue): [string, Tensor][] {
  const tensorsOf = (dict: PickleValue | undefined) =>
    dict instanceof Map
      ? [...dict].filter(
          (entry): entry is [string, Tensor] => typeof entry[0] === 'string' && isTensor(entry[1]),
        )
      : [];
  const own = tensorsOf(value);
  if (own.length > 0) return own;
  for (const key of value instanceof Map ? NESTED : []) {
    const inner = tensorsOf((value as Map<PickleValue, PickleValue>).get(key));
    if (inner.length > 0) return inner;
  }
  throw badWeights(
    file,
    'it holds no table of tensors.',
    'Save the model with torch.save(model.state_dict(), ...).',
  );
}

/** Checks that a tensor lies inside of its storage, and says where. */
function place(
  where: string,
  name: string,
  tensor: Tensor,
  root: string,
  entries: ReadonlyMap<string, ZipEntry>,
): TensorInfo {
  const { dtype, shape, offset, storage } = tensor;
  const entry = entries.get(`${root}data/${storage.key}`);
  if (!entry) throw badWeights(where, `its storage "${storage.key}" is not in the file.`);
  const byteLength = byteLengthOf(dtype, shape);
  if (typeof byteLength === 'string') throw badWeights(where, `${byteLength}.`);
  const width = UNIT[dtype][1];
  // So an expanded tensor (stride 0) cannot claim more memory than the file has.
  if (byteLength > entry.size || (offset + span(tensor)) * width > entry.size)
    throw badWeights(
      where,
      `[${shape.join(', ')}] ${dtype} with strides [${tensor.strides.join(', ')}] from value ${offset} on is more than its storage of ${entry.size} bytes holds.`,
    );
  return { name, dtype, shape, byteOffset: entry.offset + offset * width, byteLength };
}

/** Values of the storage from a tensor's first to its last. */
function span({ shape, strides }: Tensor): number {
  return countOf(shape) === 0 ? 0 : shape.reduce((sum, size, i) => sum + (size - 1) * strides[i]!, 1);
}

function isContiguous({ shape, strides }: Tensor): boolean {
  let expected = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    if (shape[i] !== 1 && strides[i] !== expected) return countOf(shape) === 0;
    expected *= shape[i]!;
  }
  return true;
}

/** The values of a strided tensor, last dimension fastest. */
function inRowOrder(stored: Uint8Array, { shape, strides }: Tensor, width: number): Uint8Array {
  const ordered = new Uint8Array(countOf(shape) * width);
  const index = shape.map(() => 0);
  let from = 0;
  for (let to = 0; to < ordered.length; to += width) {
    for (let byte = 0; byte < width; byte++) ordered[to + byte] = stored[from * width + byte]!;
    for (let d = shape.length - 1; d >= 0; d--) {
      index[d]!++;
      from += strides[d]!;
      if (index[d]! < shape[d]!) break;
      from -= index[d]! * strides[d]!;
      index[d] = 0;
    }
  }
  return ordered;
}

function isNatural(value: PickleValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isNaturals(value: PickleValue | undefined): value is number[] {
  return Array.isArray(value) && value.every(isNatural);
}
