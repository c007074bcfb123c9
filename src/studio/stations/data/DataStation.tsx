import { Button, Empty, ProgressLine } from '../../components/index.ts';
import { formatCount, plural } from '../../format.ts';
import { liveRun } from '../../stores/runs.ts';
import { useRuns, useSession, useStudio } from '../../studio.tsx';
import { Answers } from './Answers.tsx';
import { Columns } from './Columns.tsx';
import './data.css';
import { Findings } from './Findings.tsx';
import { Format } from './Format.tsx';
import { Lengths } from './Lengths.tsx';
import { Parts } from './Parts.tsx';
import { Rows } from './Rows.tsx';
import { Source } from './Source.tsx';
import { useDraft } from './stores.ts';

const FINDINGS = 'findings';

function goToFindings() {
  const findings = document.getElementById(FINDINGS);
  findings?.scrollIntoView();
  findings?.focus({ preventScroll: true });
}

/** The Data station: where the rows come from, how they are read, asked and parted, what is wrong with them, and all of them. */
export function DataStation() {
  const busy = useRuns((s) => liveRun(s) !== undefined);
  const data = useSession((s) => s.data);
  const task = useSession((s) => s.task);
  const model = useSession((s) => s.model);
  const draft = useDraft((s) => s.draft);
  return (
    <main id="main" className="page">
      <div className="page-head">
        <h1>Data</h1>
        <Summary />
        {busy && <p>A run is going on this data. Stop it on Tune before you change anything here.</p>}
      </div>
      <Source isDisabled={busy} />
      {data && <Format isDisabled={busy} />}
      {data && !model && <Empty>Load a model on the Model station to see how it reads these rows.</Empty>}
      {data && draft && (
        <>
          <Columns draft={draft} isDisabled={busy} />
          <Answers draft={draft} isDisabled={busy} />
          <Lengths draft={draft} isDisabled={busy} />
          <Parts draft={draft} isDisabled={busy} />
        </>
      )}
      {task && (
        <>
          <div id={FINDINGS} tabIndex={-1}>
            <Findings isDisabled={busy} />
          </div>
          <Rows />
        </>
      )}
    </main>
  );
}

function Summary() {
  const data = useSession((s) => s.data);
  const task = useSession((s) => s.task);
  const progress = useSession((s) => s.progress);
  const reading = useSession((s) => s.phase === 'data');
  const applying = useDraft((s) => s.applying);
  const stop = useDraft((s) => s.stop);
  const stopped = useSession((s) => s.stopped);
  const draft = useDraft((s) => s.draft);
  const { session } = useStudio();
  const stoppable = reading || applying;
  const opening = useSession((s) => s.phase === 'opening' || s.phase === 'model');
  if (progress && !task)
    return <ProgressLine progress={progress} onStop={stoppable ? () => void stop() : undefined} />;
  if (!data && opening) return <Empty>A sample is opened as soon as the model is there.</Empty>;
  if (!data)
    return (
      <Empty>
        No table is open. Its columns, labels and rows will stand here; drop a file or press a sample below.
      </Empty>
    );
  if (!task && stopped && draft)
    return (
      <Empty action={<Button onPress={() => void session.getState().setTask(draft)}>Go on with it</Button>}>
        <strong>{data.name}</strong> has {plural(data.rows, 'row')}; reading them as tokens was stopped.
      </Empty>
    );
  if (!task)
    return (
      <p>
        <strong>{data.name}</strong> has {plural(data.rows, 'row')}, but no task can be made of them as it is
        set: choose other columns below, or another file.
      </p>
    );
  const { counts, labels } = task;
  const warnings = task.findings.filter(({ severity }) => severity === 'warning').length;
  return (
    <>
      <p>
        <strong>{data.name}</strong>: {plural(counts.examples, 'row')} with {plural(labels.length, 'label')};{' '}
        {formatCount(counts.train)} to train on, {formatCount(counts.dev)} to choose by (<i>dev</i>),{' '}
        {formatCount(counts.test)} to test on.
        {counts.leftOut > 0 && ` ${plural(counts.leftOut, 'row')} left out.`}{' '}
        {warnings > 0 && (
          <Button variant="link" onPress={goToFindings}>
            {plural(warnings, 'warning')} about the rows
          </Button>
        )}
      </p>
      {progress && <ProgressLine progress={progress} onStop={stoppable ? () => void stop() : undefined} />}
    </>
  );
}
