import { labelCounts } from './examples.ts';
import { isDamaged, repairEncoding } from './mojibake.ts';
import type { Example, Finding, Splits } from './types.ts';
import { counted } from './words.ts';

/**
 * Looks for what spoils a labelled data set quietly: duplicates, contradictions, texts that stand in two parts, rows without words,
 * labels spelt two ways or far from balanced, broken letters. Findings with a `mend` can be handed to `mend`.
 * `splits` holds indices into `examples`.
 */
export function examine(examples: readonly Example[], splits?: Splits): Finding[] {
  const texts = sameTexts(examples);
  return [
    ...contradictions(examples, texts),
    ...duplicates(examples, texts),
    ...(splits === undefined ? [] : [...leaks(examples, splits, texts), ...unseenLabels(examples, splits)]),
    ...labelSpellings(examples),
    ...balance(examples),
    ...wordless(examples),
    ...brokenLetters(examples),
  ];
}

/**
 * The examples after the finding's mend, as a new array; examples that did not change are the same objects. The finding must come
 * from these very examples. Undo: keep the old array. Where rows were dropped, `keepSplits` moves the split along.
 */
export function mend(examples: readonly Example[], finding: Finding): Example[] {
  const touched = new Set(finding.examples);
  switch (finding.mend) {
    case 'drop-rows':
      return examples.filter((_, index) => !touched.has(index));
    case 'merge-labels': {
      const label = finding.label;
      if (label === undefined) return examples.slice();
      return examples.map((example, index) => (touched.has(index) ? { ...example, label } : example));
    }
    case 'repair-encoding':
      return examples.map((example, index) => (touched.has(index) ? repaired(example) : example));
    case undefined:
      return examples.slice();
  }
}

/** The same split after `mend`: dropped examples are gone and the indices of the others have moved up. */
export function keepSplits(splits: Splits, finding: Finding): Splits {
  if (finding.mend !== 'drop-rows') return splits;
  const dropped = [...new Set(finding.examples)].sort((a, b) => a - b);
  const gone = new Set(dropped);
  const moved = (part: readonly number[]) => {
    let before = 0;
    const sorted = part.filter((index) => !gone.has(index)).sort((a, b) => a - b);
    return sorted.map((index) => {
      while (before < dropped.length && dropped[before]! < index) before++;
      return index - before;
    });
  };
  return { train: moved(splits.train), dev: moved(splits.dev), test: moved(splits.test) };
}

function duplicates(examples: readonly Example[], texts: Uint32Array): Finding[] {
  /** The first label of each text; more than one label is rare. */
  const first = new Map<number, string>();
  const others = new Set<string>();
  const again: number[] = [];
  examples.forEach(({ label }, index) => {
    const text = texts[index]!;
    const known = first.get(text);
    if (known === undefined) first.set(text, label);
    else if (known === label) again.push(index);
    else {
      const key = `${text} ${label}`;
      if (others.has(key)) again.push(index);
      else others.add(key);
    }
  });
  if (again.length === 0) return [];
  const repeat = again.length === 1 ? 'repeats' : 'repeat';
  return [
    found(examples, again, {
      kind: 'duplicate',
      severity: 'warning',
      message: `${counted(again.length, 'row')} ${repeat} an earlier one, text and label alike.`,
      mend: 'drop-rows',
    }),
  ];
}

function contradictions(examples: readonly Example[], texts: Uint32Array): Finding[] {
  const first = new Map<number, string>();
  const contested = new Set<number>();
  examples.forEach(({ label }, index) => {
    const text = texts[index]!;
    const known = first.get(text);
    if (known === undefined) first.set(text, label);
    else if (known !== label) contested.add(text);
  });
  const mixed = [...contested];
  if (mixed.length === 0) return [];
  const indices = indicesWhere(examples, (_, index) => contested.has(texts[index]!));
  const stand = mixed.length === 1 ? 'stands' : 'stand';
  return [
    found(examples, indices, {
      kind: 'conflict',
      severity: 'warning',
      message: `${counted(mixed.length, 'text')} ${stand} there with different labels (${counted(indices.length, 'row')}): no model can get all of them right.`,
      mend: 'drop-rows',
    }),
  ];
}

function leaks(examples: readonly Example[], splits: Splits, texts: Uint32Array): Finding[] {
  const findings: Finding[] = [];
  const look = (from: readonly number[], held: readonly number[], kind: 'leak-test' | 'leak-dev') => {
    const heldTexts = new Set(held.map((index) => texts[index]!));
    const copies = from.filter((index) => heldTexts.has(texts[index]!));
    if (copies.length === 0) return;
    const count = new Set(copies.map((index) => texts[index]!)).size;
    const test = kind === 'leak-test';
    findings.push(
      found(examples, copies, {
        kind,
        severity: 'warning',
        message: test
          ? `${counted(count, 'text')} of the test part can be seen before the test: the result would flatter the prompt.`
          : `${counted(count, 'text')} of the dev part also ${count === 1 ? 'stands' : 'stand'} in the training part: the checkpoint would be chosen on texts learnt by heart.`,
        mend: 'drop-rows',
      }),
    );
  };
  look(
    [...splits.train, ...splits.dev].sort((a, b) => a - b),
    splits.test,
    'leak-test',
  );
  look(splits.train, splits.dev, 'leak-dev');
  return findings;
}

/** Own files for dev or test may hold labels that the training file has not. */
function unseenLabels(examples: readonly Example[], splits: Splits): Finding[] {
  const learnt = new Set(splits.train.map((index) => examples[index]!.label));
  const unseen = [...splits.dev, ...splits.test].filter((index) => !learnt.has(examples[index]!.label));
  if (unseen.length === 0) return [];
  const labels = [...new Set(unseen.map((index) => `"${examples[index]!.label}"`))];
  return [
    found(examples, unseen, {
      kind: 'unseen-label',
      severity: 'warning',
      message: `${counted(unseen.length, 'row')} of the dev or test part ${unseen.length === 1 ? 'has' : 'have'} a label that the training part has not: ${labels.slice(0, 5).join(', ')}.`,
      mend: 'drop-rows',
    }),
  ];
}

function labelSpellings(examples: readonly Example[]): Finding[] {
  const groups = new Map<string, string[]>();
  // The counts come most frequent first, so a group's first spelling is the one to keep.
  for (const { label } of labelCounts(examples)) {
    const key = label
      .normalize('NFKC')
      .toLowerCase()
      .replace(/[\s_-]+/g, ' ')
      .trim();
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [label]);
    else group.push(label);
  }
  return [...groups.values()]
    .filter((spellings) => spellings.length > 1)
    .map(([keep, ...others]) => {
      const indices = indicesWhere(examples, (example) => others.includes(example.label));
      return found(examples, indices, {
        kind: 'label-spelling',
        severity: 'warning',
        message: `${[keep, ...others].map((label) => `"${label}"`).join(' and ')} differ only in capitals or spaces, and count as different labels.`,
        mend: 'merge-labels',
        label: keep,
      });
    });
}

/** The most frequent label is told of when it is ten times as frequent as the rarest, or has four fifths of all rows. */
function balance(examples: readonly Example[]): Finding[] {
  const counts = labelCounts(examples);
  const most = counts[0];
  const least = counts.at(-1);
  if (most === undefined || least === undefined || counts.length < 2) return [];
  const share = most.count / examples.length;
  if (most.count < 10 * least.count && share < 0.8) return [];
  const percent = `${(100 * share).toFixed(0)} %`;
  return [
    {
      kind: 'unbalanced',
      severity: 'warning',
      message: `"${most.label}" has ${counted(most.count, 'row')} (${percent}), "${least.label}" only ${least.count.toLocaleString('en')}. Always saying "${most.label}" would be right ${percent} of the time; look at macro-F1 rather than accuracy.`,
      rows: examples.filter((example) => example.label === least.label).map((example) => example.row),
      examples: [],
    },
  ];
}

function wordless(examples: readonly Example[]): Finding[] {
  const empty = (text: string | undefined) => text !== undefined && !/\p{L}/u.test(text);
  const indices = indicesWhere(examples, (example) => empty(example.text) || empty(example.text2));
  if (indices.length === 0) return [];
  return [
    found(examples, indices, {
      kind: 'no-letters',
      severity: 'warning',
      message: `${counted(indices.length, 'row')} ${indices.length === 1 ? 'has' : 'have'} a text without a single letter.`,
      mend: 'drop-rows',
    }),
  ];
}

function brokenLetters(examples: readonly Example[]): Finding[] {
  const findings: Finding[] = [];
  const damaged = indicesWhere(examples, (example) => {
    const { text, text2 = '', label } = example;
    return isDamaged(text) || isDamaged(text2) || isDamaged(label);
  });
  if (damaged.length > 0)
    findings.push(
      found(examples, damaged, {
        kind: 'encoding',
        severity: 'warning',
        message: `${counted(damaged.length, 'row')} ${damaged.length === 1 ? 'has' : 'have'} letters broken by a wrong encoding ("Ã©" for "é"); they can be put right.`,
        mend: 'repair-encoding',
      }),
    );
  const lost = indicesWhere(examples, ({ text, text2, label }) =>
    `${text}${text2 ?? ''}${label}`.includes('\ufffd'),
  );
  if (lost.length > 0)
    findings.push(
      found(examples, lost, {
        kind: 'encoding',
        severity: 'warning',
        message: `${counted(lost.length, 'row')} ${lost.length === 1 ? 'has' : 'have'} letters that are lost ("\ufffd"). Read the file with another encoding, or leave these rows out.`,
        mend: 'drop-rows',
      }),
    );
  return findings;
}

function repaired(example: Example): Example {
  const result = { ...example, text: repairEncoding(example.text), label: repairEncoding(example.label) };
  if (example.text2 !== undefined) result.text2 = repairEncoding(example.text2);
  return result;
}

/**
 * A number for each example's text: the same where two differ in blank space at most. Found once for all that compares texts, since
 * at 100,000 rows the comparing is what takes the time.
 */
function sameTexts(examples: readonly Example[]): Uint32Array {
  const numbers = new Map<string, number>();
  return Uint32Array.from(examples, ({ text, text2 }) => {
    const key = text2 === undefined ? plain(text) : `${plain(text)}\u0000${plain(text2)}`;
    const known = numbers.get(key);
    if (known !== undefined) return known;
    numbers.set(key, numbers.size);
    return numbers.size - 1;
  });
}

/** Blank space that is more than one space between words. */
const RAGGED = /^\s|\s$|\s\s|[^\S ]/;

function plain(text: string): string {
  return RAGGED.test(text) ? text.replace(/\s+/g, ' ').trim() : text;
}

function found(
  examples: readonly Example[],
  indices: number[],
  rest: Omit<Finding, 'rows' | 'examples'>,
): Finding {
  return { ...rest, rows: indices.map((index) => examples[index]!.row), examples: indices };
}

function indicesWhere(
  examples: readonly Example[],
  wanted: (example: Example, index: number) => boolean,
): number[] {
  const indices: number[] = [];
  examples.forEach((example, index) => {
    if (wanted(example, index)) indices.push(index);
  });
  return indices;
}
