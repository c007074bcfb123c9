import { X } from 'lucide-react';
import { FileTrigger } from 'react-aria-components';
import type { TaskSettings } from '../../../worker/protocol.ts';
import { Button, Empty, IconButton, NumberField, Select } from '../../components/index.ts';
import { Pair, Section } from '../../components/sections.tsx';
import { formatCount, formatPercent } from '../../format.ts';
import { useSession } from '../../studio.tsx';
import { useDraft } from './stores.ts';

type Split = TaskSettings['split'];
const DEFAULT_SHARES = { train: 0.7, dev: 0.15, test: 0.15 };
const percent = (share: number) => Math.round(share * 1000) / 10;

/** Which rows train, which choose and which test: by shares, by place, or from own files. */
export function Parts({ draft, isDisabled }: { draft: TaskSettings; isDisabled: boolean }) {
  const change = useDraft((s) => s.change);
  const problem = useDraft((s) => s.problems.split);
  const { split } = draft;
  const set = (next: Split) => change((settings) => ({ ...settings, split: next }));
  return (
    <Section
      title="Parts"
      note={
        <>
          The prompt learns from <i>train</i>; <i>dev</i> decides which of its steps is kept; <i>test</i> is
          touched once, at the end.
        </>
      }
    >
      <Pair
        controls={
          <>
            <Select
              label="Divide by"
              choices={[
                {
                  id: 'stratified',
                  label: 'shares',
                  note: 'shuffled; every part has the same mix of labels',
                },
                {
                  id: 'last-quarter',
                  label: 'place',
                  note: 'the last quarter tests, dev is drawn from the rest',
                },
              ]}
              value={split.kind}
              isDisabled={isDisabled}
              onChange={(kind) =>
                set(
                  kind === 'stratified'
                    ? { kind, ...DEFAULT_SHARES, seed: split.seed }
                    : { kind, dev: 0.15, seed: split.seed },
                )
              }
            />
            <div className="shares">
              {split.kind === 'stratified' ? (
                (['train', 'dev', 'test'] as const).map((part) => (
                  <NumberField
                    key={part}
                    label={`${part}, %`}
                    value={percent(split[part])}
                    min={0}
                    max={100}
                    isDisabled={isDisabled}
                    onChange={(value) => set({ ...split, [part]: value / 100 })}
                  />
                ))
              ) : (
                <NumberField
                  label="dev, % of the rest"
                  value={percent(split.dev)}
                  min={0}
                  max={90}
                  isDisabled={isDisabled}
                  onChange={(value) => set({ ...split, dev: value / 100 })}
                />
              )}
              <NumberField
                label="seed"
                value={split.seed}
                min={0}
                max={2 ** 31 - 1}
                step={1}
                isDisabled={isDisabled}
                onChange={(seed) => set({ ...split, seed })}
              />
            </div>
            {problem && (
              <p className="field-error" role="alert">
                {problem}
              </p>
            )}
            <div className="own-files">
              <OwnFile
                what="dev"
                file={draft.devFile}
                isDisabled={isDisabled}
                onFile={(devFile) => change((settings) => ({ ...settings, devFile }))}
              />
              <OwnFile
                what="test"
                file={draft.testFile}
                isDisabled={isDisabled}
                onFile={(testFile) => change((settings) => ({ ...settings, testFile }))}
              />
            </div>
          </>
        }
        effect={<PartsBar />}
      />
    </Section>
  );
}

function OwnFile({
  what,
  file,
  isDisabled,
  onFile,
}: {
  what: 'dev' | 'test';
  file: File | undefined;
  isDisabled: boolean;
  onFile: (file: File | undefined) => void;
}) {
  if (file)
    return (
      <div className="own-file">
        <span>
          {what}: <b>{file.name}</b>
        </span>
        <IconButton
          label={`Draw ${what} from the table again`}
          isDisabled={isDisabled}
          onPress={() => onFile(undefined)}
        >
          <X size={16} aria-hidden />
        </IconButton>
      </div>
    );
  return (
    <FileTrigger
      acceptedFileTypes={['.csv', '.tsv', '.txt', '.jsonl', '.ndjson', '.json']}
      onSelect={(list) => list?.[0] && onFile(list[0])}
    >
      <Button isDisabled={isDisabled}>Own {what} file</Button>
    </FileTrigger>
  );
}

function PartsBar() {
  const task = useSession((s) => s.task);
  if (!task) return <Empty>How many rows each part has will stand here.</Empty>;
  const { counts, majority } = task;
  const total = Math.max(1, counts.train + counts.dev + counts.test);
  const parts = (['train', 'dev', 'test'] as const).map((part) => ({ part, count: counts[part] }));
  return (
    <div className="parts">
      <div className="parts-bar" aria-hidden>
        {parts.map(({ part, count }) => (
          <i key={part} data-part={part} style={{ flexGrow: count }} />
        ))}
      </div>
      <ul>
        {parts.map(({ part, count }) => (
          <li key={part}>
            <i data-part={part} aria-hidden />
            <b>{formatCount(count)}</b> {part}
            <span className="muted"> {formatPercent(count / total)}</span>
          </li>
        ))}
      </ul>
      <p className="small muted">
        Always saying “{majority.label}” is right on {formatPercent(majority.dev)} of dev and{' '}
        {formatPercent(majority.test)} of test: the least that a prompt must beat.
      </p>
    </div>
  );
}
