import type { Evaluation } from '../../../worker/protocol.ts';
import { formatCount, formatPercent } from '../../format.ts';
import { type PromptChoice, useBaselineChoices, useResults } from '../../prompts.ts';
import { keptEvaluation, refKey } from '../../stores/results.ts';
import { useEvaluations } from '../../studio.tsx';

interface Line {
  id: string;
  name: string;
  accuracy: number;
  low?: number;
  high?: number;
  warm: boolean;
}

/** Number and sign stay on one line. */
function Figure({ share }: { share: number }) {
  return <span className="figure">{formatPercent(share)}</span>;
}

/** One sentence that says it all, then the same as a picture: each figure with its 95 % interval. */
export function Summary({ evaluation, choice }: { evaluation: Evaluation; choice: PromptChoice }) {
  const { part, decoding } = useResults((s) => s);
  const kept = useEvaluations((s) => s.kept);
  const baselines = useBaselineChoices().filter(({ prompt }) => refKey(prompt) !== refKey(choice.prompt));
  const { accuracy, low, high, n, majority, macroF1 } = evaluation;
  const soft = choice.prompt.kind === 'run' || choice.prompt.kind === 'saved';

  const lines: Line[] = [
    { id: 'own', name: choice.name, accuracy, low, high, warm: soft },
    ...baselines.flatMap(({ prompt, name }): Line[] => {
      const other = keptEvaluation(kept, prompt, part, decoding);
      return other
        ? [
            {
              id: refKey(prompt),
              name: prompt.kind === 'none' ? 'untuned model' : name,
              accuracy: other.accuracy,
              low: other.low,
              high: other.high,
              warm: false,
            },
          ]
        : [];
    }),
    { id: 'majority', name: `always “${majority.label}”`, accuracy: majority.accuracy, warm: false },
  ];
  const beside = (id: string) => lines.find((line) => line.id === id)?.accuracy;
  const untuned = beside('none');
  const written = beside('written');

  return (
    <div className="summary">
      <p className="sentence">
        <strong className={soft ? 'figure warm' : 'figure'}>{formatPercent(accuracy)}</strong> right on{' '}
        {formatCount(n)} rows {part === 'test' ? 'never seen in training' : 'that chose which step is kept'}
        {'; '}
        always saying <i>{majority.label}</i> gets <Figure share={majority.accuracy} />
        {untuned !== undefined && (
          <>
            {'; '}the untuned model <Figure share={untuned} />
          </>
        )}
        {written !== undefined && (
          <>
            {'; '}the written prompt <Figure share={written} />
          </>
        )}
        .
      </p>
      <p className="muted small">
        With so many rows the true figure lies between {formatPercent(low)} and {formatPercent(high)} (95 %
        interval, Wilson). Macro-F1 {formatPercent(macroF1)}.
        {part === 'dev' && ' Dev flatters a little: it chose the step. Test is the figure to report.'}
      </p>
      <ul className="intervals" aria-label="Accuracy beside the baselines">
        {lines.map((line) => (
          <li key={line.id}>
            <span>{line.name}</span>
            <Interval line={line} />
            <b>{formatPercent(line.accuracy)}</b>
          </li>
        ))}
      </ul>
    </div>
  );
}

const at = (share: number) => `${Math.max(0, Math.min(1, share)) * 100}%`;

function Interval({ line: { accuracy, low, high, warm } }: { line: Line }) {
  return (
    <div className="interval" data-warm={warm || undefined} aria-hidden>
      {low !== undefined && high !== undefined && (
        <i className="interval-range" style={{ left: at(low), width: at(high - low) }} />
      )}
      <i className="interval-point" style={{ left: at(accuracy) }} />
    </div>
  );
}
