import { badWeights } from './problem.ts';

/** What is no plain data: a name, or what the rules made of a call. A pickle itself cannot make one. */
export interface PickleObject {
  readonly kind: string;
}

/** A class or function that a pickle names. Nothing is looked up or called: the name itself is the value. */
export interface PickleGlobal extends PickleObject {
  readonly kind: 'global';
  name: string;
}

/** What a pickle of a state dict is made of. Dictionaries are Maps, lists and tuples are arrays. */
export type PickleValue =
  | null
  | boolean
  | number
  | string
  | PickleObject
  | PickleValue[]
  | Map<PickleValue, PickleValue>;

/** What the machine may do beyond plain data. */
export interface PickleRules {
  /** Names that may appear. */
  allowed: ReadonlySet<string>;
  /** The value of a call to an allowed name, computed by us. @throws PreludeError where the arguments do not fit */
  call(name: string, args: readonly PickleValue[]): PickleValue;
  /** The value that stands for something outside of the pickle. */
  persistent(id: PickleValue): PickleValue;
}

const MARK = Symbol('mark');
const FRESH = 'Do not open this file with other programs either, unless you trust where it comes from.';

/**
 * Reads a pickle as data. Executes nothing: a program that is more than a state dict, with another opcode or another
 * global, is refused by that opcode's or global's name. Time and memory are bounded by the pickle's length.
 * @param file the file's name, for messages
 * @param start of the pickle within the bytes; `end` is where it ends
 * @throws PreludeError 'bad-weights'
 * Source: Python's `pickletools`, protocol 2.
 */
export function readPickle(
  file: string,
  bytes: Uint8Array,
  rules: PickleRules,
  start = 0,
): { value: PickleValue; end: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const stack: (PickleValue | typeof MARK)[] = [];
  const memo = new Map<number, PickleValue>();
  let at = start;
  const broken = (what: string) => badWeights(file, `its pickle is broken at byte ${at}: ${what}.`);

  const take = (length: number): number => {
    if (length < 0 || at + length > bytes.byteLength)
      throw broken(`${length} bytes are asked for, ${bytes.byteLength - at} follow`);
    at += length;
    return at - length;
  };
  const text = (length: number): string => {
    const from = take(length);
    try {
      return decoder.decode(bytes.subarray(from, from + length));
    } catch (cause) {
      throw badWeights(file, `its pickle holds a text that is no UTF-8 at byte ${from}.`, undefined, cause);
    }
  };
  const line = (): string => {
    const end = bytes.indexOf(0x0a, at);
    if (end < 0 || end - at > 1000) throw broken('a name does not end');
    const found = text(end - at);
    at++;
    return found;
  };
  const pop = (): PickleValue => {
    const value = stack.pop();
    if (value === undefined || value === MARK) throw broken('the stack is empty');
    return value;
  };
  const top = (): PickleValue => {
    const value = pop();
    stack.push(value);
    return value;
  };
  const popMark = (): PickleValue[] => {
    const from = stack.lastIndexOf(MARK);
    if (from < 0) throw broken('there is no mark');
    const values = stack.splice(from + 1) as PickleValue[];
    stack.pop();
    return values;
  };
  const popTuple = (length: number): PickleValue[] => {
    const values = stack.splice(Math.max(0, stack.length - length));
    if (values.length < length || values.includes(MARK)) throw broken('the stack is empty');
    return values as PickleValue[];
  };
  const setItems = (target: PickleValue, items: readonly PickleValue[]) => {
    if (!(target instanceof Map) || items.length % 2) throw broken('items are set in what is no dictionary');
    for (let i = 0; i < items.length; i += 2) target.set(items[i]!, items[i + 1]!);
  };
  const append = (target: PickleValue, items: readonly PickleValue[]) => {
    if (!Array.isArray(target)) throw broken('something is appended to what is no list');
    for (const item of items) target.push(item);
  };
  const get = (index: number): PickleValue => {
    const value = memo.get(index);
    if (value === undefined) throw broken(`memo ${index} is not there`);
    return value;
  };
  const named = (module: string, name: string): PickleGlobal => {
    const global = `${module}.${name}`;
    if (!rules.allowed.has(global))
      throw badWeights(
        file,
        `its pickle asks for ${JSON.stringify(global)}, which is no part of a table of tensors. Nothing was executed.`,
        `If it is a whole saved model, save its state_dict() instead. ${FRESH}`,
      );
    return { kind: 'global', name: global };
  };

  for (;;) {
    const where = at;
    const opcode = view.getUint8(take(1));
    switch (opcode) {
      case 0x80: {
        const protocol = view.getUint8(take(1));
        if (protocol > 2)
          throw badWeights(file, `its pickle is of protocol ${protocol}; torch.save writes protocol 2.`);
        break;
      }
      case 0x2e: // STOP
        return { value: pop(), end: at };
      case 0x28:
        stack.push(MARK);
        break;
      case 0x4e: // NONE
        stack.push(null);
        break;
      case 0x88: // NEWTRUE
        stack.push(true);
        break;
      case 0x89: // NEWFALSE
        stack.push(false);
        break;
      case 0x4a: // BININT
        stack.push(view.getInt32(take(4), true));
        break;
      case 0x4b: // BININT1
        stack.push(view.getUint8(take(1)));
        break;
      case 0x4d: // BININT2
        stack.push(view.getUint16(take(2), true));
        break;
      case 0x8a: {
        // LONG1
        const length = view.getUint8(take(1));
        const from = take(length);
        let value = 0n;
        for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[from + i]!);
        const signed = BigInt.asIntN(length * 8, value);
        if (!Number.isSafeInteger(Number(signed))) throw broken(`the number ${signed} is beyond any file`);
        stack.push(Number(signed));
        break;
      }
      case 0x47: // BINFLOAT, big-endian
        stack.push(view.getFloat64(take(8), false));
        break;
      case 0x58: // BINUNICODE
        stack.push(text(view.getUint32(take(4), true)));
        break;
      case 0x55: // SHORT_BINSTRING
        stack.push(text(view.getUint8(take(1))));
        break;
      case 0x7d: // EMPTY_DICT
        stack.push(new Map());
        break;
      case 0x5d: // EMPTY_LIST
      case 0x29: // EMPTY_TUPLE
        stack.push([]);
        break;
      case 0x74: // TUPLE
        stack.push(popMark());
        break;
      case 0x85: // TUPLE1
      case 0x86:
      case 0x87:
        stack.push(popTuple(opcode - 0x84));
        break;
      case 0x71: // BINPUT
        memo.set(view.getUint8(take(1)), top());
        break;
      case 0x72: // LONG_BINPUT
        memo.set(view.getUint32(take(4), true), top());
        break;
      case 0x68: // BINGET
        stack.push(get(view.getUint8(take(1))));
        break;
      case 0x6a: // LONG_BINGET
        stack.push(get(view.getUint32(take(4), true)));
        break;
      case 0x63: // GLOBAL
        stack.push(named(line(), line()));
        break;
      case 0x51: // BINPERSID
        stack.push(rules.persistent(pop()));
        break;
      case 0x52: {
        // REDUCE
        const args = pop();
        const callee = pop();
        if (!Array.isArray(args) || !isGlobal(callee)) throw broken('what is called is no function');
        stack.push(rules.call(callee.name, args));
        break;
      }
      case 0x73: {
        // SETITEM
        const items = popTuple(2);
        setItems(top(), items);
        break;
      }
      case 0x75: {
        // SETITEMS
        const items = popMark();
        setItems(top(), items);
        break;
      }
      case 0x61: {
        // APPEND
        const item = pop();
        append(top(), [item]);
        break;
      }
      case 0x65: {
        // APPENDS
        const items = popMark();
        append(top(), items);
        break;
      }
      case 0x62: // BUILD: attributes of an OrderedDict (`_metadata`), which are no tensors
        pop();
        if (!(top() instanceof Map)) throw broken('attributes are set on what is no dictionary');
        break;
      default:
        throw badWeights(
          file,
          `its pickle has the opcode 0x${opcode.toString(16).padStart(2, '0')} at byte ${where}, which a table of tensors never needs. Nothing was executed.`,
          `Save the model again with torch.save(model.state_dict(), ...). ${FRESH}`,
        );
    }
  }
}

export function isGlobal(value: PickleValue | undefined): value is PickleGlobal {
  return isObject(value) && value.kind === 'global';
}

export function isObject(value: PickleValue | undefined): value is PickleObject {
  return typeof value === 'object' && value !== null && 'kind' in value;
}
