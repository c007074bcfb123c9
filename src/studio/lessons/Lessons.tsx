import Markdown from 'markdown-to-jsx/react';
import { type ReactNode, useId, useState } from 'react';
import { Link, Redirect, useRoute } from 'wouter';
import { Button } from '../components/index.ts';
import { Section } from '../components/sections.tsx';
import { go } from '../shell/location.ts';
import { applySetting } from '../stores/openSetting.ts';
import { readSetting } from '../stores/setting.ts';
import { useStudio } from '../studio.tsx';
import { AFTER_GUESS, experimentOf, LESSONS, type Lesson, listItems } from './lesson.ts';
import './lessons.css';

/** `#/lessons`: the five lessons; `#/lessons/length`: one of them. */
export function Lessons() {
  const [isOne, params] = useRoute('/lessons/:id');
  if (!isOne) return <Contents />;
  const index = LESSONS.findIndex(({ id }) => id === params?.id);
  if (index < 0) return <Redirect to="/lessons" replace />;
  return <LessonPage key={index} lesson={LESSONS[index]!} next={LESSONS[index + 1]} />;
}

function Contents() {
  return (
    <main id="main" className="page lessons">
      <div className="page-head">
        <h1>Lessons</h1>
        <p>
          Five experiments on a soft prompt, about ten minutes each. Every one asks a question first: make a
          guess, then press, then compare.
        </p>
      </div>
      <ol className="lesson-list">
        {LESSONS.map(({ id, title, sections }) => (
          <li key={id}>
            <Link href={`/lessons/${id}`}>{title}</Link>
            <Text>{sections.find((section) => section.title === 'The question')?.body ?? ''}</Text>
          </li>
        ))}
      </ol>
      <Section title="Also for a class">
        <ul className="lesson-more">
          <li>
            <Link href="/tune?tour=1">The tour</Link> says in eight stops what stands where.
          </li>
          <li>
            <Link href="/board">The class board</Link> ranks pasted run cards by accuracy and by bytes.
          </li>
          <li>
            Share, at the top, makes a link of the whole setting; it can also lock the seed and hide controls.
          </li>
        </ul>
      </Section>
    </main>
  );
}

/** Guesses made in this visit, by lesson. */
const guesses = new Map<string, string>();

function LessonPage({ lesson, next }: { lesson: Lesson; next: Lesson | undefined }) {
  const [guess, setGuess] = useState(guesses.get(lesson.id));
  const [opened, setOpened] = useState(guess !== undefined);
  const choose = (value: string) => {
    guesses.set(lesson.id, value);
    setGuess(value);
  };
  return (
    <main id="main" className="page lessons lesson">
      <div className="page-head">
        <p>
          <Link href="/lessons">Lessons</Link>
        </p>
        <h1>{lesson.title}</h1>
        <Text>{lesson.opening}</Text>
      </div>
      {lesson.sections
        .filter(({ title }) => opened || !AFTER_GUESS.includes(title))
        .map(({ title, body }) => (
          <Section key={title} title={title}>
            {title === 'Your guess' ? (
              <Guess options={listItems(body)} value={guess} onChange={choose} />
            ) : (
              <Text>{body}</Text>
            )}
          </Section>
        ))}
      {opened ? (
        next && (
          <p>
            Next: <Link href={`/lessons/${next.id}`}>{next.title}</Link>
          </p>
        )
      ) : (
        <div className="lesson-open">
          <Button onPress={() => setOpened(true)}>Show what to see, and why</Button>
          <span className="small muted">
            {guess === undefined ? 'Better after a guess and a run.' : 'Better after a run.'}
          </span>
        </div>
      )}
    </main>
  );
}

function Guess({
  options,
  value,
  onChange,
}: {
  options: string[];
  value: string | undefined;
  onChange: (value: string) => void;
}) {
  const name = useId();
  return (
    <fieldset className="guess">
      <legend className="sr-only">Your guess</legend>
      {options.map((option) => (
        <label key={option}>
          <input type="radio" name={name} checked={option === value} onChange={() => onChange(option)} />
          {option}
        </label>
      ))}
    </fieldset>
  );
}

function Text({ children }: { children: string }) {
  return (
    <Markdown
      options={{ wrapper: 'div', forceWrapper: true, overrides: { a: Anchor }, disableParsingRawHTML: true }}
    >
      {children}
    </Markdown>
  );
}

/** A link of a lesson: an experiment becomes a button that sets it up and goes to Tune. */
function Anchor({ href = '', children }: { href?: string; children?: ReactNode }) {
  const studio = useStudio();
  const query = experimentOf(href);
  if (query === undefined)
    return (
      <a href={href} rel="noreferrer">
        {children}
      </a>
    );
  return (
    <Button
      variant="warm-link"
      onPress={() => applySetting(studio, readSetting(query).setting) && go('/tune')}
    >
      {children}
    </Button>
  );
}
