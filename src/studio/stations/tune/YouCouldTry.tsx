import { useState } from 'react';
import type { Recipe } from '../../../tuning/recipe.ts';
import { Button } from '../../components/index.ts';
import { liveRun } from '../../stores/runs.ts';
import { fixedParts } from '../../stores/teacher.ts';
import { useRuns, useSession, useStudio } from '../../studio.tsx';

interface Suggestion {
  id: string;
  /** What of the recipe it changes. */
  part: keyof Recipe;
  words: string;
  question: string;
  apply: (recipe: Recipe) => Recipe;
}

const SUGGESTIONS: Suggestion[] = [
  {
    id: 'one',
    part: 'promptLength',
    words: 'a single virtual token.',
    question: 'How much accuracy will be left?',
    apply: (recipe) => ({ ...recipe, promptLength: 1 }),
  },
  {
    id: 'random',
    part: 'init',
    words: 'a start from random numbers.',
    question: 'Will it catch up with words?',
    apply: (recipe) => ({ ...recipe, init: { kind: 'random', range: 0.5 } }),
  },
  {
    id: 'slow',
    part: 'optimizer',
    words: 'a tenth of the learning rate.',
    question: 'How far will the loss get?',
    apply: (recipe) => ({
      ...recipe,
      optimizer: { ...recipe.optimizer, learningRate: recipe.optimizer.learningRate / 10 },
    }),
  },
  {
    id: 'long',
    part: 'promptLength',
    words: '100 virtual tokens, as the paper.',
    question: 'Is longer better on a model this small?',
    apply: (recipe) => ({ ...recipe, promptLength: 100 }),
  },
  {
    id: 'seed',
    part: 'seed',
    words: 'another seed.',
    question: 'How far apart will the two curves end?',
    apply: (recipe) => ({ ...recipe, seed: recipe.seed + 1 }),
  },
];

/** One experiment, as a question with a guess to make before the press. */
export function YouCouldTry() {
  const [index, setIndex] = useState(0);
  const studio = useStudio();
  const ready = useSession((s) => s.phase === 'ready');
  const live = useRuns((s) => liveRun(s) !== undefined);
  const held = fixedParts(studio.teacher);
  const open = SUGGESTIONS.filter(({ part }) => !held.includes(part));
  const suggestion = open[index % open.length];
  if (!suggestion) return null;
  const next = () => setIndex((i) => i + 1);
  const tryIt = () => {
    const { recipe, runs, notices } = studio;
    const before = recipe.getState().recipe;
    recipe.getState().load(suggestion.apply(before));
    notices.getState().toast(`The recipe has ${suggestion.words.replace(/\.$/, '')} now.`, {
      undo: () => recipe.getState().load(before),
    });
    if (ready && !live) void runs.getState().start(recipe.getState().recipe);
    next();
  };
  return (
    <p className="could-try small">
      <b>You could try…</b> {suggestion.words} {suggestion.question}{' '}
      <Button variant="warm-link" onPress={tryIt}>
        Guess, then press
      </Button>{' '}
      <Button variant="link" onPress={next}>
        or another
      </Button>
    </p>
  );
}
