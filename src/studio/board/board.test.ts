import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { defaultRecipe } from '../../tuning/recipe.ts';
import { createNotices } from '../stores/notices.ts';
import { viewOf } from '../stores/runs.ts';
import { createBoard } from './board.ts';
import { cardOf, type RunCard, rank, readCards, splitObjects } from './card.ts';

const run = viewOf({
  id: 'r',
  name: 'questions 1 {"odd" \\ name}',
  state: 'finished',
  recipe: defaultRecipe,
  modelId: 'small',
  modelTitle: 'nano-T5 small',
  dataName: 'Questions',
  step: 300,
  steps: [],
  evals: [{ step: 300, accuracy: 0.64, loss: 0.9, best: true }],
  seconds: 41.237,
  learned: 2560,
  resumable: false,
});
const card = cardOf(run, 'abc')!;

describe('run cards', () => {
  test('carry accuracy, learned bytes, recipe and fingerprint', () => {
    expect(card).toMatchObject({
      accuracy: { dev: 0.64 },
      learned: 2560,
      bytes: 10240,
      recipe: defaultRecipe,
      model: { fingerprint: 'abc' },
      seconds: 41.2,
    });
    expect(cardOf({ ...run, evals: [] }, 'abc')).toBeUndefined();
  });

  test('are read back one or many, whatever stands between them', () => {
    const text = JSON.stringify(card);
    expect(readCards(text)).toEqual([card]);
    expect(readCards(`Anna: ${JSON.stringify(card, null, 2)}\n\n, ${text} and “so on”`)).toEqual([
      card,
      card,
    ]);
    expect(readCards(JSON.stringify([card, card]))).toEqual([card, card]);
  });

  test('what is no card is refused by name', () => {
    expect(() => readCards('hello')).toThrow('Card 1 of 1: no JSON');
    expect(() => readCards(`${JSON.stringify(card)} {"format":`)).toThrow(
      'Card 2 of 2: this is no whole JSON',
    );
    expect(() => readCards(JSON.stringify({ ...card, accuracy: { dev: 7 } }))).toThrow(
      'Card 1 of 1: accuracy.dev',
    );
  });

  test('any name survives, and no text makes the splitter lose a card', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 1, maxLength: 100 }),
        fc.stringMatching(/^[^{}"]*$/),
        (name, between) => {
          const one = { ...card, name };
          const text = `${between}${JSON.stringify(one)}${between}${JSON.stringify(card)}`;
          expect(splitObjects(text).map((part) => JSON.parse(part))).toEqual([one, card]);
        },
      ),
    );
  });
});

describe('the board', () => {
  const named = (name: string, dev: number, bytes: number, test?: number): RunCard => ({
    ...card,
    name,
    bytes,
    accuracy: { dev, ...(test === undefined ? {} : { test: { accuracy: test, low: 0, high: 1, n: 100 } }) },
  });

  test('ranks by test accuracy before dev, and by bytes, ties sharing a place', () => {
    const ranked = rank([named('a', 0.9, 400, 0.6), named('b', 0.7, 100), named('c', 0.7, 800)]);
    expect(ranked.map(({ card: { name }, byAccuracy, byBytes }) => [name, byAccuracy, byBytes])).toEqual([
      ['b', 1, 1],
      ['c', 1, 3],
      ['a', 3, 2],
    ]);
  });

  test('keeps its cards in the browser, the same one once, and removal can be undone', () => {
    const kept = new Map<string, string>();
    const storage = {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, value: string) => void kept.set(key, value),
    };
    const notices = createNotices();
    const board = createBoard(notices, storage);
    expect(board.getState().paste(JSON.stringify(card))).toBe(true);
    board.getState().paste(JSON.stringify(card));
    board.getState().add([named('other', 0.5, 40)]);
    expect(createBoard(notices, storage).getState().cards).toHaveLength(2);
    board.getState().remove(board.getState().cards[0]!);
    expect(board.getState().cards).toHaveLength(1);
    notices.getState().undo(notices.getState().toasts.at(-1)!.id);
    expect(board.getState().cards).toHaveLength(2);
    expect(board.getState().paste('nothing')).toBe(false);
    expect(notices.getState().errors).toHaveLength(1);
  });
});
