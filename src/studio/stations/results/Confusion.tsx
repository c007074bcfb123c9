import { type KeyboardEvent, useRef, useState } from 'react';
import type { Evaluation } from '../../../worker/protocol.ts';
import { formatCount, formatPercent, plural } from '../../format.ts';
import { type Cell, isFree } from './outcomes.ts';

/**
 * The confusion matrix: rows are the truth, columns the answers. One cell has the focus; arrow keys, Home and End move it, a
 * press lists its rows.
 */
export function Confusion({
  evaluation: { labels, confusion, outcomes },
  cell,
  onCell,
}: {
  evaluation: Pick<Evaluation, 'labels' | 'confusion' | 'outcomes'>;
  cell: Cell | undefined;
  onCell: (cell: Cell | undefined) => void;
}) {
  const table = useRef<HTMLTableElement>(null);
  const [focus, setFocus] = useState<Cell>({ truth: 0, predicted: 0 });
  const free = isFree(outcomes);
  const columns = free ? [...labels, 'no label'] : labels;

  const onKeyDown = (event: KeyboardEvent) => {
    const { truth, predicted } = focus;
    const moves: Record<string, Cell> = {
      ArrowRight: { truth, predicted: predicted + 1 },
      ArrowLeft: { truth, predicted: predicted - 1 },
      ArrowDown: { truth: truth + 1, predicted },
      ArrowUp: { truth: truth - 1, predicted },
      Home: { truth, predicted: 0 },
      End: { truth, predicted: columns.length - 1 },
    };
    const move = moves[event.key];
    if (!move) return;
    event.preventDefault();
    const next = {
      truth: Math.max(0, Math.min(labels.length - 1, move.truth)),
      predicted: Math.max(0, Math.min(columns.length - 1, move.predicted)),
    };
    setFocus(next);
    table.current?.querySelector<HTMLElement>(`[data-cell="${next.truth} ${next.predicted}"]`)?.focus();
  };

  return (
    <div>
      <div className="table-scroll confusion-scroll">
        <table className="confusion" ref={table} onKeyDown={onKeyDown}>
          <caption className="sr-only">Confusion matrix</caption>
          <thead>
            <tr>
              <td />
              {columns.map((column, j) => (
                <th key={column} scope="col" data-none={j === labels.length || undefined}>
                  <span>{column}</span>
                </th>
              ))}
              <th scope="col" className="confusion-total">
                <span>rows</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {labels.map((label, i) => {
              const counts = confusion[i] ?? [];
              const total = counts.reduce((sum, count) => sum + count, 0);
              return (
                <tr key={label}>
                  <th scope="row">
                    <span>{label}</span>
                  </th>
                  {columns.map((column, j) => {
                    const count = counts[j] ?? 0;
                    const chosen = cell?.truth === i && cell.predicted === j;
                    return (
                      <td key={column}>
                        <button
                          type="button"
                          className="confusion-cell"
                          data-cell={`${i} ${j}`}
                          data-right={i === j || undefined}
                          aria-pressed={chosen}
                          tabIndex={focus.truth === i && focus.predicted === j ? 0 : -1}
                          style={{ '--share': total ? count / total : 0 } as React.CSSProperties}
                          aria-label={`${plural(count, 'row')} of ${label}, answered ${column}, ${formatPercent(total ? count / total : 0, 0)}`}
                          onFocus={() => setFocus({ truth: i, predicted: j })}
                          onClick={() => onCell(chosen ? undefined : { truth: i, predicted: j })}
                        >
                          {formatCount(count)}
                        </button>
                      </td>
                    );
                  })}
                  <td className="confusion-total">{formatCount(total)}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
      <p className="small muted">
        Rows are the true labels, columns the answers. Press a number to list its rows.
      </p>
    </div>
  );
}
