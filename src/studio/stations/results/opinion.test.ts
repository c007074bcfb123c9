import { describe, expect, test } from 'vitest';
import type { SecondOpinionReport } from '../../../worker/protocol.ts';
import { formatShare, opinionLines, verdict } from './opinion.ts';

const apart = (relative: number) => ({ largest: relative * 4, magnitude: 4, relative, count: 10 });
const report = (logits: number, gradient = 1e-6): SecondOpinionReport => ({
  rows: 8,
  adapter: 'SwiftShader',
  loss: { shaders: 1, onnx: 1, ...apart(1e-7) },
  logits: apart(logits),
  gradient: apart(gradient),
  seconds: 1,
});

describe('the second opinion in words', () => {
  test('rounding is agreement, and the worst of the three is named', () => {
    expect(verdict(report(5.2e-7))).toMatchObject({ agree: true });
    expect(verdict(report(5.2e-7)).sentence).toBe(
      'The largest difference is 0.00010 % of the largest value (gradient of the prompt); up to 0.10 % is rounding.',
    );
  });

  test('more than rounding, and what is no number, is not', () => {
    expect(verdict(report(0.02))).toMatchObject({ agree: false });
    expect(verdict(report(0.02)).sentence).toContain(
      '2.0 % of the largest value (logits), more than rounding',
    );
    expect(verdict(report(1e-7, Number.POSITIVE_INFINITY)).agree).toBe(false);
  });

  test('a line each', () => {
    expect(opinionLines(report(0)).map(({ relative }) => formatShare(relative))).toEqual([
      '0 %',
      '0.000010 %',
      '0.00010 %',
    ]);
  });
});
