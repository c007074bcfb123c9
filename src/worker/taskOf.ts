import type { SoftPrompt } from '../prompts/index.ts';
import { type KeptRunState, rowsToShow } from './keptRun.ts';
import type { PreparedTask } from './preparedTask.ts';
import type { PromptDescription, PromptRef } from './protocol.ts';
import { noSoftPrompt, type ResolvePrompt, softValues } from './reading.ts';

/** A prompt with the task that it learned. */
export interface TaskOfPrompt extends Omit<PromptDescription, 'bytes' | 'labels'> {
  answers: { label: string; text: string }[];
  appendEos: boolean;
  values: Float32Array<ArrayBuffer>;
}

/** Whether two lists name the same labels, in whatever order. */
export const sameLabels = (a: readonly string[], b: readonly string[]): boolean =>
  JSON.stringify([...a].sort()) === JSON.stringify([...b].sort());

/** What each learned prompt was learned for: a run knows, a kept prompt's file may know. */
export function createTaskOf(
  resolve: ResolvePrompt,
  runs: { get(id: string): Promise<KeptRunState> },
  prompts: { get(id: string): Promise<SoftPrompt> },
  openTask: () => PreparedTask,
): (prompt: PromptRef) => Promise<TaskOfPrompt> {
  return async (prompt) => {
    const numbers = await softValues(await resolve(prompt));
    if (prompt.kind === 'run') {
      const { summary, settings, labels, examples = [] } = await runs.get(prompt.run);
      const { template, appendEos } = settings;
      return { prompt, name: summary.name, ...numbers, template, appendEos, answers: labels, examples };
    }
    if (prompt.kind !== 'saved') throw noSoftPrompt();
    const { name, task } = await prompts.get(prompt.id);
    // A file that names no task is asked what the open table asks.
    const open = openTask();
    const answers = task?.labels ?? open.verbalizers.map(({ label, text }) => ({ label, text }));
    const shared = sameLabels(
      answers.map(({ label }) => label),
      open.labels,
    );
    return {
      prompt,
      name,
      ...numbers,
      template: task?.template ?? open.settings.template,
      appendEos: task?.appendEos ?? open.settings.appendEos,
      answers,
      // Rows to show it on, where the open table has its labels.
      examples: shared ? rowsToShow(open) : [],
    };
  };
}
