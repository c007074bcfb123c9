import { describe, expect, test } from 'vitest';
import { defaultRecipe } from '../../../tuning/recipe.ts';
import type { RunSummary } from '../../../worker/protocol.ts';
import { type RunView, viewOf } from '../../stores/runs.ts';
import {
  accuracyBands,
  accuracyRange,
  align,
  lossLines,
  MOST_POINTS,
  smooth,
  tableOf,
  thin,
} from './chartData.ts';
import { runDifferences } from './differences.ts';
import { lengthToTrack, settingCount, trackToLength } from './promptLength.ts';
import { fitWords, layOutScene } from './sceneLayout.ts';

function run(id: string, changes: Partial<RunSummary> = {}): RunView {
  return viewOf({
    id,
    name: id,
    state: 'finished',
    recipe: defaultRecipe,
    modelId: 'small',
    modelTitle: 'nano-T5 small',
    dataName: 'questions',
    step: 0,
    steps: [],
    evals: [],
    seconds: 0,
    learned: 0,
    resumable: false,
    ...changes,
  });
}

describe('the scene', () => {
  const input = { width: 660, height: 300, promptLength: 20, layers: [4, 4] as const, tokens: ['a', 'b'] };

  test('stays inside its picture, whatever the model and the prompt', () => {
    for (const promptLength of [1, 7, 150])
      for (const layers of [
        [1, 1],
        [4, 4],
        [24, 24],
      ] as const)
        for (const [width, height] of [
          [340, 280],
          [660, 300],
          [1300, 450],
        ] as const) {
          const layout = layOutScene({ ...input, width, height, promptLength, layers });
          expect(layout.tiles).toHaveLength(promptLength);
          expect(layout.encoder.bars).toHaveLength(layers[0]);
          for (const tile of layout.tiles) {
            expect(tile.x).toBeGreaterThanOrEqual(0);
            expect(tile.x + tile.width).toBeLessThan(layout.decoder.x);
          }
          for (const bar of [...layout.encoder.bars, ...layout.decoder.bars]) {
            expect(bar.y).toBeGreaterThanOrEqual(40);
            expect(bar.y + bar.height).toBeLessThanOrEqual(height - 70);
          }
          expect(layout.decoder.x + layout.decoder.width).toBeLessThanOrEqual(width);
        }
  });

  test('ribbons are as wide as the root of the norm at their layer, and the fan shares the first one out', () => {
    const layout = layOutScene({
      ...input,
      promptLength: 2,
      tokenGrad: [1, 3],
      encoderGrad: [1, 2, 4, 8],
      decoderGrad: [1, 1, 1, 4],
    });
    const widths = layout.encoderRibbons.map((ribbon) => ribbon.width);
    expect(widths[2]! / widths[0]!).toBeCloseTo(2);
    expect(layout.decoderRibbons[2]!.width / widths[2]!).toBeCloseTo(Math.SQRT1_2);
    expect(layout.tiles.map((tile) => tile.strength)).toEqual([1 / 3, 1]);
    expect(layout.tiles.every((tile) => tile.fan)).toBe(true);
  });

  test('a tile is as tall as its gradient is large, and as strong as it has moved far', () => {
    const { tiles } = layOutScene({ ...input, promptLength: 2, tokenGrad: [1, 3], tokenMoved: [8, 2] });
    expect(tiles[0]!.height).toBeLessThan(tiles[1]!.height);
    expect(tiles.map((tile) => tile.strength)).toEqual([1, 1 / 4]);
    const still = layOutScene({ ...input, promptLength: 2, tokenGrad: [1, 3], tokenMoved: [0, 0] });
    expect(still.tiles.map((tile) => tile.strength)).toEqual([1 / 3, 1]);
  });

  test('without numbers nothing warm flows; with a NaN nothing breaks', () => {
    expect(layOutScene(input).encoderRibbons).toEqual([]);
    const layout = layOutScene({
      ...input,
      promptLength: 2,
      tokenGrad: [Number.NaN, 1],
      encoderGrad: [1, 1, Number.NaN, 1],
      decoderGrad: [1, 1, 1, 1],
    });
    expect(JSON.stringify(layout)).not.toContain('NaN');
    expect(layout.encoderRibbons).toHaveLength(2);
  });

  test('words that do not fit end in an ellipsis', () => {
    const words = fitWords(['the', 'plot', 'creaks', 'badly'], 0, 110);
    expect(words.map((word) => word.text)).toEqual(['the', 'plot', '…']);
    expect(fitWords(['the'], 0, 110).map((word) => word.text)).toEqual(['the']);
  });
});

describe('the charts', () => {
  test('long runs are drawn as means, and the last step is kept', () => {
    const points = Array.from({ length: 30_000 }, (_, i) => [i + 1, i % 2] as const);
    const thinned = thin(points);
    expect(thinned.length).toBeLessThanOrEqual(MOST_POINTS);
    expect(thinned.at(-1)?.[0]).toBe(30_000);
    expect(thinned[0]?.[1]).toBeCloseTo(0.5, 1);
  });

  test('the current run is drawn last and hidden ones are not drawn', () => {
    const lines = lossLines([run('a'), run('b'), { ...run('c'), hidden: true }], 'a');
    expect(lines.map((line) => [line.id, line.warm, line.faint ?? false])).toEqual([
      ['a each', true, true],
      ['b', false, false],
      ['a', true, false],
    ]);
  });

  test('smoothing starts at the first loss and passes over what is not finite', () => {
    const smoothed = smooth([
      [1, 2],
      [2, Number.NaN],
      [3, 2],
      [4, 1],
    ]);
    expect(smoothed.map(([x]) => x)).toEqual([1, 3, 4]);
    expect(smoothed[0]?.[1]).toBeCloseTo(2);
    expect(smoothed[1]?.[1]).toBeCloseTo(2);
    expect(smoothed[2]?.[1]).toBeCloseTo((2 * (0.09 + 0.081) + 0.1) / 0.271);
  });

  test('a longer memory gives a flatter line; a memory of one step is the batches themselves, drawn once', () => {
    const zigzag = Array.from({ length: 100 }, (_, i) => [i + 1, i % 2] as const);
    const swing = (over: number) => Math.abs(smooth(zigzag, over)[99]![1] - smooth(zigzag, over)[98]![1]);
    expect(smooth(zigzag, 1)).toEqual(zigzag);
    expect(swing(10)).toBeLessThan(swing(2));
    expect(swing(50)).toBeLessThan(swing(10));
    expect(lossLines([run('a')], 'a', 1).map((line) => line.faint ?? false)).toEqual([false]);
  });

  test('lines share one axis; the table behind them keeps the last step', () => {
    const lines = [
      {
        id: 'a',
        name: 'a',
        warm: true,
        points: [
          [0, 0.5],
          [10, 0.6],
        ] as const,
      },
      { id: 'b', name: 'b', warm: false, points: [[5, 0.7]] as const },
    ];
    expect(align(lines)).toEqual([
      [0, 5, 10],
      [0.5, null, 0.6],
      [null, 0.7, null],
    ]);
    expect(tableOf(lines, 2).map((row) => row.step)).toEqual([0, 10]);
    expect(accuracyRange(lines, [{ name: 'always', value: 0.21 }])).toEqual([0.1, 1]);
    expect(accuracyRange([], [])).toEqual([0, 1]);
  });
});

describe('the runs say only what differs', () => {
  test('one run is held against the default recipe', () => {
    expect(runDifferences([run('a')]).get('a')).toBe('the default recipe');
    const short = run('a', { recipe: { ...defaultRecipe, promptLength: 1 } });
    expect(runDifferences([short]).get('a')).toBe('length 1');
  });

  test('several runs are held against each other', () => {
    const random = { ...defaultRecipe, promptLength: 5, init: { kind: 'random', range: 0.5 } as const };
    const differences = runDifferences([run('a'), run('b', { recipe: random, dataName: 'films' })]);
    expect(differences.get('a')).toBe('questions, start: sampled words, length 20');
    expect(differences.get('b')).toBe('films, start: random numbers, length 5');
  });

  test('twins say so', () => {
    expect(runDifferences([run('a'), run('b')]).get('b')).toBe('nothing');
  });
});

describe('the prompt length on its track', () => {
  test('every length that the track can give comes back to its own place', () => {
    for (let position = 0; position <= lengthToTrack(150); position++)
      expect(lengthToTrack(trackToLength(position))).toBeCloseTo(position);
  });
  test('lengths between stops keep their value', () => {
    expect(trackToLength(lengthToTrack(7))).toBe(7);
    expect(trackToLength(lengthToTrack(137))).toBe(137);
  });
  test('all values of the recipe are counted', () => {
    expect(settingCount(defaultRecipe)).toBe(18);
  });
});

describe('seed bands', () => {
  const measured = (id: string, seed: number, accuracies: number[], promptLength = 20) =>
    run(id, {
      recipe: { ...defaultRecipe, seed, promptLength },
      evals: accuracies.map((accuracy, i) => ({ step: 25 * (i + 1), accuracy, loss: 1, best: false })),
    });

  test('lie between the lowest and the highest of runs that differ in their seed only', () => {
    const runs = [
      measured('a', 1, [0.5, 0.6, 0.7]),
      measured('b', 2, [0.4, 0.8]),
      measured('c', 1, [0.9, 0.9], 5),
    ];
    expect(accuracyBands(runs, 'b').map(({ warm, points }) => ({ warm, points }))).toEqual([
      {
        warm: true,
        points: [
          [25, 0.4, 0.5],
          [50, 0.6, 0.8],
        ],
      },
    ]);
  });

  test('the same seed twice is no band, and a hidden run is in none', () => {
    const a = measured('a', 1, [0.5, 0.6]);
    const b = measured('b', 2, [0.5, 0.7]);
    expect(accuracyBands([a, { ...a, id: 'again' }], 'a')).toEqual([]);
    expect(accuracyBands([a, { ...b, hidden: true }], 'a')).toEqual([]);
    expect(accuracyBands([a, b], undefined)[0]?.warm).toBe(false);
  });
});
