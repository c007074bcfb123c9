import { Link } from 'wouter';
import { Empty, ProgressLine } from '../../components/index.ts';
import { Section } from '../../components/sections.tsx';
import { formatBytes, formatCount, formatSeconds } from '../../format.ts';
import { liveRun } from '../../stores/runs.ts';
import { useRuns, useSession, useStudio } from '../../studio.tsx';
import { DeviceTable } from './DeviceTable.tsx';
import { HubBox } from './HubBox.tsx';
import { KeptModels } from './KeptModels.tsx';
import { ModelCards } from './ModelCards.tsx';
import './model.css';
import { OwnFiles } from './OwnFiles.tsx';

const FAMILIES =
  'T5 (1.0, 1.1, LM-adapted, Flan, mT5, UMT5), Llama, Mistral, Qwen2, Qwen3, OLMo 2, Phi-3, Gemma 2 and 3, GPT-2, GPT-NeoX and OPT';

/** The Model station: what is loaded, the built-in family, a model of one's own, and the device it runs on. */
export function ModelStation() {
  const busy = useRuns((s) => liveRun(s) !== undefined);
  return (
    <main id="main" className="page">
      <div className="page-head">
        <h1>Model</h1>
        <Loaded />
        {busy && <p>A run is going on this model. Stop it on Tune before you load another.</p>}
      </div>
      <Section
        title="Built in"
        note="One family, trained for this studio and served with it. Larger ones take longer; each card says what it is good for."
      >
        <ModelCards isDisabled={busy} />
      </Section>
      <Section
        title="From the Hugging Face Hub"
        note={`${FAMILIES}, as published. Nothing is downloaded before you have seen what it needs.`}
      >
        <HubBox isDisabled={busy} />
      </Section>
      <Section title="Kept in this browser">
        <KeptModels isDisabled={busy} />
      </Section>
      <Section
        title="A model of your own"
        note="A model's folder, or a GGUF file. It is read where it lies and stays on this computer."
      >
        <OwnFiles isDisabled={busy} />
      </Section>
      <Section title="This device" aside={<Link href="/kernels">What a step costs, kernel by kernel</Link>}>
        <DeviceTable />
      </Section>
    </main>
  );
}

function Loaded() {
  const model = useSession((s) => s.model);
  const loading = useSession((s) => s.phase === 'model');
  const progress = useSession((s) => s.progress);
  const opening = useSession((s) => s.phase === 'opening');
  const { engine } = useStudio();
  if (loading && progress)
    return <ProgressLine progress={progress} onStop={() => void engine.cancelLoad()} />;
  if (opening) return <Empty>The graphics adapter is being opened; then the default model is loaded.</Empty>;
  if (!model)
    return (
      <Empty>
        No model is loaded. Here its size and what it holds will stand; press Load on a card below.
      </Empty>
    );
  const { title, parameters, weightBytes, width, layers, vocabSize, seconds } = model;
  return (
    <p>
      <strong>{title}</strong> is loaded and frozen: {formatCount(parameters)} numbers (
      {formatBytes(weightBytes)} on the device) that never change, in{' '}
      {layers[0] > 0 && `${layers[0]} encoder and `}
      {layers[1]} decoder layers. It knows {formatCount(vocabSize)} pieces of words, each {width} numbers
      wide, and so is each virtual token. Read in {formatSeconds(seconds.read)}, uploaded in{' '}
      {formatSeconds(seconds.upload)}.
    </p>
  );
}
