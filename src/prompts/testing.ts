import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import type { SoftPrompt } from './types.ts';

export { refusal as failure } from '../testing/hostile.ts';

/** A small prompt with every part filled in. For tests. */
export function samplePrompt(changes: Partial<SoftPrompt> = {}): SoftPrompt {
  return {
    name: 'film reviews',
    length: 2,
    width: 3,
    values: Float32Array.of(-0.5, 0.25, -0, 1e-45, 1384.75, -3.4e38),
    model: {
      name: 'nano-t5/tiny',
      fingerprint: 'ab12',
      family: 't5',
      width: 3,
      vocabSize: 8192,
      numLayers: 4,
      numHeads: 6,
    },
    recipe: { seed: 7, init: { kind: 'random', range: 0.5 } },
    task: {
      template: 'review: {text}',
      writtenPrompt: 'positive or negative : {text}',
      roles: { text: 'text', label: 'label' },
      labels: [
        { label: 'good "film"', text: 'positive' },
        { label: 'bad', text: 'negative' },
      ],
      appendEos: false,
    },
    metrics: { testAccuracy: 0.842, testLow: 0.78, testHigh: 0.89, testExamples: 177 },
    createdAt: '2026-11-23T06:00:00.000Z',
    step: 300,
    ...changes,
  };
}

/** Prompts of odd shapes with any finite float32, subnormals and -0 among them. */
export const anyPrompt = fc
  .tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 12 }), fc.string())
  .chain(([length, width, name]) =>
    fc
      .array(fc.float({ noNaN: true, noDefaultInfinity: true }), {
        minLength: length * width,
        maxLength: length * width,
      })
      .map((values) => {
        const prompt = samplePrompt({ name, length, width, values: Float32Array.from(values) });
        return { ...prompt, model: { ...prompt.model, width } };
      }),
  );

/** A file of `testdata/`. */
export function testdata(path: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(readFileSync(new URL(`testdata/${path}`, import.meta.url)));
}

/** The bits of float32 values: tells -0 from 0. */
export function bitsOf(values: Float32Array): number[] {
  return [...new Uint32Array(values.slice().buffer)];
}
