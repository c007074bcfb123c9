import { TriangleAlert } from 'lucide-react';
import { useState } from 'react';
import type { DataReport, DataSource, ReadOptions } from '../../../worker/protocol.ts';
import { type Choice, Select } from '../../components/index.ts';
import { Section } from '../../components/sections.tsx';
import { formatCount } from '../../format.ts';
import { useSession, useStudio } from '../../studio.tsx';

const DELIMITERS: Choice<string>[] = [
  { id: ',', label: 'comma' },
  { id: ';', label: 'semicolon' },
  { id: '\t', label: 'tab' },
  { id: '|', label: 'bar |' },
];
const ENCODINGS: Choice<string>[] = [
  { id: 'utf-8', label: 'UTF-8' },
  { id: 'utf-16le', label: 'UTF-16, little-endian' },
  { id: 'utf-16be', label: 'UTF-16, big-endian' },
  { id: 'windows-1252', label: 'Latin-1 (windows-1252)' },
];
const HEADERS: Choice<'yes' | 'no'>[] = [
  { id: 'yes', label: 'holds the names' },
  { id: 'no', label: 'is data' },
];

/** How the file was read, each of it changeable, and its first rows as they came out. */
export function Format({ isDisabled }: { isDisabled: boolean }) {
  const { session } = useStudio();
  const data = useSession((s) => s.data)!;
  const source = useSession((s) => s.dataSource)!;
  const working = useSession((s) => s.phase === 'data');
  const [chosen, setChosen] = useState<{ source: DataSource; options: ReadOptions }>();
  // What was chosen for one file says nothing about the next.
  const options = chosen?.source === source ? chosen.options : {};

  const change = async (more: ReadOptions) => {
    const next = { ...options, ...more };
    setChosen({ source, options: next });
    await session.getState().openData(source, next);
  };
  const off = isDisabled || working;

  return (
    <Section title="How the file is read">
      <div className="format">
        <span className="format-name">{data.format.toUpperCase()}</span>
        {data.delimiter && (
          <Select
            label="Between cells"
            choices={withFound(DELIMITERS, data.delimiter)}
            value={data.delimiter}
            isDisabled={off}
            onChange={(delimiter) => void change({ delimiter })}
          />
        )}
        <Select
          label="Letters (encoding)"
          choices={withFound(ENCODINGS, data.encoding)}
          value={data.encoding}
          isDisabled={off}
          onChange={(encoding) => void change({ encoding })}
        />
        {data.delimiter && (
          <Select
            label="First row"
            choices={HEADERS}
            value={data.header ? 'yes' : 'no'}
            isDisabled={off}
            onChange={(header) => void change({ header: header === 'yes' })}
          />
        )}
      </div>
      {data.warnings.length > 0 && (
        <ul className="warnings">
          {data.warnings.map((warning) => (
            <li key={warning}>
              <TriangleAlert size={16} aria-hidden /> {warning}
            </li>
          ))}
        </ul>
      )}
      <Head data={data} />
    </Section>
  );
}

const HEAD_ROWS = 3;

function Head({ data }: { data: DataReport }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: wide tables are scrolled by key
    <section className="table-scroll" tabIndex={0} aria-label="First rows of the file">
      <table className="table head">
        <caption className="sr-only">First rows of the file, of {formatCount(data.rows)}</caption>
        <thead>
          <tr>
            {data.columns.map((column) => (
              <th key={column} scope="col">
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {data.head.slice(0, HEAD_ROWS).map((row, i) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: rows of a file have no other name
            <tr key={i}>
              {row.map((cell, j) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: as above
                <td key={j}>
                  <span className="clip">{cell}</span>
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** The usual choices, and the one that was found where it is none of them. */
function withFound(choices: Choice<string>[], found: string): Choice<string>[] {
  return choices.some((choice) => choice.id === found) ? choices : [...choices, { id: found, label: found }];
}
