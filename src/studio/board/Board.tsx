import { X } from 'lucide-react';
import { useState } from 'react';
import { Link } from 'wouter';
import { useStore } from 'zustand';
import { Button, Empty, IconButton, TextArea } from '../components/index.ts';
import { Section } from '../components/sections.tsx';
import { formatBytes, formatPercent, plural } from '../format.ts';
import { groupBy } from '../groupBy.ts';
import { perStudio } from '../perStudio.ts';
import { useRuns, useStudio } from '../studio.tsx';
import { createBoard } from './board.ts';
import { cardOf, type RunCard, rank } from './card.ts';

const boardOf = perStudio(({ notices }) => createBoard(notices, ownStorage()));

function ownStorage(): Storage | undefined {
  try {
    return window.localStorage;
  } catch {
    return undefined;
  }
}

/** `#/board`: run cards of a class, ranked by accuracy and by bytes, each table of data apart. */
export function Board() {
  const studio = useStudio();
  const board = boardOf(studio);
  const cards = useStore(board, (s) => s.cards);
  const runs = useRuns((s) => s.runs);
  const [text, setText] = useState('');
  const own = runs.flatMap((run) => {
    const { model } = studio.session.getState();
    return cardOf(run, model?.id === run.modelId ? model.fingerprint : undefined) ?? [];
  });
  const tables = groupBy(cards, (card) => card.data);
  return (
    <main id="main" className="page">
      <div className="page-head">
        <h1>Class board</h1>
        <p>
          Run cards, ranked twice: by accuracy, and by the bytes that were learned. Copy a card with the three
          dots of a run in the list of runs on Tune. <Link href="/lessons">Back to the lessons</Link>
        </p>
      </div>
      <Section title="Add cards">
        <TextArea
          label="Paste one or many run cards"
          rows={4}
          value={text}
          onChange={setText}
          placeholder={'{ "format": "prelude-run/1", … }'}
        />
        <div className="section-aside">
          <Button isDisabled={!text.trim()} onPress={() => board.getState().paste(text) && setText('')}>
            Add to the board
          </Button>
          <Button isDisabled={own.length === 0} onPress={() => board.getState().add(own)}>
            Add my {plural(own.length, 'run')}
          </Button>
        </div>
      </Section>
      {cards.length === 0 && (
        <Section title="The board">
          <Empty>The pasted runs will stand here, the most accurate first.</Empty>
        </Section>
      )}
      {[...tables].map(([data, those]) => (
        <Section key={data} title={data}>
          <Ranking cards={those} onRemove={(card) => board.getState().remove(card)} />
        </Section>
      ))}
    </main>
  );
}

function Ranking({ cards, onRemove }: { cards: readonly RunCard[]; onRemove: (card: RunCard) => void }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a part that scrolls must be reached by the keyboard
    <section className="table-scroll" tabIndex={0} aria-label="Ranking">
      <table className="table">
        <thead>
          <tr>
            <th scope="col">by accuracy</th>
            <th scope="col">by bytes</th>
            <th scope="col">run</th>
            <th scope="col">accuracy</th>
            <th scope="col">learned</th>
            <th scope="col">model</th>
            <th scope="col">recipe</th>
            <th scope="col">
              <span className="sr-only">actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {rank(cards).map(({ card, accuracy, byAccuracy, byBytes }) => (
            <tr key={JSON.stringify(card)}>
              <td>{byAccuracy}</td>
              <td>{byBytes}</td>
              <td>{card.name}</td>
              <td>
                {formatPercent(accuracy)} <span className="muted">{card.accuracy.test ? 'test' : 'dev'}</span>
              </td>
              <td>{formatBytes(card.bytes)}</td>
              <td>{card.model.title}</td>
              <td>
                length {card.recipe.promptLength}, {plural(card.steps, 'step')}, seed {card.recipe.seed}
              </td>
              <td>
                <IconButton label={`Take ${card.name} off the board`} onPress={() => onRemove(card)}>
                  <X size={14} aria-hidden />
                </IconButton>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
