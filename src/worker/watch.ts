import type { NoticeCode, StepRecord } from './protocol.ts';

/** Something a person should know about a run, with what to do. */
export interface Notice {
  code: NoticeCode;
  message: string;
  remedy: string;
}

/** Watches a run and speaks up once about each thing that usually means trouble. */
export interface RunWatch {
  evaluated(
    step: number,
    devLoss: number,
    predicted: readonly number[],
    labels: readonly string[],
    steps: readonly StepRecord[],
  ): Notice[];
}

/** Dev evaluations in a row that must agree before the watch speaks. */
const IN_A_ROW = 3;

export function createRunWatch(): RunWatch {
  const told = new Set<NoticeCode>();
  const devLosses: number[] = [];
  let oneLabel = 0;
  const once = (notice: Notice): Notice[] => {
    if (told.has(notice.code)) return [];
    told.add(notice.code);
    return [notice];
  };
  const mean = (records: readonly StepRecord[]) =>
    records.reduce((sum, r) => sum + r.loss, 0) / records.length;

  return {
    evaluated(step, devLoss, predicted, labels, steps) {
      const notices: Notice[] = [];
      devLosses.push(devLoss);
      oneLabel = new Set(predicted).size === 1 ? oneLabel + 1 : 0;
      if (oneLabel >= IN_A_ROW)
        notices.push(
          ...once({
            code: 'one-label',
            message: `For ${IN_A_ROW} evaluations every dev row was answered with "${labels[predicted[0]]}".`,
            remedy: 'Train longer, raise the learning rate, or start from the class labels.',
          }),
        );
      const quarter = Math.floor(steps.length / 4);
      if (quarter >= 10) {
        const first = mean(steps.slice(0, quarter));
        const last = mean(steps.slice(-quarter));
        if (last > 1.5 * first)
          notices.push(
            ...once({
              code: 'rate-too-large',
              message: `The loss rose from ${first.toFixed(2)} to ${last.toFixed(2)}.`,
              remedy: 'Stop, and try a third of the learning rate.',
            }),
          );
        else if (step >= 100 && last > 0.98 * first)
          notices.push(
            ...once({
              code: 'rate-too-small',
              message: `After ${step} steps the loss is still ${last.toFixed(2)}; it began at ${first.toFixed(2)}.`,
              remedy: 'Try a larger learning rate, or a start from the vocabulary or the class labels.',
            }),
          );
        const recent = devLosses.slice(-IN_A_ROW - 1);
        const rising = recent.length > IN_A_ROW && recent.every((loss, i) => i === 0 || loss > recent[i - 1]);
        if (rising && last < 0.9 * first)
          notices.push(
            ...once({
              code: 'overfitting',
              message:
                'The training loss falls while the dev loss has risen three times in a row: the prompt learns rows by heart.',
              remedy: 'The best prompt on dev is kept. Stop here, use a shorter prompt, or add rows.',
            }),
          );
      }
      return notices;
    },
  };
}
