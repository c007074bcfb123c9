import { useState } from 'react';
import { useLocation } from 'wouter';
import { Button, Empty, Select } from '../../components/index.ts';
import { Section } from '../../components/sections.tsx';
import { asOptions, choiceOf, type PromptChoice, useSoftChoices } from '../../prompts.ts';
import { refKey } from '../../stores/results.ts';
import { useRuns } from '../../studio.tsx';
import { Deploy } from './Deploy.tsx';
import { Keep } from './Keep.tsx';
import { Kept } from './Kept.tsx';
import { PromptNav } from './PromptNav.tsx';
import './prompt.css';
import { TakeHome } from './TakeHome.tsx';
import { Upload } from './Upload.tsx';

/** The Prompt station: what was learned, to take home, to keep here under a name, and to bring back. */
export function PromptStation() {
  return (
    <main id="main" className="page">
      <div className="page-head">
        <h1>Prompt</h1>
        <p>
          A soft prompt is a short list of numbers, a few kilobytes, that stands before every text. The model
          stays as it is.
        </p>
      </div>
      <PromptNav />
      <Home />
      <Section title="Kept in this browser">
        <Kept />
      </Section>
      <Section
        title="Bring one back"
        note="A prompt that was saved here or elsewhere: the zip, the .npy, the JSON, or adapter_config.json and adapter_model.safetensors together."
      >
        <Upload />
      </Section>
    </main>
  );
}

function Home() {
  const [, go] = useLocation();
  const choices = useSoftChoices();
  const currentId = useRuns((s) => s.currentId);
  const [key, setKey] = useState<string>();
  const choice: PromptChoice | undefined =
    choiceOf(choices, key) ??
    choices.find(({ prompt }) => prompt.kind === 'run' && prompt.run === currentId) ??
    choices[0];
  return (
    <>
      <Section title="Take it home">
        {choice ? (
          <>
            <div className="home-choice">
              <Select
                label="Which"
                choices={asOptions(choices)}
                value={refKey(choice.prompt)}
                onChange={setKey}
              />
              {choice.prompt.kind === 'run' && (
                <Keep key={choice.prompt.run} run={choice.prompt.run} name={choice.name} />
              )}
            </div>
            <TakeHome key={refKey(choice.prompt)} choice={choice} />
          </>
        ) : (
          <Empty action={<Button onPress={() => go('/tune')}>Train a prompt on Tune</Button>}>
            Your soft prompt will stand here in three forms to download, with the Python that predicts with
            each.
          </Empty>
        )}
      </Section>
      {choice && <Deploy key={refKey(choice.prompt)} choice={choice} />}
    </>
  );
}
