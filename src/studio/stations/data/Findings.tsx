import { Check, Info, TriangleAlert } from 'lucide-react';
import { useState } from 'react';
import type { Finding } from '../../../worker/protocol.ts';
import { Button } from '../../components/index.ts';
import { Section } from '../../components/sections.tsx';
import { formatCount, plural } from '../../format.ts';
import { useSession, useStudio } from '../../studio.tsx';
import { FoundRows } from './FoundRows.tsx';

/** What the doctor found in the rows: each with one press to mend it, and one to take the mend back. */
export function Findings({ isDisabled }: { isDisabled: boolean }) {
  const { session, notices } = useStudio();
  const findings = useSession((s) => s.task!.findings);
  const mended = useSession((s) => s.task!.mended);
  const [busy, setBusy] = useState(false);
  const act = async (work: () => Promise<boolean>) => {
    setBusy(true);
    await work();
    setBusy(false);
  };
  const undo = () => act(() => session.getState().undoMend());
  const mend = (finding: Finding) =>
    act(async () => {
      const count = () => session.getState().task?.mended.length ?? 0;
      const before = count();
      // The baselines are measured anew after a mend; the words about it need not wait for them.
      const unsubscribe = session.subscribe(() => {
        if (count() <= before) return;
        unsubscribe();
        notices.getState().toast(`${finding.mend}: done.`, { undo: () => void undo() });
      });
      return session.getState().mend(finding.id).finally(unsubscribe);
    });

  // Where there are warnings, notes wait behind one press: a short list is read.
  const warnings = findings.filter((finding) => finding.severity === 'warning');
  const first = warnings.length > 0 ? warnings : findings;
  const later = warnings.length > 0 ? findings.filter((finding) => finding.severity === 'note') : [];
  const list = (some: readonly Finding[]) => (
    <ul className="findings">
      {some.map((finding) => (
        <OneFinding
          key={finding.id}
          finding={finding}
          isDisabled={isDisabled || busy}
          onMend={() => void mend(finding)}
        />
      ))}
    </ul>
  );

  return (
    <Section title="What may be wrong with the rows">
      {findings.length === 0 ? (
        <p className="muted">
          Nothing was found: no duplicates, no contradictions, no row in two parts, no broken letters.
        </p>
      ) : (
        <>
          {list(first)}
          {later.length > 0 && (
            <details className="notes">
              <summary>{plural(later.length, 'note')}, less urgent</summary>
              {list(later)}
            </details>
          )}
        </>
      )}
      {mended.length > 0 && (
        <ul className="findings" aria-label="Mended">
          {mended.map((words, i) => (
            <li key={words}>
              <Check size={17} aria-label="mended" />
              <p>{words}</p>
              {i === mended.length - 1 && (
                <Button isDisabled={isDisabled || busy} onPress={() => void undo()}>
                  Undo
                </Button>
              )}
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}

function OneFinding({
  finding,
  isDisabled,
  onMend,
}: {
  finding: Finding;
  isDisabled: boolean;
  onMend: () => void;
}) {
  const [open, setOpen] = useState(false);
  const Sign = finding.severity === 'warning' ? TriangleAlert : Info;
  return (
    <li>
      <Sign size={17} aria-label={finding.severity} />
      <p>{finding.message}</p>
      <div className="finding-actions">
        {finding.rows.length > 0 && (
          <Button variant="quiet" aria-expanded={open} onPress={() => setOpen(!open)}>
            {open ? 'Hide' : 'Show'} {formatCount(finding.rows.length)}
          </Button>
        )}
        {finding.mend && (
          <Button isDisabled={isDisabled} onPress={onMend}>
            {finding.mend}
          </Button>
        )}
      </div>
      {open && <FoundRows rows={finding.rows} />}
    </li>
  );
}
