import { useEffect, useState } from 'react';
import { TextField as AriaTextField, Input } from 'react-aria-components';
import type { LabelReport, TaskSettings } from '../../../worker/protocol.ts';
import { Bar, Checkbox, Empty, Token } from '../../components/index.ts';
import { Section } from '../../components/sections.tsx';
import { formatCount, formatPercent } from '../../format.ts';
import { withWord } from '../../stores/taskSettings.ts';
import { useSession } from '../../studio.tsx';
import { useDraft } from './stores.ts';

/** Labels, how many rows have each, and the word (the verbalizer) that the model answers with. */
export function Answers({ draft, isDisabled }: { draft: TaskSettings; isDisabled: boolean }) {
  const task = useSession((s) => s.task);
  const change = useDraft((s) => s.change);
  return (
    <Section
      title="Labels and answers"
      note={
        <>
          The model answers with words: each label has its own (the <i>verbalizer</i>). A word of few tokens
          that the model knows well is the easiest to learn.
        </>
      }
    >
      {task ? (
        <div className="table-scroll">
          <table className="table answers">
            <caption className="sr-only">Labels and their words</caption>
            <thead>
              <tr>
                <th scope="col">Label</th>
                <th scope="col">Answer</th>
                <th scope="col">Its tokens</th>
                <th scope="col" data-align="end">
                  Rows
                </th>
                <th scope="col">Share</th>
              </tr>
            </thead>
            <tbody>
              {task.labels.map((entry) => (
                <Answer
                  key={entry.label}
                  entry={entry}
                  word={draft.verbalizers[entry.label] ?? entry.label}
                  total={task.counts.examples}
                  isDisabled={isDisabled}
                />
              ))}
            </tbody>
          </table>
        </div>
      ) : (
        <Empty>
          The labels will stand here, each with its count and its word, once the columns can be used.
        </Empty>
      )}
      <Checkbox
        isSelected={draft.appendEos}
        isDisabled={isDisabled}
        onChange={(appendEos) => change((settings) => ({ ...settings, appendEos }))}
      >
        The answer ends with the end token (&lt;/s&gt;), and its score counts it
      </Checkbox>
    </Section>
  );
}

function Answer({
  entry,
  word,
  total,
  isDisabled,
}: {
  entry: LabelReport;
  word: string;
  total: number;
  isDisabled: boolean;
}) {
  const change = useDraft((s) => s.change);
  const [typed, setTyped] = useState(word);
  useEffect(() => setTyped(word), [word]);
  const use = () => {
    if (typed.trim() !== word) change((settings) => withWord(settings, entry.label, typed));
    if (typed.trim() === '') setTyped(entry.label);
  };
  return (
    <tr>
      <th scope="row" className="label-name">
        {entry.label}
      </th>
      <td>
        <AriaTextField
          aria-label={`Answer for ${entry.label}`}
          className="field word"
          value={typed}
          isDisabled={isDisabled}
          onChange={setTyped}
          onBlur={use}
          onKeyDown={(event) => event.key === 'Enter' && use()}
        >
          <Input />
        </AriaTextField>
      </td>
      <td>
        <span className="tokens">
          {entry.tokens.map((token, i) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a token may stand twice
            <Token key={i} text={token} />
          ))}
        </span>
      </td>
      <td data-align="end">{formatCount(entry.count)}</td>
      <td className="share">
        <Bar share={entry.count / Math.max(1, total)} />
        <span>{formatPercent(entry.count / Math.max(1, total))}</span>
      </td>
    </tr>
  );
}
