import { ChevronLeft, ChevronRight } from 'lucide-react';
import type { ReactNode } from 'react';
import type { ProfiledDispatch, ProfiledTensor, StepProfile } from '../../worker/protocol.ts';
import { Bar, type Column, IconButton, Table } from '../components/index.ts';
import { Facts, Pair, Section } from '../components/sections.tsx';
import { formatBytes, formatCount, formatNumber, formatPercent } from '../format.ts';
import { formatMicroseconds, formatOperations, PART_NAMES, rates } from './profileView.ts';

const COLUMNS: Column<ProfiledTensor>[] = [
  { id: 'name', title: 'tensor', cell: ({ name }) => <span className="tensor-name">{name}</span> },
  { id: 'shape', title: 'rows × columns', cell: ({ shape }) => shape.map(formatCount).join(' × ') },
  { id: 'dtype', title: 'type', cell: ({ dtype }) => dtype },
  {
    id: 'kind',
    title: 'what it is',
    cell: ({ kind, written }) => `${kind === 'weight' ? 'frozen' : kind}, ${written ? 'written' : 'read'}`,
  },
];

/** One dispatch: what it computes, its shapes, its cost against the roofs, and its WGSL. */
export function DispatchDetail({
  profile,
  index,
  onSelect,
}: {
  profile: StepProfile;
  index: number;
  onSelect: (index: number) => void;
}) {
  const dispatch = profile.dispatches[index];
  if (!dispatch) return null;
  const { kernel, node, part, layer } = dispatch;
  const source = profile.sources[dispatch.source];
  return (
    <Section
      title={kernel}
      note={`${node}${layer ? `, ${layer.stack} layer ${layer.index + 1}` : ''}: ${PART_NAMES[part]}, dispatch ${formatCount(index + 1)} of ${formatCount(profile.dispatches.length)}.`}
      aside={
        <>
          <IconButton label="Dispatch before" isDisabled={index === 0} onPress={() => onSelect(index - 1)}>
            <ChevronLeft size={16} aria-hidden />
          </IconButton>
          <IconButton
            label="Next dispatch"
            isDisabled={index === profile.dispatches.length - 1}
            onPress={() => onSelect(index + 1)}
          >
            <ChevronRight size={16} aria-hidden />
          </IconButton>
        </>
      }
    >
      <Pair
        controls={
          <>
            <Facts facts={facts(dispatch, profile)} />
            <Table
              caption={`Tensors of ${kernel}`}
              columns={COLUMNS}
              rows={dispatch.tensors}
              rowId={({ name, written }) => `${name} ${written}`}
            />
          </>
        }
        effect={
          // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard
          <section className="wgsl" tabIndex={0} aria-label={`WGSL of ${kernel}`}>
            <pre>{source?.code ?? ''}</pre>
          </section>
        }
      />
    </Section>
  );
}

function facts(dispatch: ProfiledDispatch, { busyUs }: StepProfile): [string, ReactNode][] {
  const { durationUs, flops, bytes, workgroups } = dispatch;
  const reached = rates({ us: durationUs, flops, bytes });
  return [
    [
      'Time',
      `${formatMicroseconds(durationUs)}, ${formatPercent(busyUs > 0 ? durationUs / busyUs : 0)} of the step`,
    ],
    [
      'Operations',
      `${formatOperations(flops)}FLOP${reached ? `, ${formatNumber(reached.gflops)} GFLOP/s` : ''}`,
    ],
    [
      'Bytes, at least',
      `${formatBytes(bytes)}${reached ? `, ${formatNumber(reached.gbytesPerSecond)} GB/s` : ''}`,
    ],
    ['Share of its roof', roofOf(dispatch)],
    ['Workgroups', workgroups.map(formatCount).join(' × ')],
  ];
}

function roofOf({ roof, roofShare }: ProfiledDispatch): ReactNode {
  if (roofShare === undefined) return 'took no measurable time';
  return (
    <span className="roof-share">
      <Bar share={roofShare} tone="ice" /> {formatPercent(roofShare, 0)} of{' '}
      {roof === 'compute' ? 'arithmetic' : 'memory'}
    </span>
  );
}
