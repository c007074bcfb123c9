import { X } from 'lucide-react';
import { useMemo, useState } from 'react';
import type { Evaluation } from '../../../worker/protocol.ts';
import { Button, IconButton, TextField } from '../../components/index.ts';
import { Section } from '../../components/sections.tsx';
import { formatCount, formatPercent } from '../../format.ts';
import { type Slice, sliceOf, slicesByLabel, slicesByLength, slicesByWords } from './outcomes.ts';

/** Where it is right and where not: by label, by length, and by words that a person asks for; each with its interval. */
export function Slices({
  evaluation,
  baseline,
  slice,
  onSlice,
}: {
  evaluation: Evaluation;
  /** The untuned model's answers to the same rows, where they have been measured. */
  baseline: Evaluation | undefined;
  slice: Slice | undefined;
  onSlice: (slice: Slice | undefined) => void;
}) {
  const [words, setWords] = useState('');
  const [asked, setAsked] = useState<string[]>([]);
  const { outcomes } = evaluation;
  const groups = useMemo(
    () => [
      { title: 'By true label', slices: slicesByLabel(evaluation) },
      { title: 'By length', slices: slicesByLength(outcomes) },
      { title: 'By words', slices: asked.flatMap((one) => slicesByWords(outcomes, one)) },
    ],
    [evaluation, outcomes, asked],
  );
  const add = () => {
    const wanted = words.trim();
    if (wanted && !asked.some((one) => one.toLowerCase() === wanted.toLowerCase()))
      setAsked([...asked, wanted]);
    setWords('');
  };
  return (
    <Section
      title="Slices"
      note="How often it is right on parts of the rows. The interval is wide where there are few; press a slice to list its rows below."
    >
      <form
        className="slice-add"
        onSubmit={(event) => {
          event.preventDefault();
          add();
        }}
      >
        <TextField label="Rows with these words" value={words} onChange={setWords} placeholder="not" />
        <Button type="submit" isDisabled={words.trim() === ''}>
          Add a slice
        </Button>
        {asked.map((one) => (
          <span key={one} className="slice-asked">
            “{one}”
            <IconButton
              label={`Take the slice “${one}” away`}
              onPress={() => {
                setAsked(asked.filter((other) => other !== one));
                onSlice(undefined);
              }}
            >
              <X size={14} aria-hidden />
            </IconButton>
          </span>
        ))}
      </form>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a part that scrolls must be reached by the keyboard */}
      <section className="table-scroll" tabIndex={0} aria-label="Table of slices">
        <table className="table slices">
          <caption className="sr-only">Accuracy by slice</caption>
          <thead>
            <tr>
              <th scope="col">Slice</th>
              <th scope="col" data-align="end">
                Rows
              </th>
              <th scope="col" data-align="end">
                Right
              </th>
              <th scope="col" data-align="end">
                95 % interval
              </th>
              {baseline && (
                <th scope="col" data-align="end">
                  Untuned
                </th>
              )}
            </tr>
          </thead>
          {groups
            .filter(({ slices }) => slices.length > 0)
            .map(({ title, slices }) => (
              <tbody key={title}>
                <tr>
                  <th scope="rowgroup" colSpan={5}>
                    {title}
                  </th>
                </tr>
                {slices.map((one) => (
                  <tr key={one.id} data-chosen={slice?.id === one.id || undefined}>
                    <td>
                      <Button
                        variant="link"
                        isDisabled={one.n === 0}
                        aria-pressed={slice?.id === one.id}
                        onPress={() => onSlice(slice?.id === one.id ? undefined : one)}
                      >
                        <u>{one.name}</u>
                      </Button>
                    </td>
                    <td data-align="end">{formatCount(one.n)}</td>
                    <td data-align="end">{one.n ? formatPercent(one.accuracy) : '–'}</td>
                    <td data-align="end">
                      {one.n ? `${formatPercent(one.low, 0)} to ${formatPercent(one.high, 0)}` : '–'}
                    </td>
                    {baseline && (
                      <td data-align="end">
                        {one.n ? formatPercent(sliceOf(baseline.outcomes, one).accuracy) : '–'}
                      </td>
                    )}
                  </tr>
                ))}
              </tbody>
            ))}
        </table>
      </section>
    </Section>
  );
}
