/** The fake engine's inside of prompts, and several of them on one model: smooth made-up numbers of the right shapes. */
import type {
  InsideEngine,
  OnProgress,
  PromptRef,
  RunSummary,
  SavedPrompt,
  TogetherEngine,
} from '../../worker/protocol.ts';
import { fakeScores, hash01 } from './fakeData.ts';

interface Around {
  runs(): RunSummary[];
  saved(): SavedPrompt[];
  labels(): string[];
  rows(): { row: number; text: string; label: string; part: string }[];
  work(what: string, unit: 'examples', total: number, onProgress: OnProgress): Promise<void>;
}

const WORDS = ['▁fact', '▁claim', '▁lovely', '▁truth', '▁number', '▁think', '▁should', '▁best', '▁nobody'];

export function fakeInside({ runs, saved, labels, rows, work }: Around): InsideEngine & TogetherEngine {
  let generation = 0;
  const cancellable = async <T>(make: () => T, what: string, total: number, onProgress: OnProgress) => {
    const mine = ++generation;
    await work(what, 'examples', total, onProgress);
    if (mine !== generation)
      throw { code: 'cancelled', message: 'The measurement was stopped.', remedy: 'Press its button again.' };
    return make();
  };
  const lengthOf = (prompt: PromptRef) => {
    if (prompt.kind === 'run') return runs().find((run) => run.id === prompt.run)?.recipe.promptLength ?? 20;
    return prompt.kind === 'saved' ? (saved().find(({ id }) => id === prompt.id)?.length ?? 20) : 0;
  };
  const nameOf = (prompt: PromptRef) =>
    prompt.kind === 'run'
      ? (runs().find((run) => run.id === prompt.run)?.name ?? 'run')
      : prompt.kind === 'saved'
        ? (saved().find(({ id }) => id === prompt.id)?.name ?? 'prompt')
        : prompt.kind;
  const share = (accuracy: number) => ({ accuracy, low: accuracy - 0.06, high: accuracy + 0.06 });

  return {
    async vocabularyMap() {
      const count = 400;
      return {
        words: Array.from({ length: count }, (_, i) => WORDS[i] ?? `▁word${i}`),
        of: 8000,
        xy: Float32Array.from({ length: 2 * count }, (_, i) => 4 * (hash01(`xy${i}`, 3) - 0.5)),
        norms: Float32Array.from({ length: count }, (_, i) => 3 + hash01(`n${i}`, 5)),
        explained: [0.06, 0.03],
        labels: labels().map((label, i) => ({ label, word: label, x: i - 0.5, y: 0.5, norm: 3.4 })),
      };
    },
    async promptTrail(prompt) {
      const length = lengthOf(prompt);
      const run = prompt.kind === 'run' ? runs().find(({ id }) => id === prompt.run) : undefined;
      const steps = run ? Array.from({ length: Math.floor(run.step / 10) + 1 }, (_, i) => 10 * i) : [100];
      return {
        length,
        steps,
        xy: Float32Array.from(
          steps.flatMap((step) =>
            Array.from({ length: 2 * length }, (_, i) => (hash01(`t${i}`, 9) - 0.5) * (1 + step / 20)),
          ),
        ),
        norms: Float32Array.from(
          steps.flatMap((step) => Array.from({ length }, (_, i) => 3.5 + (step / 10) * hash01(`p${i}`, 4))),
        ),
        shown: Float32Array.from(steps, () => 0.08),
      };
    },
    leaveOneOut: (prompt, { rows: n }, onProgress) =>
      cancellable(
        () => ({
          n,
          whole: { loss: 0.5, accuracy: 0.75 },
          tokens: Array.from({ length: lengthOf(prompt) }, (_, i) => {
            const change = 0.1 * (hash01(`l${i}`, 2) - 0.3);
            return { loss: 0.5 + change, accuracy: 0.75 - change, change, error: 0.01 };
          }),
        }),
        'Leaving one virtual token out',
        n * (lengthOf(prompt) + 1),
        onProgress,
      ),
    async attention(prompt, text) {
      const [length, heads, layers] = [lengthOf(prompt), 4, 3];
      const tokens = [...text.split(/\s+/).map((word) => `▁${word}`), '</s>'];
      const block = (of: 'encoder' | 'cross', asking: string[]) => ({
        of,
        tokens: asking,
        seen: length + tokens.length,
        layers: Array.from({ length: layers }, (_, l) => ({
          first: 0,
          count: asking.length,
          weights: Float32Array.from(
            { length: asking.length * length * heads },
            (_, i) => (1.4 * hash01(`${of}${l}${i}`, 6)) / (length + tokens.length),
          ),
        })),
      });
      const label = labels()[0]!;
      return { length, heads, label, blocks: [block('encoder', tokens), block('cross', [`▁${label}`])] };
    },
    async stopMeasuring() {
      generation++;
    },

    describePrompts: async (prompts) =>
      prompts.map((prompt) => ({
        prompt,
        name: nameOf(prompt),
        length: lengthOf(prompt),
        bytes: 4 * 128 * lengthOf(prompt),
        labels: labels(),
        template: '{text}',
        examples: prompt.kind === 'run' ? rows().slice(0, 2) : [],
      })),
    readTogether: async (items) => ({
      answers: items.map(({ text }) => {
        const scores = fakeScores(text, labels(), undefined, 0.8);
        return {
          label: scores.reduce((a, b) => (b.probability > a.probability ? b : a)).label,
          scores,
          tokens: 9,
        };
      }),
      passes: [
        {
          examples: items.length,
          prompts: new Set(items.map(({ prompt }) => nameOf(prompt))).size,
          rows: items.reduce(
            (sum, { prompt, text }) => sum + lengthOf(prompt) + text.split(/\s+/).length + 1,
            0,
          ),
        },
      ],
      milliseconds: 12,
      difference: 2e-7,
    }),
    vote: (prompts, part, onProgress) =>
      cancellable(
        () => {
          const all = rows().filter((row) => row.part === part);
          const accuracies = prompts.map((_, i) => 0.7 + 0.02 * i);
          return {
            part,
            n: all.length,
            labels: labels(),
            members: prompts.map((prompt, i) => ({ prompt, ...share(accuracies[i]!) })),
            average: accuracies.reduce((a, b) => a + b, 0) / prompts.length,
            majority: share(0.78),
            mean: share(0.79),
            outcomes: all.map((row) => {
              const votes = prompts.map((_, i) => ({
                label: hash01(`${row.text}${i}`, 1) < accuracies[i]! ? row.label : labels()[0]!,
                probability: 0.6 + 0.3 * hash01(row.text, i),
              }));
              return { ...row, votes, majority: votes[0]!.label, mean: votes[0]!.label };
            }),
          };
        },
        'Asking every prompt',
        120 * prompts.length,
        onProgress,
      ),
    slide: (_from, _to, { points, rows: n }, onProgress) =>
      cancellable(
        () => ({
          n,
          points: Array.from({ length: points }, (_, i) => {
            const at = i / (points - 1);
            const hill = Math.sin(Math.PI * at);
            return { at, loss: 0.5 + 0.4 * hill, accuracy: 0.75 - 0.2 * hill };
          }),
        }),
        'Measuring along the way',
        points * n,
        onProgress,
      ),
    slideText: async (_from, _to, text, _text2, points) =>
      Array.from({ length: points }, (_, i) => fakeScores(text, labels(), labels()[0], i / (points - 1))),
  };
}
