import type { PreludeError } from '../errors.ts';
import {
  isGlobal,
  isObject,
  type PickleObject,
  type PickleRules,
  type PickleValue,
  readPickle,
} from './pickle.ts';
import { badWeights } from './problem.ts';
import type { ByteSource } from './source.ts';
import { byteLengthOf, countOf, type DType, type TensorInfo, UNIT, type WeightFile } from './types.ts';
import { readZip } from './zip.ts';

/** Enough for 10,000 tensors, more than any model here has; the machine reads it in well under a second. */
const MAX_PICKLE_BYTES = 2 * 2 ** 20;
const MAX_DIMENSIONS = 8;

/** The pickle of the number that the old form begins with, and the version behind it. */
const MAGIC = [0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e];
const OLD_VERSION = 1001;

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

/** Where a storage's values lie in the file, in bytes. */
interface Extent {
  offset: number;
  size: number;
}

/** A checkpoint's table of contents: its value, and where each storage is, by key. */
interface Contents {
  value: PickleValue;
  storages: ReadonlyMap<string, Extent>;
}

/**
 * Opens a PyTorch checkpoint, in the zip form (`torch.save` since 1.6) or the one before it: a state dict, as
 * `pytorch_model.bin` holds, or one under `state_dict` or `model` of a training checkpoint. Its pickle is read as data and
 * never executed; any name or opcode beyond tensors and dictionaries is refused. Tensors that share a storage are read each
 * from its place; a transposed one is put in row-major order when it is read. Entries that are no tensors are left out.
 * @throws PreludeError 'bad-weights' naming file, tensor, global or opcode
 * Source: torch/serialization.py and torch/_utils.py.
 */
export async function openPytorch(source: ByteSource): Promise<WeightFile> {
  const { name: file } = source;
  const start = await source.read(0, Math.min(MAGIC.length, source.size));
  const isOld = MAGIC.every((byte, i) => start[i] === byte);
  if (!isOld && !(start[0] === 0x50 && start[1] === 0x4b))
    throw badWeights(file, 'it is no zip archive, so it is no PyTorch checkpoint.');
  const { value, storages } = isOld ? await readOld(source) : await readArchive(source);
  const placed = new Map<string, { info: TensorInfo; tensor: Tensor }>();
  for (const [name, tensor] of stateDict(file, value))
    placed.set(name, { info: place(`${file}, tensor "${name}"`, name, tensor, storages), tensor });

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

function rulesOf(file: string, seen?: Map<string, Storage>): PickleRules {
  return {
    allowed: ALLOWED,
    call: (name, args) => call(file, name, args),
    persistent(id) {
      const storage = storageOf(file, id);
      seen?.set(storage.key, storage);
      return storage;
    },
  };
}

/** The zip form: a pickle, and each storage in a file of its own. */
async function readArchive(source: ByteSource): Promise<Contents> {
  const { name: file } = source;
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
    throw bigEndian(file);
  const { value } = readPickle(file, await source.read(pickle.offset, pickle.size), rulesOf(file));
  const data = `${root}data/`;
  const storages = [...entries.values()]
    .filter(({ name }) => name.startsWith(data))
    .map((entry): [string, Extent] => [entry.name.slice(data.length), entry]);
  return { value, storages: new Map(storages) };
}

/**
 * The form before PyTorch 1.6: pickles of a magic number, the version, the machine, the value and the storages' keys; then for each
 * key the number of values (int64) and the values.
 */
async function readOld(source: ByteSource): Promise<Contents> {
  const { name: file } = source;
  const bytes = await source.read(0, Math.min(source.size, MAX_PICKLE_BYTES));
  const seen = new Map<string, Storage>();
  const rules = rulesOf(file, seen);
  const version = readPickle(file, bytes, rules, MAGIC.length);
  const machine = readPickle(file, bytes, rules, version.end);
  if (version.value !== OLD_VERSION) throw badWeights(file, 'it is of an unknown version of the old form.');
  if (!(machine.value instanceof Map) || machine.value.get('little_endian') !== true) throw bigEndian(file);
  const { value, end } = readPickle(file, bytes, rules, machine.end);
  const keys = readPickle(file, bytes, rules, end);
  if (!Array.isArray(keys.value)) throw badWeights(file, 'it has no list of storages.');
  const storages = new Map<string, Extent>();
  let at = keys.end;
  for (const key of keys.value) {
    const storage = typeof key === 'string' ? seen.get(key) : undefined;
    if (!storage || storage.dtype === 'untyped' || storages.has(storage.key))
      throw badWeights(file, 'its list of storages names one that no tensor uses, or one twice.');
    const stored = await source.read(at, 8);
    const count = new DataView(stored.buffer, stored.byteOffset, 8).getBigInt64(0, true);
    const offset = at + 8;
    if (count < 0n || count > BigInt(source.size))
      throw badWeights(file, `its storage "${storage.key}" claims ${count} values.`);
    const size = Number(count) * UNIT[storage.dtype][1];
    if (offset + size > source.size)
      throw badWeights(
        file,
        `its storage "${storage.key}" of ${size} bytes from ${offset} reaches beyond the file's end, ${source.size}.`,
      );
    storages.set(storage.key, { offset, size });
    at = offset + size;
  }
  return { value, storages };
}

function bigEndian(file: string): PreludeError {
  return badWeights(file, 'it was saved on a big-endian machine.', 'Save it again on an ordinary computer.');
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

/** `('storage', <class>, key, location, count)`, in the old form with a view of it behind, which is None. */
function storageOf(file: string, id: PickleValue): Storage {
  if (Array.isArray(id) && id[0] === 'storage' && isGlobal(id[1]) && typeof id[2] === 'string') {
    const dtype = STORAGES[id[1].name];
    // A key is a file's name inside of the archive.
    if (dtype && /^\d{1,20}$/.test(id[2]) && (id[5] ?? null) === null)
      return { kind: 'storage', key: id[2], dtype };
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
  storages: ReadonlyMap<string, Extent>,
): TensorInfo {
  const { dtype, shape, offset, storage } = tensor;
  const entry = storages.get(storage.key);
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
