import { useEffect, useState } from 'react';
import type { TokenView } from '../../../worker/protocol.ts';
import { formatCount } from '../../format.ts';
import { useSession, useStudio } from '../../studio.tsx';
import { Tokens } from './Preview.tsx';

const SHOWN = 5;

/** The first rows that a finding is about, as the model reads them. */
export function FoundRows({ rows }: { rows: readonly number[] }) {
  return (
    <div className="found-rows">
      {rows.slice(0, SHOWN).map((row) => (
        <RowTokens key={row} row={row} withName />
      ))}
      {rows.length > SHOWN && <span className="muted">and {formatCount(rows.length - SHOWN)} more</span>}
    </div>
  );
}

/** One row as the model reads it. */
export function RowTokens({ row, withName = false }: { row: number; withName?: boolean }) {
  const { engine, notices } = useStudio();
  const task = useSession((s) => s.task);
  const [view, setView] = useState<TokenView>();
  useEffect(() => {
    let current = true;
    if (task)
      engine
        .readRow(row)
        .then((read) => current && setView(read))
        .catch((error) => current && notices.getState().fail(error));
    return () => {
      current = false;
    };
  }, [engine, notices, row, task]);
  if (!view) return <span className="muted">reading</span>;
  return (
    <div className="row-tokens">
      {withName && (
        <span className="muted">
          row {formatCount(row + 1)}, {view.label}
        </span>
      )}
      <Tokens tokens={view.tokens} />
      {view.truncated && <span className="muted">The rest of this row is cut off.</span>}
    </div>
  );
}
