/** The guided tour: what each stop is about, and the part of the Tune station that it points at. */

export interface Stop {
  title: string;
  text: string;
  /** The first of these that is on the page and has a size is pointed at. */
  targets: readonly string[];
  /** Pages to go on to. */
  links?: readonly { href: string; title: string }[];
}

export const STOPS: readonly Stop[] = [
  {
    title: 'A model that stays as it is',
    text: 'The blue bars are the layers of a language model, a T5. They are frozen: training changes none of their numbers. Blue is always what is frozen.',
    targets: ['.scene'],
  },
  {
    title: 'What learns',
    text: 'The warm tiles are virtual tokens, the soft prompt: vectors put before your text, as if they were words. Only these few numbers learn. Warm is always what learns.',
    targets: ['.scene .tiles', '.scene'],
  },
  {
    title: 'What the model reads',
    text: 'First the virtual tokens, then the text, cut into tokens. The model answers with a word for a label. Another table of your own comes in at the Data station.',
    targets: ['.tune-reads'],
  },
  {
    title: 'The recipe',
    text: 'How many virtual tokens, what they start from, and how far each step moves them. “paper’s values” sets what Lester et al. used in 2021. A run with another recipe can be laid over this one.',
    targets: ['.recipe', '.tune-in .fold'],
  },
  {
    title: 'Train, or one step at a time',
    text: 'Train starts a run (key t). One step (key s) shows its four parts: forward, loss, backward, update. Ribbons in the picture are the gradient on its way back to the tiles.',
    targets: ['.transport'],
  },
  {
    title: 'Is it any good',
    text: 'Accuracy on dev rows, which the prompt never learned from. The dashed lines are what it has to beat: always saying the commonest label, the untuned model, a prompt in words.',
    targets: ['.charts'],
  },
  {
    title: 'Try it',
    text: 'Write a text and see the labels’ probabilities without a prompt, with a prompt in words, and with the soft prompt, while it learns. “now break it” asks you for a text that it gets wrong.',
    targets: ['.tune-out'],
  },
  {
    title: 'Where to go from here',
    text: 'Results lists what a run gets wrong. Prompt hands you what was learned as a file, shows it from within, and lets several prompts share one batch. Lessons has five experiments, each with a guess to make first.',
    targets: ['.stations'],
    links: [
      { href: '/prompt/inside', title: 'Inside the prompt' },
      { href: '/prompt/together', title: 'One model, many prompts' },
      { href: '/lessons', title: 'Lessons' },
    ],
  },
];

/** The stop that an address names, from 1; undefined where it names none. */
export function stopNumber(value: string | null): number | undefined {
  const number = Number(value);
  return value && Number.isInteger(number) && number >= 1 && number <= STOPS.length ? number : undefined;
}

export interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

const GAP = 14;
const EDGE = 12;

/**
 * Where the tour's card stands beside what it speaks of: right, left, under or over it, the first that has room; where none
 * has, in its lower right corner. Always inside the window.
 */
export function placeCard(
  target: Box | undefined,
  card: { width: number; height: number },
  view: { width: number; height: number },
): { left: number; top: number } {
  const within = (value: number, size: number, all: number) =>
    Math.max(EDGE, Math.min(value, all - size - EDGE));
  const at = (left: number, top: number) => ({
    left: within(left, card.width, view.width),
    top: within(top, card.height, view.height),
  });
  if (!target) return at(view.width, view.height);
  const right = target.left + target.width;
  const bottom = target.top + target.height;
  if (view.width - right >= card.width + GAP + EDGE) return at(right + GAP, target.top);
  if (target.left >= card.width + GAP + EDGE) return at(target.left - card.width - GAP, target.top);
  if (view.height - bottom >= card.height + GAP + EDGE) return at(target.left, bottom + GAP);
  if (target.top >= card.height + GAP + EDGE) return at(target.left, target.top - card.height - GAP);
  return at(right - card.width - GAP, bottom - card.height - GAP);
}
