import { useEffect, useState } from 'react';
import { Bar, Button, ProgressLine, Select, Slider, TextField } from '../../../components/index.ts';
import { Section } from '../../../components/sections.tsx';
import { formatNumber, formatPercent } from '../../../format.ts';
import { asOptions, choiceOf, type PromptChoice } from '../../../prompts.ts';
import { refKey } from '../../../stores/results.ts';
import { useSession, useStudio } from '../../../studio.tsx';
import { barrier, scoresAt } from './numbers.ts';
import { SlideChart } from './SlideChart.tsx';
import { togetherOf, useTogether } from './stores.ts';

/** From one prompt to another on the straight line between them. */
export function SlideView({ choices }: { choices: readonly PromptChoice[] }) {
  const studio = useStudio();
  const [first, setFirst] = useState<string>();
  const [second, setSecond] = useState<string>();
  const a = choiceOf(choices, first) ?? choices[0]!;
  const b = choiceOf(choices, second) ?? choices.find((choice) => choice !== a)!;
  const name = useSession((s) => s.data?.name);
  const task = useSession((s) => s.task);
  const slide = useTogether((s) => s.slide);
  const progress = useTogether((s) => s.sliding);
  const at = useTogether((s) => s.at);
  const along = useTogether((s) => s.along);
  const text = useTogether((s) => s.text);
  const text2 = useTogether((s) => s.text2);
  const lengths = useTogether((s) => s.lengths);
  const apart = lengths !== undefined && lengths[0] !== lengths[1];
  const { setEnds, setAt, measure, stop, setSlideText } = togetherOf(studio).getState();
  const keys = [refKey(a.prompt), refKey(b.prompt)].join();

  // biome-ignore lint/correctness/useExhaustiveDependencies: `keys` names the two
  useEffect(() => setEnds(a.prompt, b.prompt), [keys]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another task has other texts
  useEffect(() => {
    const own = studio.tryIt.getState();
    if (!togetherOf(studio).getState().text) setSlideText(own.text, own.text2);
  }, [studio, setSlideText, task]);

  const hill = slide && barrier(slide.points);
  return (
    <Section
      title="From one prompt to another"
      note={`(1 − a) times the first prompt and a times the second, measured on dev rows of “${name}”. Whether the way is flat or goes over a hill says whether the two found the same solution.`}
    >
      <div className="slide-ends">
        <Select label="From" choices={asOptions(choices)} value={refKey(a.prompt)} onChange={setFirst} />
        <Select label="To" choices={asOptions(choices)} value={refKey(b.prompt)} onChange={setSecond} />
        {progress ? (
          <ProgressLine progress={progress} onStop={() => void stop()} />
        ) : (
          <Button isDisabled={a === b || apart} onPress={() => void measure()}>
            Measure along the way
          </Button>
        )}
      </div>
      {apart && (
        <p className="small muted">
          One has {lengths[0]} virtual tokens and the other {lengths[1]}: there is no way between vectors of
          different sizes. Choose two prompts of one length.
        </p>
      )}
      {slide && (
        <>
          <SlideChart slide={slide} at={at} names={[a.name, b.name]} />
          <p className="small muted">
            {slide.points.length} places, the same {slide.n} dev rows at each.{' '}
            {hill! < 0.02
              ? 'The loss does not rise on the way: both ends lie in one valley.'
              : `On the way the loss rises ${formatNumber(hill!)} over the straight line between its ends: the two are different solutions.`}
          </p>
        </>
      )}
      <div className="slide-try">
        <div className="slide-text">
          <TextField
            label="One text along the way"
            value={text}
            onChange={(next) => setSlideText(next, text2)}
          />
          {text2 !== undefined && (
            <TextField label="Second text" value={text2} onChange={(next) => setSlideText(text, next)} />
          )}
          <Slider
            label="Place between the two, a"
            value={at}
            min={0}
            max={1}
            step={0.01}
            format={(value) => value.toFixed(2)}
            onChange={setAt}
          />
        </div>
        <dl className="together-scores" aria-label="Answer at this place">
          {along &&
            scoresAt(along, at).map(({ label, probability }) => (
              <div key={label}>
                <dt title={label}>{label}</dt>
                <Bar share={probability} tone="warm" />
                <dd>{formatPercent(probability, 0)}</dd>
              </div>
            ))}
        </dl>
      </div>
    </Section>
  );
}
