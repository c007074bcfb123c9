import { OctagonAlert, Upload, X } from 'lucide-react';
import type { ReactNode } from 'react';
import { Tabs as AriaTabs, DropZone, FileTrigger, Tab, TabList, TabPanel, Text } from 'react-aria-components';
import type { ErrorReport } from '../../errors.ts';
import type { Progress } from '../../worker/protocol.ts';
import { formatBytes, formatCount, formatRate, formatSeconds } from '../format.ts';
import { Button, IconButton } from './buttons.tsx';
import { type DropEntry, droppedFiles } from './droppedFiles.ts';
import { tokenText } from './tokens.ts';

export function Tabs({
  label,
  tabs,
}: {
  label: string;
  tabs: { id: string; title: string; content: ReactNode }[];
}) {
  return (
    <AriaTabs>
      <TabList aria-label={label} className="tabs-list">
        {tabs.map((tab) => (
          <Tab key={tab.id} id={tab.id} className="tab">
            {tab.title}
          </Tab>
        ))}
      </TabList>
      {tabs.map((tab) => (
        <TabPanel key={tab.id} id={tab.id} className="tab-panel">
          {tab.content}
        </TabPanel>
      ))}
    </AriaTabs>
  );
}

export interface Column<Row> {
  id: string;
  title: ReactNode;
  cell: (row: Row) => ReactNode;
  align?: 'start' | 'end';
}

/** A plain table. `caption` names it for a screen reader. */
export function Table<Row>({
  caption,
  columns,
  rows,
  rowId,
}: {
  caption: string;
  columns: Column<Row>[];
  rows: readonly Row[];
  rowId: (row: Row) => string;
}) {
  return (
    <div className="table-scroll">
      <table className="table">
        <caption className="sr-only">{caption}</caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column.id} scope="col" data-align={column.align}>
                {column.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={rowId(row)}>
              {columns.map((column) => (
                <td key={column.id} data-align={column.align}>
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** A share of 1 as a bar. Its number stands beside it in words, so it is hidden from assistive technology. */
export function Bar({ share, tone = 'plain' }: { share: number; tone?: 'plain' | 'warm' | 'ice' }) {
  return (
    <div className="bar" data-tone={tone} aria-hidden>
      <i style={{ width: `${Math.max(0, Math.min(1, share)) * 100}%` }} />
    </div>
  );
}

/** One piece of text as the model reads it; a space at its start shows as the tokenizer's mark. */
export function Token({ text }: { text: string }) {
  return <span className="token">{tokenText(text)}</span>;
}

/** A place for files: drop them, or press the button. */
export function FileDrop({
  label,
  hint,
  accept,
  multiple = false,
  onFiles,
}: {
  label: string;
  hint?: ReactNode;
  /** Endings or MIME types for the file dialog. */
  accept?: string[];
  multiple?: boolean;
  onFiles: (files: File[]) => void;
}) {
  return (
    <DropZone
      className="drop"
      onDrop={async (event) => {
        const files = await droppedFiles(event.items as DropEntry[]);
        if (files.length) onFiles(multiple ? files : files.slice(0, 1));
      }}
    >
      <Upload size={22} aria-hidden />
      <Text slot="label">{label}</Text>
      <FileTrigger
        acceptedFileTypes={accept}
        allowsMultiple={multiple}
        onSelect={(list) => list?.length && onFiles([...list])}
      >
        <Button>{multiple ? 'Choose files' : 'Choose a file'}</Button>
      </FileTrigger>
      {hint && <span className="small muted">{hint}</span>}
    </DropZone>
  );
}

/** What will stand here, and the press that fills it. */
export function Empty({ children, action }: { children: ReactNode; action?: ReactNode }) {
  return (
    <div className="empty">
      <p>{children}</p>
      {action}
    </div>
  );
}

function progressText(progress: Progress): string {
  const { done, total, unit, perSecond, secondsLeft } = progress;
  const amount = (value: number) => (unit === 'bytes' ? formatBytes(value) : formatCount(value));
  const parts = [
    total > 0
      ? `${amount(done)} of ${amount(total)}${unit === 'bytes' ? '' : ` ${unit}`}`
      : `${amount(done)}${unit === 'bytes' ? '' : ` ${unit}`}`,
  ];
  if (perSecond)
    parts.push(unit === 'bytes' ? `${formatBytes(perSecond)}/s` : `${formatRate(perSecond)} ${unit}/s`);
  if (secondsLeft !== undefined && Number.isFinite(secondsLeft))
    parts.push(`${formatSeconds(secondsLeft)} left`);
  return parts.join(', ');
}

/** Long work: what, how much of it, how fast, how long still, and a Stop that leaves things whole. */
export function ProgressLine({ progress, onStop }: { progress: Progress; onStop?: () => void }) {
  return (
    <div className="progress-line">
      <span>
        {progress.what} <span className="muted">{progressText(progress)}</span>
      </span>
      <div
        className="bar"
        role="progressbar"
        aria-label={progress.what}
        aria-valuemin={0}
        aria-valuemax={progress.total || undefined}
        aria-valuenow={progress.total ? progress.done : undefined}
        aria-valuetext={progressText(progress)}
      >
        <i style={{ width: `${progress.total ? Math.min(1, progress.done / progress.total) * 100 : 30}%` }} />
      </div>
      {onStop && <Button onPress={onStop}>Stop</Button>}
    </div>
  );
}

/** An error in its three parts: what happened, where, what to do now. */
export function ErrorBanner({
  report,
  action,
  onDismiss,
}: {
  report: ErrorReport;
  action?: { label: string; run: () => void };
  onDismiss?: () => void;
}) {
  return (
    <div className="banner" role="alert">
      <OctagonAlert size={18} aria-hidden />
      <div>
        <p>
          <strong>{report.message}</strong>
        </p>
        {report.where && <p className="muted">Where: {report.where}</p>}
        <p>{report.remedy}</p>
      </div>
      <div className="banner-actions">
        {action && (
          <Button
            onPress={() => {
              onDismiss?.();
              action.run();
            }}
          >
            {action.label}
          </Button>
        )}
        {onDismiss && (
          <IconButton label="Dismiss" onPress={onDismiss}>
            <X size={16} aria-hidden />
          </IconButton>
        )}
      </div>
    </div>
  );
}
