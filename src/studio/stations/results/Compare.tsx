import { useMemo } from 'react';
import type { Evaluation } from '../../../worker/protocol.ts';
import { Button, Empty, Select } from '../../components/index.ts';
import { type GridColumn, RowGrid } from '../../components/RowGrid.tsx';
import { Facts, RightWrong, Section } from '../../components/sections.tsx';
import { formatCount, formatPercent } from '../../format.ts';
import { asOptions, choiceOf, type PromptChoice, useResults } from '../../prompts.ts';
import { keptEvaluation, refKey } from '../../stores/results.ts';
import { useEvaluations } from '../../studio.tsx';
import { answerOf, isRight, leadOf, type PairedOutcome, pairOutcomes } from './outcomes.ts';

/** Two prompts on the same rows: who is right where the other is wrong. */
export function Compare({
  first,
  evaluation,
  choices,
}: {
  first: PromptChoice;
  evaluation: Evaluation;
  choices: readonly PromptChoice[];
}) {
  const { other, compareWith, part, decoding, measuring, measure } = useResults((s) => s);
  const others = choices.filter(({ prompt }) => refKey(prompt) !== refKey(first.prompt));
  const second = choiceOf(others, other && refKey(other));
  const kept = useEvaluations((s) => keptEvaluation(s.kept, second?.prompt, part, decoding));
  return (
    <Section
      title="Beside another"
      note="Both answer the same rows, so only those count on which one is right and the other wrong."
    >
      <div className="results-choice">
        <Select
          label={`Compare ${first.name} with`}
          choices={[{ id: '', label: 'nobody' }, ...asOptions(others)]}
          value={second ? refKey(second.prompt) : ''}
          onChange={(key) => compareWith(choiceOf(others, key)?.prompt)}
        />
        {second && !kept && (
          <Button isDisabled={measuring !== undefined} onPress={() => void measure([second.prompt])}>
            Measure {second.name}
          </Button>
        )}
      </div>
      {second && kept ? (
        <Beside first={first.name} second={second.name} a={evaluation} b={kept} />
      ) : (
        <Empty>
          {second
            ? `${second.name} has not answered these rows yet. Press Measure.`
            : 'Choose another run, a kept prompt or a baseline; the rows they answer differently will stand here.'}
        </Empty>
      )}
    </Section>
  );
}

function Beside({ first, second, a, b }: { first: string; second: string; a: Evaluation; b: Evaluation }) {
  const { n, bothRight, bothWrong, differ, comparison } = useMemo(() => pairOutcomes(a, b), [a, b]);
  const { onlyFirst, onlySecond, p } = comparison;
  const lead = leadOf(comparison);
  const points = (share: number) => (share * 100).toFixed(1);
  const columns = useMemo(() => columnsOf(first, second), [first, second]);
  return (
    <>
      <p>
        {lead.ahead === 'neither'
          ? `Both are right equally often on ${formatCount(n)} rows.`
          : `${lead.ahead === 'first' ? first : second} is ahead by ${points(lead.by)} points on ${formatCount(n)} rows (95 % interval ${points(lead.low)} to ${points(lead.high)}).`}{' '}
        Were they equally good, rows would be as unevenly shared in {formatPercent(p)} of cases (exact McNemar
        test){p < 0.05 ? '.' : ': too often to call one better.'}
      </p>
      <div className="beside">
        <Facts
          facts={[
            ['Both right', formatCount(bothRight)],
            [`Only ${first} right`, formatCount(onlyFirst)],
            [`Only ${second} right`, formatCount(onlySecond)],
            ['Both wrong', formatCount(bothWrong)],
          ]}
        />
      </div>
      {differ.length === 0 ? (
        <Empty>They answer every row alike. Rows they answer differently would stand here.</Empty>
      ) : (
        <RowGrid
          label="Rows they answer differently"
          columns={columns}
          count={differ.length}
          rowAt={(index) => differ[index]}
          detail={(pair) => (
            <>
              <p>{pair.first.text}</p>
              {pair.first.text2 !== undefined && <p>{pair.first.text2}</p>}
            </>
          )}
        />
      )}
    </>
  );
}

function columnsOf(first: string, second: string): GridColumn<PairedOutcome>[] {
  const answer = (id: 'first' | 'second', title: string): GridColumn<PairedOutcome> => ({
    id,
    title,
    track: 'minmax(4.6rem, 0.3fr)',
    cell: (pair) => (
      <>
        <RightWrong right={isRight(pair[id])} /> {answerOf(pair[id])}
      </>
    ),
  });
  return [
    { id: 'text', title: 'Text', track: 'minmax(0, 1fr)', cell: (pair) => pair.first.text },
    {
      id: 'label',
      title: 'True label',
      track: 'minmax(4rem, 0.2fr)',
      wideOnly: true,
      cell: (pair) => pair.first.label,
    },
    answer('first', first),
    answer('second', second),
  ];
}
