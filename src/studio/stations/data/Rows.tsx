import { useEffect, useMemo, useState } from 'react';
import { Empty, Select } from '../../components/index.ts';
import { type GridColumn, RowGrid } from '../../components/RowGrid.tsx';
import { SearchField } from '../../components/SearchField.tsx';
import { Section } from '../../components/sections.tsx';
import { formatCount, plural } from '../../format.ts';
import type { DataRow } from '../../stores/rowPages.ts';
import { useSession } from '../../studio.tsx';
import { RowTokens } from './FoundRows.tsx';
import { useRowPages } from './stores.ts';

const SEARCH_MS = 250;
const PARTS = [
  { id: '', label: 'all parts' },
  { id: 'train', label: 'train' },
  { id: 'dev', label: 'dev' },
  { id: 'test', label: 'test' },
] as const;
type PartChoice = (typeof PARTS)[number]['id'];

/** All rows, with search and filters; a press on one shows its tokens. */
export function Rows() {
  const total = useRowPages((s) => s.total);
  const filter = useRowPages((s) => s.filter);
  const setFilter = useRowPages((s) => s.setFilter);
  const generation = useRowPages((s) => s.generation);
  const need = useRowPages((s) => s.need);
  // The grid is drawn again when a page has come.
  useRowPages((s) => s.pages);
  const rowAt = useRowPages((s) => s.rowAt);
  const labels = useSession((s) => s.task!.labels);
  const pair = useSession((s) => s.task!.settings.roles.text2 !== undefined);
  const [search, setSearch] = useState(filter.search ?? '');

  useEffect(() => {
    if (search === (filter.search ?? '')) return;
    const timer = setTimeout(() => setFilter({ ...filter, search: search || undefined }), SEARCH_MS);
    return () => clearTimeout(timer);
  }, [search, filter, setFilter]);

  const columns = useMemo(() => columnsOf(pair), [pair]);
  const filtered = filter.search || filter.label || filter.part;
  return (
    <Section title="Rows">
      <div className="row-filters">
        <SearchField label="Search the texts" value={search} onChange={setSearch} />
        <Select
          label="Label"
          hideLabel
          choices={[{ id: '', label: 'all labels' }, ...labels.map(({ label }) => ({ id: label, label }))]}
          value={filter.label ?? ''}
          onChange={(label) => setFilter({ ...filter, label: label || undefined })}
        />
        <Select<PartChoice>
          label="Part"
          hideLabel
          choices={PARTS}
          value={filter.part ?? ''}
          onChange={(part) => setFilter({ ...filter, part: part || undefined })}
        />
        <span className="muted small" role="status">
          {total !== undefined &&
            plural(total, filtered ? 'row matches' : 'row', filtered ? 'rows match' : 'rows')}
        </span>
      </div>
      {total === 0 ? (
        <Empty>No row matches. Rows will stand here again once the search or a filter is taken away.</Empty>
      ) : (
        <RowGrid
          key={`${generation}`}
          label="Rows of the table"
          columns={columns}
          count={total ?? 0}
          rowAt={rowAt}
          onRange={need}
          detail={detailOf}
        />
      )}
    </Section>
  );
}

function columnsOf(pair: boolean): GridColumn<DataRow>[] {
  const text = (id: 'text' | 'text2', title: string, wideOnly: boolean): GridColumn<DataRow> => ({
    id,
    title,
    track: 'minmax(0, 1fr)',
    wideOnly,
    cell: (row) => row[id],
  });
  return [
    {
      id: 'row',
      title: 'Row',
      track: '4.4rem',
      align: 'end',
      wideOnly: true,
      cell: (row) => <span className="muted">{formatCount(row.row + 1)}</span>,
    },
    text('text', 'Text', false),
    ...(pair ? [text('text2', 'Second text', true)] : []),
    { id: 'label', title: 'Label', track: 'minmax(4.5rem, 0.3fr)', cell: (row) => row.label },
    {
      id: 'part',
      title: 'Part',
      track: '3.6rem',
      cell: (row) => <span className="muted">{row.part}</span>,
    },
  ];
}

function detailOf(row: DataRow) {
  return <RowTokens row={row.row} />;
}
