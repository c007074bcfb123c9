import { Pin } from 'lucide-react';
import { useState } from 'react';
import { Button, Dialog, Menu, type MenuAction, TextField } from '../../components/index.ts';
import { saveFile } from '../../download.ts';
import { formatBytes, formatCount, formatPercent, formatSeconds } from '../../format.ts';
import { go } from '../../shell/location.ts';
import { bestAccuracy, isLive, type RunsState, type RunView } from '../../stores/runs.ts';
import { type Studio, useLive, useStudio } from '../../studio.tsx';
import { useTourOffer } from '../../tour/useTour.ts';
import { runDifferences } from './differences.ts';
import { useResume } from './useResume.ts';

const allRuns = (s: RunsState) => s.runs;
const currentId = (s: RunsState) => s.currentId;

/** The runs, newest first; each row says only what differs. */
export function RunsTable() {
  const runs = useLive(allRuns);
  const current = useLive(currentId);
  const [renaming, setRenaming] = useState<RunView>();
  if (runs.length === 0)
    return (
      <section className="runs" aria-label="Runs">
        <p className="small muted">
          Your runs stand here, one a line, each with what differs. Press Train for the first. <TourOffer />
        </p>
      </section>
    );
  const differences = runDifferences(runs);
  return (
    <section className="runs" aria-label="Runs">
      <table className="table">
        <caption className="sr-only">Runs</caption>
        <thead>
          <tr>
            <th scope="col">Runs</th>
            <th scope="col">differs in</th>
            <th scope="col">dev</th>
            <th scope="col">test (95 %)</th>
            <th scope="col">learned</th>
            <th scope="col">time</th>
            <th scope="col">
              <span className="sr-only">state and actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {inOrder(runs).map((run) => (
            <Row
              key={run.id}
              run={run}
              isCurrent={run.id === current}
              differs={differences.get(run.id) ?? ''}
              onRename={() => setRenaming(run)}
            />
          ))}
        </tbody>
      </table>
      {renaming && <Rename run={renaming} onClose={() => setRenaming(undefined)} />}
    </section>
  );
}

/** Offered once, where nothing else stands yet. */
function TourOffer() {
  const { offered, settle } = useTourOffer();
  if (!offered) return null;
  const take = () => {
    settle();
    go('/tune?tour=1');
  };
  return (
    <span className="tour-offer">
      New here? A tour of eight stops says what stands where.{' '}
      <Button variant="link" onPress={take}>
        <u>Take the tour</u>
      </Button>{' '}
      <Button variant="link" onPress={settle}>
        No, thanks
      </Button>
    </span>
  );
}

/** The card as JSON on the clipboard; the card's own code comes with the press. */
async function copyCard({ session, notices }: Studio, run: RunView) {
  const { cardOf } = await import('../../board/card.ts');
  const { model } = session.getState();
  const card = cardOf(run, model?.id === run.modelId ? model.fingerprint : undefined);
  if (!card) return;
  try {
    await navigator.clipboard.writeText(JSON.stringify(card, null, 2));
    notices.getState().toast('The run card is copied. Paste it into the class board.');
  } catch {
    saveFile({
      name: `${run.name}.card.json`,
      type: 'application/json',
      bytes: new TextEncoder().encode(JSON.stringify(card, null, 2)),
    });
  }
}

/** Pinned ones first, then the newest. */
function inOrder(runs: readonly RunView[]): RunView[] {
  return runs.toReversed().sort((a, b) => Number(b.pinned) - Number(a.pinned));
}

const STATES: Record<RunView['state'], string> = {
  starting: 'starting',
  running: 'running',
  paused: 'paused',
  stopped: 'stopped',
  finished: 'done',
  failed: 'failed',
};

function Row({
  run,
  isCurrent,
  differs,
  onRename,
}: {
  run: RunView;
  isCurrent: boolean;
  differs: string;
  onRename: () => void;
}) {
  const studio = useStudio();
  const { runs } = studio;
  const best = bestAccuracy(run);
  const resume = useResume(run);
  const live = isLive(run.state) && !run.resumable;
  const actions: MenuAction[] = [
    { id: 'rename', label: 'Rename', onAction: onRename },
    {
      id: 'pin',
      label: run.pinned ? 'Unpin' : 'Pin to the top',
      onAction: () => runs.getState().setPinned(run.id, !run.pinned),
    },
    {
      id: 'hide',
      label: run.hidden ? 'Show in the charts' : 'Hide from the charts',
      onAction: () => runs.getState().setHidden(run.id, !run.hidden),
    },
    {
      id: 'card',
      label: 'Copy run card',
      isDisabled: best === undefined,
      onAction: () => void copyCard(studio, run),
    },
    { id: 'delete', label: 'Delete', isDisabled: live, onAction: () => runs.getState().remove(run.id) },
  ];
  return (
    <tr data-hidden={run.hidden || undefined}>
      <td>
        {run.pinned && <Pin className="pinned" size={13} aria-label="pinned" />}
        <i className="swatch" data-current={isCurrent || undefined} aria-hidden />
        {isCurrent || live ? (
          <span>{run.name}</span>
        ) : (
          <Button variant="link" onPress={() => runs.getState().select(run.id)}>
            {run.name}
          </Button>
        )}
      </td>
      <td className="differs" title={differs}>
        {differs}
      </td>
      <td>{best === undefined ? '–' : formatPercent(best)}</td>
      <td>
        {run.test ? (
          <>
            {formatPercent(run.test.accuracy)}{' '}
            <span className="muted">
              ({(run.test.low * 100).toFixed(0)} to {(run.test.high * 100).toFixed(0)})
            </span>
          </>
        ) : (
          <span className="muted">{live ? 'after the run' : '–'}</span>
        )}
      </td>
      <td>
        {formatCount(run.learned)} numbers, {formatBytes(run.learned * 4)}
      </td>
      <td>{formatSeconds(run.seconds)}</td>
      <td>
        <div className="run-actions">
          <span className="muted">
            {run.resumable && !live ? `waits at step ${run.step}` : STATES[run.state]}
          </span>
          {run.resumable && !live && (
            <Button variant="link" onPress={resume}>
              <u>take it up</u>
            </Button>
          )}
          <Menu label={`Actions for ${run.name}`} actions={actions} />
        </div>
      </td>
    </tr>
  );
}

function Rename({ run, onClose }: { run: RunView; onClose: () => void }) {
  const { runs } = useStudio();
  const [name, setName] = useState(run.name);
  const save = () => {
    if (name.trim()) void runs.getState().rename(run.id, name.trim());
    onClose();
  };
  return (
    <Dialog title="Rename the run" isOpen onClose={onClose} width={400}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          save();
        }}
      >
        <TextField label="Name" value={name} onChange={setName} />
        <div className="dialog-actions">
          <Button onPress={onClose}>Cancel</Button>
          <Button type="submit">Rename</Button>
        </div>
      </form>
    </Dialog>
  );
}
