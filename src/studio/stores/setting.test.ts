import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { defaultRecipe, paperRecipe, type Recipe } from '../../tuning/recipe.ts';
import { createStudio, type Studio } from '../studio.tsx';
import { createFakeEngine } from '../testing/fakeEngine.ts';
import { currentSetting, openSetting } from './openSetting.ts';
import { INITS, OPTIMIZERS } from './recipe.ts';
import { readSetting, recipeValues, writeSetting } from './setting.ts';
import { CONTROLS, type Control, NO_TEACHER } from './teacher.ts';

describe('a setting as a link', () => {
  test('the first visit is an empty link, and an empty link the first visit', () => {
    expect(writeSetting({ recipe: defaultRecipe, teacher: NO_TEACHER })).toBe('');
    expect(readSetting('')).toEqual({ setting: { teacher: NO_TEACHER }, notes: [] });
  });

  test('says only what differs from the default, by the recipe’s own names', () => {
    expect(
      writeSetting({
        model: 'tiny',
        sample: 'questions',
        hub: 'http://class.local:8080',
        recipe: { ...defaultRecipe, promptLength: 5, init: { kind: 'random', range: 0.1 }, seed: 3 },
        engine: 'onnx',
        theme: 'dark',
        big: true,
        teacher: { locked: new Set<Control>(['seed', 'length']), hidden: new Set<Control>(['model']) },
      }),
    ).toBe(
      'model=tiny&sample=questions&hub=http%3A%2F%2Fclass.local%3A8080&promptLength=5&init=random&init.range=0.1&seed=3&engine=onnx&theme=dark&big=1&lock=seed,length&hide=model',
    );
  });

  const recipes: fc.Arbitrary<Recipe> = fc
    .record({
      promptLength: fc.integer({ min: 1, max: 150 }),
      init: fc.oneof(
        fc.constantFrom(...Object.values(INITS)),
        fc.record({ kind: fc.constant('text' as const), text: fc.string({ minLength: 1 }) }),
        fc.record({
          kind: fc.constant('random' as const),
          range: fc.double({ min: 1e-6, max: 100, noNaN: true }),
        }),
      ),
      optimizer: fc.oneof(
        fc.constantFrom(...Object.values(OPTIMIZERS)),
        fc.record({
          kind: fc.constant('sgd' as const),
          learningRate: fc.double({ min: 1e-9, max: 1e9, noNaN: true }),
          momentum: fc.double({ min: 0, max: 0.999, noNaN: true }).map(Math.abs),
        }),
        fc.boolean().map((decayTimesRate) => ({ ...OPTIMIZERS.adafactor, decayTimesRate })),
      ),
      loss: fc.constantFrom('vocabulary' as const, 'verbalizers' as const),
      steps: fc.integer({ min: 1, max: 1_000_000 }),
      seed: fc.nat(),
    })
    .map((values) => ({ ...defaultRecipe, ...values }));

  test('whatever is written is read back, without a note', () => {
    fc.assert(
      fc.property(
        recipes,
        fc.string({ unit: 'grapheme', maxLength: 60 }),
        fc.uniqueArray(fc.constantFrom(...(Object.keys(CONTROLS) as Control[]))),
        (recipe, text, hidden) => {
          const setting = {
            model: 'base',
            recipe,
            text: text || undefined,
            teacher: { locked: new Set<Control>(), hidden: new Set(hidden) },
          };
          const { setting: back, notes } = readSetting(`?${writeSetting(setting)}`);
          expect(notes).toEqual([]);
          expect(back.recipe ?? defaultRecipe).toEqual(recipe);
          expect(back.text).toBe(text || undefined);
          expect([...back.teacher.hidden].sort()).toEqual([...hidden].sort());
        },
      ),
    );
  });

  test('no query makes the reader throw or a recipe invalid', () => {
    const keys = fc.constantFrom(
      'promptLength',
      'init',
      'init.range',
      'optimizer',
      'seed',
      'lock',
      'hide',
      'big',
      '__proto__',
      'x',
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(keys, fc.string())), (pairs) => {
        const { setting } = readSetting(new URLSearchParams(pairs).toString());
        if (setting.recipe) expect(Number.isInteger(setting.recipe.promptLength)).toBe(true);
      }),
    );
  });

  test.each(['auto', 'webgpu', 'onnx'])('an engine can be asked for: %s', (engine) => {
    expect(readSetting(`?engine=${engine}`).setting.engine).toBe(engine);
  });

  test('what is off is left out and said; the rest counts', () => {
    const { setting, notes } = readSetting(
      '?promptLength=9000&steps=50&init=words&seed=&engine=cuda&theme=pink&lock=seed,scene,model&colour=red&init.kind=text',
    );
    expect(setting.recipe).toEqual({ ...defaultRecipe, steps: 50 });
    expect(setting.theme).toBeUndefined();
    expect([...setting.teacher.locked]).toEqual(['seed']);
    expect(notes).toEqual([
      expect.stringContaining('“init” in the link cannot be words'),
      expect.stringContaining('“promptLength” in the link cannot be 9000'),
      expect.stringContaining('“seed” in the link cannot be empty'),
      '“engine” in the link is none of auto, webgpu and onnx; it was left out.',
      expect.stringContaining('“theme”'),
      expect.stringContaining('“scene” cannot be locked'),
      expect.stringContaining('“model” cannot be locked'),
      'Not known here, and left out: colour, init.kind.',
    ]);
  });

  test('the paper’s recipe differs in what the paper says', () => {
    expect(recipeValues(paperRecipe).map(([key]) => key)).toEqual([
      'promptLength',
      'init',
      'loss',
      'steps',
      'evalEvery',
    ]);
  });
});

describe('opening a link', () => {
  let studio: Studio;
  const open = async (search: string) => {
    const asked = readSetting(search);
    studio = createStudio(createFakeEngine(), asked.setting);
    openSetting(studio, asked);
    await vi.advanceTimersByTimeAsync(3000);
  };
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test('model, sample, recipe and text stand as the link says, and go into the next link', async () => {
    const link = 'model=base&sample=questions&promptLength=5&text=A+fine+film.';
    await open(link);
    const { session, recipe, tryIt } = studio;
    expect(session.getState().modelSource).toEqual({ kind: 'builtin', id: 'base' });
    expect(session.getState().dataSource).toEqual({ kind: 'sample', id: 'questions' });
    expect(recipe.getState().recipe.promptLength).toBe(5);
    expect(tryIt.getState().text).toBe('A fine film.');
    expect(writeSetting(currentSetting(studio).setting)).toBe(link);
  });

  test('ids that are not here are said, and the defaults stand in', async () => {
    await open('model=giant&sample=nothing');
    expect(studio.session.getState().phase).toBe('ready');
    expect(studio.notices.getState().toasts.map((toast) => toast.message)).toEqual([
      expect.stringContaining('no model “giant” and no sample “nothing”'),
    ]);
  });

  test('a fixed seed stays, whatever sets the recipe', async () => {
    await open('seed=3&lock=seed&hide=rate');
    const { set, applyPaper, load, setOptimizer } = studio.recipe.getState();
    set({ seed: 9, promptLength: 4 });
    setOptimizer('sgd');
    expect(studio.recipe.getState().recipe).toMatchObject({
      seed: 3,
      promptLength: 4,
      optimizer: { kind: 'adafactor' },
    });
    applyPaper();
    load({ ...defaultRecipe, seed: 1, steps: 10 });
    expect(studio.recipe.getState().recipe).toMatchObject({ seed: 3, steps: 10 });
  });
});
