import { Pause, Play } from 'lucide-react';
import { useEffect, useState } from 'react';
import { useLocation } from 'wouter';
import { Button, IconButton, NumberField, Select, Slider } from '../../../components/index.ts';
import { Section } from '../../../components/sections.tsx';
import { formatCount } from '../../../format.ts';
import { asOptions, choiceOf, useSoftChoices } from '../../../prompts.ts';
import { useHashValue } from '../../../shell/location.ts';
import { refKey } from '../../../stores/results.ts';
import { useRuns, useSession, useStudio } from '../../../studio.tsx';
import { PromptPage } from '../PromptPage.tsx';
import { AttentionView } from './AttentionView.tsx';
import './inside.css';
import { MapView } from './MapView.tsx';
import { NormsView } from './NormsView.tsx';
import { insideOf, useInside } from './stores.ts';
import { WhichMatter } from './WhichMatter.tsx';
import { Words } from './Words.tsx';

/** `#/prompt/inside`, with `?prompt=...` for one of them: what a learned prompt looks like from within. */
export function InsidePage() {
  const choices = useSoftChoices();
  return (
    <PromptPage
      title="Inside the prompt"
      intro="A virtual token is a vector like that of a word, but no word has to be near it. Here one sees where they went, which of them the answer needs, and who looks at them."
      isEmpty={choices.length === 0}
      empty={NOTHING_YET}
    >
      <Inside />
    </PromptPage>
  );
}

const NOTHING_YET =
  'The words nearest to each virtual token, a map of where they went, and who attends to them will stand here once a prompt has been learned on the model that is loaded.';

function Inside() {
  const studio = useStudio();
  const [, go] = useLocation();
  const choices = useSoftChoices();
  const asked = useHashValue('prompt') ?? undefined;
  const currentId = useRuns((s) => s.currentId);
  const evals = useRuns((s) => s.runs.find((run) => run.id === s.currentId)?.evals.length ?? 0);
  const choice =
    choiceOf(choices, asked) ??
    choices.find(({ prompt }) => prompt.kind === 'run' && prompt.run === currentId) ??
    choices[0]!;
  const key = refKey(choice.prompt);
  const { choose, refresh, setText } = insideOf(studio).getState();

  const task = useSession((s) => s.task);
  const device = useSession((s) => s.device);

  // biome-ignore lint/correctness/useExhaustiveDependencies: `key` names the prompt; another task or engine forgets it
  useEffect(() => {
    choose(choice.prompt);
  }, [key, task, device]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a run that was measured again has gone on
  useEffect(() => {
    if (choice.prompt.kind === 'run' && choice.prompt.run === currentId) refresh();
  }, [evals]);
  // The text of "Try it" stands here first.
  useEffect(() => {
    const { text, text2 } = studio.tryIt.getState();
    if (!insideOf(studio).getState().text) setText(text, text2);
  }, [studio, setText]);

  return (
    <>
      <div className="inside-bar">
        <Select
          label="Prompt"
          choices={asOptions(choices)}
          value={key}
          onChange={(next) => go(`/prompt/inside?prompt=${encodeURIComponent(next)}`, { replace: true })}
        />
        <Steps />
        <Tile />
      </div>
      <div className="inside-grid">
        <Words />
        <MapView />
        <NormsView />
        <WhichMatter />
      </div>
      <Section
        title="Who looks at the prompt"
        note="Attention is how much of each other row a row takes in, in every layer and head; the parts add up to 100 %. Attention is not importance: compare it with what leaving a token out does. A run’s best step is looked at."
      >
        <AttentionView />
      </Section>
    </>
  );
}

const PLAY_MS = 160;

/** The run's steps, to go back and forth over. */
function Steps() {
  const studio = useStudio();
  const trail = useInside((s) => s.trail);
  const at = useInside((s) => s.at);
  const [playing, setPlaying] = useState(false);
  const { setAt } = insideOf(studio).getState();
  const last = (trail?.steps.length ?? 1) - 1;

  useEffect(() => {
    if (!playing) return;
    const timer = setInterval(() => {
      const { at: now } = insideOf(studio).getState();
      if (now >= last) setPlaying(false);
      else setAt(now + 1);
    }, PLAY_MS);
    return () => clearInterval(timer);
  }, [playing, last, studio, setAt]);

  if (!trail) return <p className="small muted">Reading the prompt.</p>;
  if (last === 0)
    return (
      <p className="small muted inside-still">
        A kept prompt has no earlier steps; a run of this browser has.
      </p>
    );
  return (
    <div className="inside-steps">
      <IconButton
        label={playing ? 'Pause' : 'Play the steps'}
        onPress={() => {
          if (!playing && at >= last) setAt(0);
          setPlaying(!playing);
        }}
      >
        {playing ? <Pause size={16} aria-hidden /> : <Play size={16} aria-hidden />}
      </IconButton>
      <Slider
        label="Step"
        value={at}
        min={0}
        max={last}
        format={(index) => `${formatCount(trail.steps[index] ?? 0)} of ${formatCount(trail.steps[last]!)}`}
        onChange={(next) => {
          setPlaying(false);
          setAt(next);
        }}
      />
    </div>
  );
}

function Tile() {
  const studio = useStudio();
  const length = useInside((s) => s.trail?.length);
  const tile = useInside((s) => s.tile);
  const { setTile } = insideOf(studio).getState();
  if (!length) return null;
  return (
    <div className="inside-tile">
      <NumberField
        label="Virtual token"
        value={tile === undefined ? Number.NaN : tile + 1}
        min={1}
        max={length}
        step={1}
        onChange={(next) => setTile(next - 1)}
      />
      <Button isDisabled={tile === undefined} onPress={() => setTile(undefined)}>
        All
      </Button>
    </div>
  );
}
