// biome-ignore-all lint/a11y/useSemanticElements: rows that are placed one by one cannot be table rows
// biome-ignore-all lint/a11y/useFocusableInteractive: one row has the focus, its cells do not
// biome-ignore-all lint/a11y/noStaticElementInteractions: keys are heard for all rows in one place
// biome-ignore-all lint/a11y/useKeyWithClickEvents: as above
import { defaultRangeExtractor, useVirtualizer } from '@tanstack/react-virtual';
import {
  type KeyboardEvent,
  memo,
  type ReactNode,
  useCallback,
  useEffect,
  useLayoutEffect,
  useRef,
  useState,
} from 'react';
import './rowGrid.css';

export interface GridColumn<Row> {
  id: string;
  title: ReactNode;
  /** A track of the grid, for example `6rem` or `minmax(0, 1fr)`. */
  track: string;
  /** The column is left out where the grid is narrower than 640 px. */
  wideOnly?: boolean;
  align?: 'end';
  cell: (row: Row) => ReactNode;
}

/**
 * Any number of rows, of which only those in view are drawn. One row has the focus (arrow keys, Page Up and Down, Home, End
 * move it); a press or Enter opens what `detail` shows of it. Give another `key` when the rows become others.
 */
export function RowGrid<Row>({
  label,
  columns,
  count,
  rowAt,
  onRange,
  detail,
  maxHeight = '26rem',
}: {
  label: string;
  /** The same array while the columns stay the same. */
  columns: GridColumn<Row>[];
  count: number;
  /** Undefined where the row is not there yet. */
  rowAt: (index: number) => Row | undefined;
  /** Rows `start` to `end` (exclusive) are in view. */
  onRange?: (start: number, end: number) => void;
  detail?: (row: Row) => ReactNode;
  maxHeight?: string;
}) {
  const [size] = useState(rowHeight);
  const scroller = useRef<HTMLDivElement>(null);
  const [active, setActive] = useState(0);
  const [open, setOpen] = useState<number>();
  const wantsFocus = useRef(false);
  const virtualizer = useVirtualizer({
    count,
    getScrollElement: () => scroller.current,
    // Rows are all of one height but the open one. Measuring each would place all 100,000 anew for each that comes into view.
    estimateSize: () => size,
    overscan: 8,
    // The row that Tab goes to stays drawn wherever the rows are scrolled to.
    rangeExtractor: useCallback(
      (range: Parameters<typeof defaultRangeExtractor>[0]) => {
        const drawn = defaultRangeExtractor(range);
        if (active < range.count && !drawn.includes(active)) drawn.push(active);
        return drawn.sort((a, b) => a - b);
      },
      [active],
    ),
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: the row that was open has its usual height again
  useLayoutEffect(() => virtualizer.measure(), [open]);
  const items = virtualizer.getVirtualItems();
  const start = virtualizer.range?.startIndex ?? 0;
  const end = virtualizer.range ? virtualizer.range.endIndex + 1 : 0;
  useEffect(() => {
    if (end > start) onRange?.(start, end);
  }, [onRange, start, end]);

  useEffect(() => {
    if (!wantsFocus.current) return;
    const row = scroller.current?.querySelector<HTMLElement>(`[data-index="${active}"]`);
    if (!row) return;
    wantsFocus.current = false;
    row.focus({ preventScroll: true });
  }, [active]);

  const onKeyDown = (event: KeyboardEvent) => {
    const page = Math.max(1, end - start - 2);
    const moves: Record<string, number> = {
      ArrowDown: active + 1,
      ArrowUp: active - 1,
      PageDown: active + page,
      PageUp: active - page,
      Home: 0,
      End: count - 1,
    };
    if (event.key === 'Enter' || event.key === ' ') {
      if (event.target !== event.currentTarget.querySelector(`[data-index="${active}"]`)) return;
      event.preventDefault();
      setOpen(open === active ? undefined : active);
      return;
    }
    const move = moves[event.key];
    if (move === undefined) return;
    event.preventDefault();
    const next = Math.max(0, Math.min(count - 1, move));
    wantsFocus.current = next !== active;
    setActive(next);
    virtualizer.scrollToIndex(next);
  };

  const style = {
    '--tracks': columns.map((column) => column.track).join(' '),
    '--tracks-narrow': columns
      .filter((column) => !column.wideOnly)
      .map((column) => column.track)
      .join(' '),
    '--grid-height': maxHeight,
    '--row': `${size}px`,
  } as React.CSSProperties;

  return (
    <div className="row-grid" role="treegrid" aria-label={label} aria-rowcount={count + 1} style={style}>
      <div className="row-grid-head" role="row" aria-rowindex={1}>
        {columns.map((column) => (
          <span
            key={column.id}
            role="columnheader"
            data-align={column.align}
            data-wide={column.wideOnly || undefined}
          >
            {column.title}
          </span>
        ))}
      </div>
      <div ref={scroller} className="row-grid-scroll" role="rowgroup" onKeyDown={onKeyDown}>
        <div className="row-grid-space" role="presentation" style={{ height: virtualizer.getTotalSize() }}>
          {items.map((item) => {
            const row = rowAt(item.index);
            const isOpen = open === item.index;
            return (
              <div
                key={item.key}
                ref={isOpen ? virtualizer.measureElement : undefined}
                data-index={item.index}
                data-open={isOpen || undefined}
                className="row-grid-row"
                role="row"
                aria-rowindex={item.index + 2}
                aria-expanded={detail ? isOpen : undefined}
                tabIndex={item.index === Math.min(active, count - 1) ? 0 : -1}
                style={{ transform: `translateY(${item.start}px)` }}
                onClick={(event) => {
                  if (event.target instanceof Element && event.target.closest('.row-grid-detail')) return;
                  setActive(item.index);
                  if (detail) setOpen(isOpen ? undefined : item.index);
                }}
              >
                <Cells columns={columns} row={row} />
                {isOpen && detail && row !== undefined && (
                  <div className="row-grid-detail" role="gridcell">
                    {detail(row)}
                  </div>
                )}
              </div>
            );
          })}
        </div>
      </div>
    </div>
  );
}

function CellsView<Row>({ columns, row }: { columns: GridColumn<Row>[]; row: Row | undefined }) {
  return (
    <div className="row-grid-cells" role="presentation">
      {columns.map((column) => (
        <span
          key={column.id}
          role="gridcell"
          data-align={column.align}
          data-wide={column.wideOnly || undefined}
        >
          {row === undefined ? <i className="row-grid-waiting" /> : column.cell(row)}
        </span>
      ))}
    </div>
  );
}
/** Rows that stay in view while others come are not drawn again. */
const Cells = memo(CellsView) as typeof CellsView;

/** A row in whole pixels: 2.72 rem, which the projector's scale makes larger. */
function rowHeight(): number {
  return Math.round(2.72 * Number.parseFloat(getComputedStyle(document.documentElement).fontSize));
}
