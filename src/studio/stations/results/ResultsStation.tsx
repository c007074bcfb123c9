import { useEffect, useRef } from 'react';
import { useLocation } from 'wouter';
import type { Evaluation, PromptRef } from '../../../worker/protocol.ts';
import { Button, Empty, ProgressLine, Select } from '../../components/index.ts';
import { Section } from '../../components/sections.tsx';
import { formatCount } from '../../format.ts';
import { asOptions, choiceOf, useBaselineChoices, useResults, useSoftChoices } from '../../prompts.ts';
import { keptEvaluation, refKey } from '../../stores/results.ts';
import { liveRun } from '../../stores/runs.ts';
import { useEvaluations, useRuns, useSession } from '../../studio.tsx';
import { Compare } from './Compare.tsx';
import { Outcomes } from './Outcomes.tsx';
import './results.css';
import { SecondOpinion } from './SecondOpinion.tsx';
import { Summary } from './Summary.tsx';

const PARTS = [
  { id: 'test', label: 'test', note: 'rows that nothing was chosen by' },
  { id: 'dev', label: 'dev', note: 'rows that chose which step is kept' },
] as const;
const DECODINGS = [
  { id: 'rank', label: 'the likeliest label', note: 'each label’s words are scored whole' },
  { id: 'greedy', label: 'free answer', note: 'the model writes what it likes; it may be no label' },
] as const;

/** The Results station: how often a prompt is right on rows it never saw, where it is wrong, and beside what. */
export function ResultsStation() {
  const task = useSession((s) => s.task);
  return (
    <main id="main" className="page">
      <div className="page-head">
        <h1>Results</h1>
      </div>
      {task ? <Measured /> : <NothingYet />}
    </main>
  );
}

function NothingYet() {
  const [, go] = useLocation();
  const progress = useSession((s) => s.progress);
  if (progress) return <ProgressLine progress={progress} />;
  return (
    <Empty action={<Button onPress={() => go('/data')}>Choose data</Button>}>
      How often a prompt is right will stand here, with a confusion matrix and the rows it gets wrong. A model
      and a table come first.
    </Empty>
  );
}

function Measured() {
  const [, go] = useLocation();
  const task = useSession((s) => s.task)!;
  const soft = useSoftChoices();
  const baselines = useBaselineChoices();
  const currentId = useRuns((s) => s.currentId);
  const busy = useRuns((s) => liveRun(s)?.state === 'running');
  const { part, decoding, chosen, measuring, progress, stopped } = useResults((s) => s);
  const { choose, setPart, setDecoding, measure, stop } = useResults((s) => s);
  const kept = useEvaluations((s) => s.kept);

  const choices = [...soft, ...baselines];
  const choice =
    choiceOf(choices, chosen && refKey(chosen)) ??
    soft.find(({ prompt }) => prompt.kind === 'run' && prompt.run === currentId) ??
    soft[0];
  const evaluation = keptEvaluation(kept, choice?.prompt, part, decoding);
  const missing = baselines
    .map(({ prompt }) => prompt)
    .filter((prompt) => !keptEvaluation(kept, prompt, part, decoding));

  // A figure alone says little: what it is to be compared with is measured as soon as it is there, once.
  const asked = useRef<Evaluation>(undefined);
  const wanting =
    evaluation !== undefined && !busy && !stopped && missing.length > 0 && measuring === undefined;
  useEffect(() => {
    if (!wanting || asked.current === evaluation) return;
    asked.current = evaluation;
    void measure(missing);
  });

  if (!choice)
    return (
      <Empty
        action={
          <div className="empty-actions">
            <Button onPress={() => go('/tune')}>
              {busy ? 'Watch the run on Tune' : 'Train a prompt on Tune'}
            </Button>
            <Button onPress={() => choose({ kind: 'none' })}>Look at the untuned model</Button>
          </div>
        }
      >
        How often your soft prompt is right on the {formatCount(task.counts.test)} test rows will stand here,
        with a confusion matrix and the rows it gets wrong.
        {busy && ' The run that is going has not been measured on dev yet.'}
      </Empty>
    );

  const rows = task.counts[part];
  const all: PromptRef[] = [choice.prompt, ...missing];
  return (
    <>
      <div className="results-choice">
        <Select
          label="Whose answers"
          choices={asOptions(choices)}
          value={refKey(choice.prompt)}
          onChange={(key) => choose(choiceOf(choices, key)!.prompt)}
        />
        <Select label="On" choices={PARTS} value={part} onChange={setPart} />
        <Select label="Answers by" choices={DECODINGS} value={decoding} onChange={setDecoding} />
        {!evaluation && (
          <Button isDisabled={measuring !== undefined || rows === 0} onPress={() => void measure(all)}>
            Measure on {formatCount(rows)} rows
          </Button>
        )}
      </div>
      {measuring && (
        <ProgressLine
          progress={{
            what: `Measuring ${choiceOf(choices, refKey(measuring))?.name ?? 'a prompt'}`,
            done: progress?.done ?? 0,
            total: progress?.total ?? rows,
            unit: progress?.unit ?? 'examples',
            perSecond: progress?.perSecond,
            secondsLeft: progress?.secondsLeft,
          }}
          onStop={stop}
        />
      )}
      {evaluation ? (
        <>
          <Summary evaluation={evaluation} choice={choice} />
          <Outcomes
            key={`${refKey(choice.prompt)} ${part} ${decoding}`}
            evaluation={evaluation}
            baseline={
              choice.prompt.kind === 'none'
                ? undefined
                : keptEvaluation(kept, { kind: 'none' }, part, decoding)
            }
            name={choice.name}
          />
          <Compare first={choice} evaluation={evaluation} choices={choices} />
          {(choice.prompt.kind === 'run' || choice.prompt.kind === 'saved') && (
            <SecondOpinion prompt={choice.prompt} isDisabled={busy || measuring !== undefined} />
          )}
        </>
      ) : (
        !measuring && (
          <Section title="Not measured yet">
            <Empty>
              {rows === 0
                ? `The ${part} part has no rows. Give it a share on Data.`
                : `${choice.name} has not answered the ${formatCount(rows)} ${part} rows yet. Its figure, its confusion matrix and its wrong rows will stand here; press Measure.`}
            </Empty>
          </Section>
        )
      )}
    </>
  );
}
