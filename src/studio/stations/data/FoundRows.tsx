import { useEffect, useState } from 'react';
import type { TokenView } from '../../../worker/protocol.ts';
import { formatCount } from '../../format.ts';
import { useSession, useStudio } from '../../studio.tsx';
import { Tokens } from './Preview.tsx';

const SHOWN = 5;

/** The first rows that a finding is about, as the model reads them. */
export function FoundRows({ rows }: { rows: readonly number[] }) {
  const { engine, notices } = useStudio();
  const task = useSession((s) => s.task);
  const [views, setViews] = useState<TokenView[]>();
  useEffect(() => {
    let current = true;
    Promise.all(rows.slice(0, SHOWN).map((row) => engine.readRow(row)))
      .then((read) => current && task && setViews(read))
      .catch((error) => current && notices.getState().fail(error));
    return () => {
      current = false;
    };
  }, [engine, notices, rows, task]);
  return (
    <div className="found-rows">
      {views?.map((view) => (
        <div key={view.row}>
          <span className="muted">
            row {formatCount(view.row + 1)}, {view.label}
          </span>
          <Tokens tokens={view.tokens} />
        </div>
      ))}
      {views && rows.length > SHOWN && (
        <span className="muted">and {formatCount(rows.length - SHOWN)} more</span>
      )}
    </div>
  );
}
