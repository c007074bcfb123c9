import { useEffect, useMemo, useState } from 'react';
import { Checkbox } from '../../../components/index.ts';
import { Section } from '../../../components/sections.tsx';
import { type PromptChoice, useSoftChoices } from '../../../prompts.ts';
import { refKey } from '../../../stores/results.ts';
import { useSession, useStudio } from '../../../studio.tsx';
import { PromptPage } from '../PromptPage.tsx';
import { OneBatch } from './OneBatch.tsx';
import { SlideView } from './SlideView.tsx';
import { togetherOf } from './stores.ts';
import './together.css';
import { VoteView } from './VoteView.tsx';

/** `#/prompt/together`: what several learned prompts do on the one frozen model. */
export function TogetherPage() {
  const choices = useSoftChoices();
  return (
    <PromptPage
      title="One model, many prompts"
      intro="The model stays as it is, whatever is learned: one copy of it reads texts of several tasks at once, each behind its own prompt."
      isEmpty={choices.length < 2}
      empty={choices.length === 1 ? ONE_YET : NONE_YET}
    >
      <Together choices={choices} />
    </PromptPage>
  );
}

const ONE_YET =
  'One prompt is here. With a second, of another task or another seed, they can be read in one batch, vote, and be slid between.';
const NONE_YET =
  'Two or more prompts learned on the model that is loaded can be read in one batch here, vote on an answer, and be slid between. Train them on Tune, on different tables or with different seeds.';

/** More do not fit a screen. */
const MOST = 8;
const FIRST = 3;

function Together({ choices }: { choices: readonly PromptChoice[] }) {
  const studio = useStudio();
  const [picked, setPicked] = useState<string[]>();
  const keys = useMemo(() => choices.map(({ prompt }) => refKey(prompt)), [choices]);
  const chosen = (picked ?? keys.slice(0, FIRST)).filter((key) => keys.includes(key));
  const all = chosen.join();
  const task = useSession((s) => s.task);

  // biome-ignore lint/correctness/useExhaustiveDependencies: `all` names the chosen ones; another task changes their texts
  useEffect(() => {
    const prompts = chosen.map((key) => choices[keys.indexOf(key)]!.prompt);
    void togetherOf(studio).getState().choose(prompts);
  }, [all, task]);

  return (
    <>
      <Section title="Which prompts" note={`Two to ${MOST} of those learned on the model that is loaded.`}>
        <div className="together-choice">
          {choices.map(({ name, note }, i) => {
            const key = keys[i]!;
            const isChosen = chosen.includes(key);
            return (
              <Checkbox
                key={key}
                isSelected={isChosen}
                isDisabled={!isChosen && chosen.length >= MOST}
                onChange={(selected) =>
                  setPicked(selected ? [...chosen, key] : chosen.filter((other) => other !== key))
                }
              >
                <span>
                  {name} <small className="muted">{note}</small>
                </span>
              </Checkbox>
            );
          })}
        </div>
      </Section>
      <OneBatch />
      <VoteView />
      <SlideView choices={choices} />
    </>
  );
}
