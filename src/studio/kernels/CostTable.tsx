import { useMemo } from 'react';
import type { StepProfile } from '../../worker/protocol.ts';
import { Bar, Button, Select } from '../components/index.ts';
import { type GridColumn, RowGrid } from '../components/RowGrid.tsx';
import { formatBytes, formatNumber, formatPercent } from '../format.ts';
import {
  formatMicroseconds,
  formatOperations,
  type Group,
  type Grouping,
  groupDispatches,
  PART_NAMES,
  rates,
} from './profileView.ts';

const GROUPINGS = [
  { id: 'kernel', label: 'kernel' },
  { id: 'layer', label: 'layer' },
  { id: 'dispatch', label: 'single dispatch' },
] as const;

/** Kernels, layers or single dispatches by the time that they take. */
export function CostTable({
  profile,
  grouping,
  onGroup,
  selected,
  onSelect,
}: {
  profile: StepProfile;
  grouping: Grouping;
  onGroup: (by: Grouping) => void;
  selected: number;
  onSelect: (index: number) => void;
}) {
  const groups = useMemo(() => groupDispatches(profile, grouping), [profile, grouping]);
  const columns = useMemo(() => {
    const longest = ({ members }: Group) =>
      members.reduce((best, index) =>
        profile.dispatches[index]!.durationUs > profile.dispatches[best]!.durationUs ? index : best,
      );
    const all: GridColumn<Group>[] = [
      {
        id: 'name',
        title: grouping === 'layer' ? 'layer' : 'kernel',
        track: 'minmax(7rem, 2fr)',
        cell: (group) => (
          <Button variant="link" onPress={() => onSelect(longest(group))}>
            <u data-current={group.members.includes(selected) || undefined}>{group.name}</u>
          </Button>
        ),
      },
      { id: 'part', title: 'part', track: '7rem', cell: ({ part }) => PART_NAMES[part], wideOnly: true },
      {
        id: 'count',
        title: 'times',
        track: '3.4rem',
        align: 'end',
        cell: ({ members }) => members.length,
        wideOnly: true,
      },
      { id: 'us', title: 'time', track: '5rem', align: 'end', cell: ({ us }) => formatMicroseconds(us) },
      {
        id: 'share',
        title: 'share',
        track: 'minmax(3.8rem, 1fr)',
        cell: ({ share }) => (
          <span className="cost-share">
            <Bar share={share} tone="ice" /> {formatPercent(share)}
          </span>
        ),
      },
      {
        id: 'flops',
        title: 'FLOP',
        track: '4.6rem',
        align: 'end',
        cell: ({ flops }) => formatOperations(flops),
        wideOnly: true,
      },
      {
        id: 'bytes',
        title: 'bytes',
        track: '4.6rem',
        align: 'end',
        cell: ({ bytes }) => formatBytes(bytes),
        wideOnly: true,
      },
      {
        id: 'rate',
        title: 'GFLOP/s',
        track: '4.6rem',
        align: 'end',
        cell: (group) => {
          const reached = rates(group);
          return reached ? formatNumber(reached.gflops) : '–';
        },
        wideOnly: true,
      },
      {
        id: 'roof',
        title: 'of roof',
        track: '4.2rem',
        align: 'end',
        cell: ({ roofShare }) => (roofShare === undefined ? '–' : formatPercent(roofShare, 0)),
      },
    ];
    return all;
  }, [profile, grouping, selected, onSelect]);
  return (
    <>
      <div className="cost-group">
        <Select inline label="One line for each" choices={GROUPINGS} value={grouping} onChange={onGroup} />
      </div>
      <RowGrid
        key={grouping}
        label="Cost of the step"
        columns={columns}
        count={groups.length}
        rowAt={(index) => groups[index]}
      />
    </>
  );
}
