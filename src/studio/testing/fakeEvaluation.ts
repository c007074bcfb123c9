/** Answers of the fake engine that are right as often as is wished. */
import type { Evaluation, PromptRef } from '../../worker/protocol.ts';
import { hash01 } from './fakeData.ts';

export function fakeEvaluation(
  prompt: PromptRef,
  part: 'dev' | 'test',
  labels: string[],
  rows: readonly { row: number; text: string; label: string }[],
  wanted: number,
): Evaluation {
  const outcomes = rows.map((row, i) => {
    const right = hash01(row.text, 3) < wanted;
    const wrong =
      labels[(labels.indexOf(row.label) + 1 + (i % Math.max(1, labels.length - 1))) % labels.length]!;
    return {
      row: row.row,
      text: row.text,
      label: row.label,
      predicted: right ? row.label : wrong,
      probability: 0.5 + hash01(row.text, 5) / 2,
    };
  });
  const confusion = labels.map((truth) =>
    labels.map((guess) => outcomes.filter((o) => o.label === truth && o.predicted === guess).length),
  );
  const right = outcomes.filter((o) => o.label === o.predicted).length;
  const accuracy = right / rows.length;
  const half = 1.96 * Math.sqrt((accuracy * (1 - accuracy)) / rows.length);
  return {
    prompt,
    part,
    n: rows.length,
    accuracy,
    low: accuracy - half,
    high: accuracy + half,
    macroF1: accuracy,
    classes: labels.map((label, i) => {
      const tp = confusion[i]![i]!;
      const support = confusion[i]!.reduce((a, b) => a + b, 0);
      const guessed = confusion.reduce((sum, row) => sum + row[i]!, 0);
      const precision = guessed ? tp / guessed : 0;
      const recall = support ? tp / support : 0;
      return {
        label,
        precision,
        recall,
        f1: precision + recall ? (2 * precision * recall) / (precision + recall) : 0,
        support,
      };
    }),
    labels,
    confusion,
    majority: { label: labels[0]!, accuracy: 1 / labels.length },
    outcomes,
  };
}
