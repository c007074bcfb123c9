/** Changes of a text that a person would not be fooled by, to see whether the model is. Plain functions, the same each time. */

export interface Breaking {
  id: string;
  label: string;
  apply: (text: string) => string;
}

const SMALL =
  /\b(?:a|an|the|of|to|in|on|at|by|for|and|or|is|are|was|were|be|been|that|this|it|its|with|as|from)\b\s*/gi;

/** Two neighbouring letters inside the longest word change places. */
function typo(text: string): string {
  const words = text.match(/\p{L}{4,}/gu) ?? [];
  const longest = words.reduce((best, word) => (word.length > best.length ? word : best), '');
  const middle = Math.floor(longest.length / 2);
  if (middle < 1 || longest[middle - 1] === longest[middle])
    return text.replace(longest, longest.slice(0, -1));
  const swapped = `${longest.slice(0, middle - 1)}${longest[middle]}${longest[middle - 1]}${longest.slice(middle + 1)}`;
  return text.replace(longest, swapped);
}

const lowerFirst = (text: string) =>
  /^I\b/.test(text) ? text : text.charAt(0).toLowerCase() + text.slice(1);

export const BREAKINGS: readonly Breaking[] = [
  { id: 'capitals', label: 'in capitals', apply: (text) => text.toUpperCase() },
  { id: 'typo', label: 'a typo', apply: typo },
  { id: 'not', label: 'denied', apply: (text) => `It is not true that ${lowerFirst(text)}` },
  { id: 'opinion', label: 'as “I think”', apply: (text) => `I think ${lowerFirst(text)}` },
  { id: 'small', label: 'no small words', apply: (text) => text.replace(SMALL, '').trim() },
];

/** Those that change this text. */
export function breakingsFor(text: string): Breaking[] {
  return BREAKINGS.filter(({ apply }) => {
    const changed = apply(text);
    return changed !== text && changed !== '';
  });
}
