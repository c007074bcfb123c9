import { ToggleButton } from 'react-aria-components';
import { Button, Empty, FileDrop } from '../../components/index.ts';
import { Pair, Section } from '../../components/sections.tsx';
import { plural } from '../../format.ts';
import { useSession, useStudio } from '../../studio.tsx';

const TABLES = ['.csv', '.tsv', '.tab', '.txt', '.jsonl', '.ndjson', '.json'];

export function Source({ isDisabled }: { isDisabled: boolean }) {
  const { session, notices } = useStudio();
  const open = (file: File) => {
    if (isDisabled)
      notices.getState().toast('A run is going on the present data. Stop it before you open another table.');
    else void session.getState().openData({ kind: 'file', file });
  };
  return (
    <Section title="Where the rows come from">
      <Pair
        controls={
          <FileDrop
            label="Drop a table with a text and a label on each row"
            hint="CSV, TSV or JSON Lines, up to 100,000 rows. It stays on this computer."
            accept={TABLES}
            onFiles={([file]) => file && open(file)}
          />
        }
        effect={<Samples isDisabled={isDisabled} />}
      />
    </Section>
  );
}

function Samples({ isDisabled }: { isDisabled: boolean }) {
  const { session } = useStudio();
  const samples = useSession((s) => s.samples);
  const chosen = useSession((s) => (s.dataSource?.kind === 'sample' ? s.dataSource.id : undefined));
  const opening = useSession((s) => s.phase === 'opening');
  if (samples.length === 0)
    return (
      <Empty action={!opening && <Button onPress={() => void session.getState().begin()}>Look again</Button>}>
        The samples will stand here once the device is open.
      </Empty>
    );
  return (
    <ul className="samples" aria-label="Samples">
      {samples.map((sample) => (
        <li key={sample.id}>
          <ToggleButton
            className="sample"
            isSelected={sample.id === chosen}
            isDisabled={isDisabled}
            onChange={() => void session.getState().openData({ kind: 'sample', id: sample.id })}
          >
            <b>{sample.title}</b>
            <span>{sample.about}</span>
            <small>
              {plural(sample.rows, 'row')}, {plural(sample.labels.length, 'label')}
            </small>
          </ToggleButton>
        </li>
      ))}
    </ul>
  );
}
