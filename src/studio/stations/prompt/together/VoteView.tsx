import { useState } from 'react';
import type { Share, VoteReport } from '../../../../worker/protocol.ts';
import { Button, ProgressLine, Select, Table } from '../../../components/index.ts';
import { RightWrong, Section } from '../../../components/sections.tsx';
import { formatCount, formatPercent, plural } from '../../../format.ts';
import { refKey } from '../../../stores/results.ts';
import { useSession, useStudio } from '../../../studio.tsx';
import { disputed } from './numbers.ts';
import { togetherOf, useTogether } from './stores.ts';

const PARTS = [
  { id: 'dev', label: 'dev', note: 'rows that chose which step is kept' },
  { id: 'test', label: 'test', note: 'rows that nothing was chosen by' },
] as const;

/** Several prompts for the open table's task, and their vote. */
export function VoteView() {
  const studio = useStudio();
  const chosen = useTogether((s) => s.chosen);
  const part = useTogether((s) => s.part);
  const vote = useTogether((s) => s.vote);
  const progress = useTogether((s) => s.voting);
  const labels = useSession((s) => s.task?.labels);
  const name = useSession((s) => s.data?.name);
  const { setPart, count, stop } = togetherOf(studio).getState();
  const wanted = [...(labels ?? []).map(({ label }) => label)].sort().join();
  const others = chosen.filter((one) => [...one.labels].sort().join() !== wanted);
  return (
    <Section
      title="A vote"
      note={`Prompts of one task, for example of several seeds, answer every row of “${name}”; the label that most of them say wins. It takes one batch, not several models, and beats the average prompt in the paper (Lester et al. 2021, section 6).`}
    >
      {progress ? (
        <ProgressLine progress={progress} onStop={() => void stop()} />
      ) : (
        <div className="together-press">
          <Select label="Rows" inline choices={PARTS} value={part} onChange={setPart} />
          <Button isDisabled={chosen.length < 2 || others.length > 0} onPress={() => void count()}>
            Count the votes
          </Button>
          {others.length > 0 && (
            <span className="small muted">
              {others.map((one) => one.name).join(', ')} {others.length === 1 ? 'answers' : 'answer'} with
              other labels than this table has: leave {others.length === 1 ? 'it' : 'them'} out above, or open
              their table on Data.
            </span>
          )}
        </div>
      )}
      {vote && <Counted vote={vote} />}
    </Section>
  );
}

function Counted({ vote }: { vote: VoteReport }) {
  const chosen = useTogether((s) => s.chosen);
  const names = vote.members.map(
    ({ prompt }) => chosen.find((one) => refKey(one.prompt) === refKey(prompt))?.name ?? 'prompt',
  );
  const average = vote.average;
  const rows: { id: string; name: string; share: Share; learned: boolean; interval: boolean }[] = [
    ...vote.members.map((member, i) => ({
      id: refKey(member.prompt),
      name: names[i]!,
      share: member,
      learned: false,
      interval: true,
    })),
    {
      id: 'average',
      name: 'average of them',
      share: { accuracy: average, low: average, high: average },
      learned: false,
      interval: false,
    },
    { id: 'majority', name: 'majority vote', share: vote.majority, learned: true, interval: true },
    { id: 'mean', name: 'mean of the probabilities', share: vote.mean, learned: true, interval: true },
  ];
  const gain = vote.majority.accuracy - average;
  return (
    <>
      <p role="status">
        On {formatCount(vote.n)} {vote.part} rows the majority is right on{' '}
        {formatPercent(vote.majority.accuracy)},{' '}
        {Math.abs(gain) < 5e-4
          ? 'as much as'
          : `${(100 * Math.abs(gain)).toFixed(1)} points ${gain > 0 ? 'more' : 'less'} than`}{' '}
        the average prompt ({formatPercent(average)}).
      </p>
      <div className="table-scroll">
        <table className="table vote-table">
          <caption className="sr-only">Accuracy of each prompt and of their vote</caption>
          <thead>
            <tr>
              <th scope="col">who answers</th>
              <th scope="col" data-align="end">
                right
              </th>
              <th scope="col">95 % interval</th>
              <td aria-hidden className="vote-chart">
                <span>
                  <small>0</small> <small>100 %</small>
                </span>
              </td>
            </tr>
          </thead>
          <tbody>
            {rows.map(({ id, name, share, learned, interval }) => (
              <tr key={id} data-vote={learned || undefined}>
                <th scope="row">{name}</th>
                <td data-align="end">{formatPercent(share.accuracy)}</td>
                <td>
                  {interval ? (
                    `${formatPercent(share.low)} to ${formatPercent(share.high)}`
                  ) : (
                    <span className="muted">–</span>
                  )}
                </td>
                <td aria-hidden className="vote-chart">
                  <Interval share={share} warm={learned} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <Disputed vote={vote} names={names} />
    </>
  );
}

/** A share of 1 with its interval, on 0 to 100 %. */
function Interval({ share, warm }: { share: Share; warm: boolean }) {
  return (
    <span className="vote-interval" data-warm={warm || undefined}>
      <i style={{ left: `${100 * share.low}%`, width: `${100 * (share.high - share.low)}%` }} />
      <b style={{ left: `${100 * share.accuracy}%` }} />
    </span>
  );
}

const FIRST = 12;

function Disputed({ vote, names }: { vote: VoteReport; names: string[] }) {
  const [all, setAll] = useState(false);
  const rows = disputed(vote);
  if (rows.length === 0)
    return (
      <p className="small muted">
        All prompts give the same answer on every row: there is nothing to vote on.
      </p>
    );
  const shown = all ? rows : rows.slice(0, FIRST);
  return (
    <>
      <h3>
        {plural(rows.length, 'row')} of {formatCount(vote.n)} on which they differ
      </h3>
      <Table
        caption="Rows on which the prompts differ, with the answer of each"
        rowId={({ row }) => String(row)}
        rows={shown}
        columns={[
          {
            id: 'text',
            title: 'text',
            cell: ({ text, text2 }) => (
              <span className="vote-text">{text2 ? `${text} / ${text2}` : text}</span>
            ),
          },
          { id: 'label', title: 'right answer', cell: ({ label }) => label },
          ...names.map((name, i) => ({
            id: `member ${i}`,
            title: name,
            cell: ({ votes, label }: VoteReport['outcomes'][number]) => (
              <Answer said={votes[i]!.label} right={votes[i]!.label === label} />
            ),
          })),
          {
            id: 'vote',
            title: 'vote',
            cell: ({ majority, label }) => <Answer said={majority} right={majority === label} />,
          },
        ]}
      />
      {rows.length > shown.length && (
        <div>
          <Button onPress={() => setAll(true)}>Show all {formatCount(rows.length)}</Button>
        </div>
      )}
    </>
  );
}

function Answer({ said, right }: { said: string; right: boolean }) {
  return (
    <span className="vote-answer">
      <RightWrong right={right} /> {said}
    </span>
  );
}
