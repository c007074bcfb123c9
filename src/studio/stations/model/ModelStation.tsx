import { useState } from 'react';
import type { ErrorReport } from '../../../errors.ts';
import { Button, Empty, ErrorBanner, ProgressLine } from '../../components/index.ts';
import { Section } from '../../components/sections.tsx';
import { formatBytes, formatCount, formatSeconds } from '../../format.ts';
import { liveRun } from '../../stores/runs.ts';
import { useRuns, useSession, useStudio } from '../../studio.tsx';
import { DeviceTable } from './DeviceTable.tsx';
import { FolderDrop } from './FolderDrop.tsx';
import { ModelCards, Need } from './ModelCards.tsx';
import './model.css';
import { findOwnModel, type OwnConfig, type OwnModel, readOwnConfig } from './ownModel.ts';

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
        title="A model of your own"
        note="T5 (1.0, 1.1, Flan, mT5), Llama, Mistral, Qwen, OLMo 2, Phi-3, Gemma, GPT-2, GPT-NeoX and OPT, as published."
      >
        <Own isDisabled={busy} />
      </Section>
      <Section title="This device">
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

function Own({ isDisabled }: { isDisabled: boolean }) {
  const { session } = useStudio();
  const [found, setFound] = useState<{ model: OwnModel; config?: OwnConfig }>();
  const [error, setError] = useState<ErrorReport>();

  const look = async (files: File[], folder?: string) => {
    const model = findOwnModel(files, folder);
    if ('code' in model) {
      setFound(undefined);
      setError(model);
      return;
    }
    setError(undefined);
    setFound({ model, config: model.config && readOwnConfig(await model.config.text()) });
  };

  return (
    <div className="own">
      <FolderDrop onFiles={(files, folder) => void look(files, folder)} />
      {error && <ErrorBanner report={error} onDismiss={() => setError(undefined)} />}
      {found && (
        <article className="card" aria-label={found.model.name}>
          <h3>{found.model.name}</h3>
          <p>{inWords(found.model, found.config)}</p>
          <Need bytes={found.model.bytes} />
          <div className="card-end">
            <Button
              isDisabled={isDisabled}
              onPress={() => void session.getState().loadModel({ kind: 'files', files: found.model.files })}
            >
              Load
            </Button>
          </div>
        </article>
      )}
    </div>
  );
}

function inWords(model: OwnModel, config: OwnConfig | undefined): string {
  const parts = [`${formatBytes(model.bytes)} in ${formatCount(model.files.length)} files`];
  if (config) {
    parts.push(`family ${config.family}`);
    if (config.layers) parts.push(`${config.layers[0]} + ${config.layers[1]} layers`);
    if (config.width) parts.push(`width ${config.width}`);
    if (config.vocabSize) parts.push(`${formatCount(config.vocabSize)} pieces of words`);
  }
  if (model.ignored) parts.push(`${formatCount(model.ignored)} other files are not needed`);
  return `${parts.join('; ')}.`;
}
