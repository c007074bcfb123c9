import { X } from 'lucide-react';
import { useMemo, useState } from 'react';
import { useLocation } from 'wouter';
import type { Evaluation } from '../../../worker/protocol.ts';
import { Button, Empty, Select, Table } from '../../components/index.ts';
import { type GridColumn, RowGrid } from '../../components/RowGrid.tsx';
import { SearchField } from '../../components/SearchField.tsx';
import { RightWrong, Section } from '../../components/sections.tsx';
import { saveFile } from '../../download.ts';
import { formatCount, formatPercent, plural } from '../../format.ts';
import { useStudio } from '../../studio.tsx';
import { Confusion } from './Confusion.tsx';
import {
  answerOf,
  type Cell,
  isRight,
  type Order,
  type Outcome,
  outcomesCsv,
  type Slice,
  selectOutcomes,
} from './outcomes.ts';
import { Slices } from './Slices.tsx';

const SHOWS = [
  { id: 'wrong', label: 'wrong rows' },
  { id: 'right', label: 'right rows' },
  { id: 'all', label: 'all rows' },
] as const;
const ORDERS = [
  { id: 'surest', label: 'surest first' },
  { id: 'least-sure', label: 'least sure first' },
  { id: 'row', label: 'as in the table' },
] as const;

/** Where the answers go: the confusion matrix, each label's figures, and the rows themselves. */
export function Outcomes({
  evaluation,
  baseline,
  name,
}: {
  evaluation: Evaluation;
  /** The untuned model's answers to the same rows, where they have been measured. */
  baseline: Evaluation | undefined;
  name: string;
}) {
  const [cell, setCell] = useState<Cell>();
  const [slice, setSlice] = useState<Slice>();
  return (
    <>
      <Section title="Where the answers go">
        <div className="answers-go">
          <Confusion evaluation={evaluation} cell={cell} onCell={setCell} />
          <div className="figures-of">
            <Table
              caption="Precision, recall and F1 of each label"
              columns={[
                { id: 'label', title: 'Label', cell: (row) => row.label },
                {
                  id: 'precision',
                  title: 'Precision',
                  align: 'end',
                  cell: (row) => formatPercent(row.precision),
                },
                { id: 'recall', title: 'Recall', align: 'end', cell: (row) => formatPercent(row.recall) },
                { id: 'f1', title: 'F1', align: 'end', cell: (row) => formatPercent(row.f1) },
                { id: 'rows', title: 'Rows', align: 'end', cell: (row) => formatCount(row.support) },
              ]}
              rows={evaluation.classes}
              rowId={(row) => row.label}
            />
          </div>
        </div>
      </Section>
      <Slices evaluation={evaluation} baseline={baseline} slice={slice} onSlice={setSlice} />
      <Rows
        evaluation={evaluation}
        name={name}
        cell={cell}
        onCell={setCell}
        slice={slice}
        onSlice={setSlice}
      />
    </>
  );
}

function Rows({
  evaluation,
  name,
  cell,
  onCell,
  slice,
  onSlice,
}: {
  evaluation: Evaluation;
  name: string;
  cell: Cell | undefined;
  onCell: (cell: Cell | undefined) => void;
  slice: Slice | undefined;
  onSlice: (slice: Slice | undefined) => void;
}) {
  const [show, setShow] = useState<(typeof SHOWS)[number]['id']>('wrong');
  const [order, setOrder] = useState<Order>('surest');
  const [search, setSearch] = useState('');
  const found = useMemo(
    () => selectOutcomes(evaluation, { show, order, search, cell, slice }),
    [evaluation, show, order, search, cell, slice],
  );
  const { labels, part } = evaluation;
  const save = () =>
    saveFile({
      name: `${fileName(name)}-${part}.csv`,
      type: 'text/csv',
      // The byte order mark makes spreadsheets read the letters right.
      bytes: new TextEncoder().encode(`\ufeff${outcomesCsv(evaluation)}`),
    });

  return (
    <Section title="Row by row" aside={<Button onPress={save}>Save all as CSV</Button>}>
      <div className="row-filters">
        {cell ? (
          <Button onPress={() => onCell(undefined)}>
            {labels[cell.truth]} answered {labels[cell.predicted] ?? 'with no label'}{' '}
            <X size={15} aria-hidden />
          </Button>
        ) : (
          <Select label="Show" hideLabel choices={SHOWS} value={show} onChange={setShow} />
        )}
        {slice && (
          <Button onPress={() => onSlice(undefined)}>
            {slice.name} <X size={15} aria-hidden />
          </Button>
        )}
        <Select label="Order" hideLabel choices={ORDERS} value={order} onChange={setOrder} />
        <SearchField label="Search the texts" value={search} onChange={setSearch} />
        <span className="muted small" role="status">
          {plural(found.length, 'row')}
          {show === 'all' &&
            found.length > 0 &&
            `, ${formatPercent(found.filter(isRight).length / found.length)} right`}
        </span>
      </div>
      {found.length === 0 ? (
        <Empty>
          {show === 'wrong' && !cell && !slice && search === ''
            ? 'No row is wrong. Wrong rows would stand here.'
            : 'No row matches. Rows will stand here again once the search or a filter is taken away.'}
        </Empty>
      ) : (
        <RowGrid
          key={`${show} ${order} ${search} ${cell?.truth} ${cell?.predicted} ${slice?.id}`}
          label="Rows and answers"
          columns={COLUMNS}
          count={found.length}
          rowAt={(index) => found[index]}
          detail={(outcome) => <Detail outcome={outcome} />}
        />
      )}
    </Section>
  );
}

const COLUMNS: GridColumn<Outcome>[] = [
  {
    id: 'right',
    title: <span className="sr-only">Right or wrong</span>,
    track: '1rem',
    cell: (outcome) => <RightWrong right={isRight(outcome)} />,
  },
  {
    id: 'text',
    title: 'Text',
    track: 'minmax(0, 1fr)',
    cell: (outcome) => (outcome.text2 === undefined ? outcome.text : `${outcome.text} / ${outcome.text2}`),
  },
  { id: 'label', title: 'True label', track: 'minmax(4rem, 0.22fr)', cell: (outcome) => outcome.label },
  {
    id: 'predicted',
    title: 'Answer',
    track: 'minmax(4rem, 0.22fr)',
    cell: answerOf,
  },
  {
    id: 'probability',
    title: 'Sure',
    track: '4.6rem',
    align: 'end',
    wideOnly: true,
    cell: (outcome) => formatPercent(outcome.probability, 0),
  },
];

function Detail({ outcome }: { outcome: Outcome }) {
  const { tryIt } = useStudio();
  const [, go] = useLocation();
  return (
    <>
      <p>{outcome.text}</p>
      {outcome.text2 !== undefined && <p>{outcome.text2}</p>}
      <p className="muted small">
        Row {formatCount(outcome.row + 1)}. True label {outcome.label}; answered {answerOf(outcome)}
        {outcome.predicted === '' ? ', which is no label. The likeliest label has' : ', with'} a probability
        of {formatPercent(outcome.probability)} among the labels.
      </p>
      <div>
        <Button
          onPress={() => {
            tryIt.getState().setText(outcome.text, outcome.text2);
            go('/tune');
          }}
        >
          Try this text
        </Button>
      </div>
    </>
  );
}

function fileName(name: string): string {
  return name.replace(/[^\p{L}\p{N}._-]+/gu, '-').replace(/^-+|-+$/g, '') || 'outcomes';
}
