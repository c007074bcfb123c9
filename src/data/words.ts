import type { TableWarning } from './types.ts';

/** The first few numbers of a list, as text: "3, 8, 12, 40, 41 ...". */
export function someOf(numbers: readonly number[]): string {
  return numbers.slice(0, 5).join(', ') + (numbers.length > 5 ? ' ...' : '');
}

/** "1 row", "2,000 rows". */
export function counted(count: number, one: string, many = `${one}s`): string {
  return count === 1 ? `1 ${one}` : `${count.toLocaleString('en')} ${many}`;
}

export function truncatedWarning(name: string, limit: number): TableWarning {
  const most = limit.toLocaleString('en');
  return {
    kind: 'truncated',
    message: `${name} has more than ${most} rows; the first ${most} were read.`,
    count: 0,
    rows: [],
  };
}
