import { Check } from 'lucide-react';
import { Button, ErrorBanner, ProgressLine } from '../../components/index.ts';
import { Facts } from '../../components/sections.tsx';
import { formatBytes, formatCount, plural } from '../../format.ts';
import { isHopeless } from '../../stores/hub.ts';
import { useSession, useStudio } from '../../studio.tsx';
import { NeedsTable } from './NeedsTable.tsx';
import { hubOf, useHub } from './stores.ts';

/** What a hub has of a model that was looked up, what it needs here, and the press that brings it. */
export function HubFoundCard({ isDisabled }: { isDisabled: boolean }) {
  const studio = useStudio();
  const hub = hubOf(studio).getState();
  const found = useHub((s) => s.found);
  const phase = useHub((s) => s.phase);
  const loading = useHub((s) => s.found !== undefined && s.loading === s.found.report.key);
  const kept = useHub((s) => s.kept?.models.find(({ id }) => id === s.found?.report.key));
  const progress = useSession((s) => (s.phase === 'model' ? s.progress : undefined));
  const busy = useSession((s) => s.phase === 'model');
  if (!found) return null;
  const { report, needs, problem, precision, source } = found;
  const { choices, files, downloadBytes } = report;
  const name = source.file ? `${report.id}, ${source.file.split('/').at(-1)}` : report.id;
  const toFetch = kept ? downloadBytes - kept.bytes : downloadBytes;

  return (
    <article className="card hub-found" aria-label={name}>
      <h3>{name}</h3>
      <Facts
        facts={[
          ['Revision', `${report.revision}, commit ${report.commit.slice(0, 12)}`],
          ...(needs
            ? ([
                ['Family', needs.family],
                ['Frozen numbers', formatCount(needs.parameters)],
                ['Layers', layersInWords(needs.layers)],
                ['Width', formatCount(needs.width)],
                ['Published as', needs.storedAs.join(', ')],
              ] as [string, string][])
            : []),
          ...(files.length > 0 ? ([['Download', formatBytes(downloadBytes)]] as [string, string][]) : []),
        ]}
      />
      {choices.length > 1 && (
        <div>
          <p>
            Each of these files is the whole model in one precision. Smaller ones need less and answer a
            little worse.
          </p>
          <ul className="hub-choices" aria-label="Files to choose from">
            {choices.map(({ path, bytes }) => (
              <li key={path}>
                <span className="hub-file">{path}</span>
                <span className="muted">{formatBytes(bytes)}</span>
                {path === source.file ? (
                  <span className="card-loaded">
                    <Check size={15} aria-hidden /> Chosen
                  </span>
                ) : (
                  <Button aria-label={`Choose ${path}`} onPress={() => void hub.choose(path)}>
                    Choose
                  </Button>
                )}
              </li>
            ))}
          </ul>
        </div>
      )}
      {files.length > 1 && (
        <details className="hub-files">
          <summary>{plural(files.length, 'file')}</summary>
          <ul>
            {files.map(({ path, bytes }) => (
              <li key={path}>
                <span className="hub-file">{path}</span>
                <span className="muted">{formatBytes(bytes)}</span>
              </li>
            ))}
          </ul>
        </details>
      )}
      {phase === 'weighing' && (
        <p className="muted" role="status">
          Reading the tables of contents of its weights, to say what it needs here.
        </p>
      )}
      {needs && <NeedsTable needs={needs} chosen={precision} onChoose={hub.setPrecision} />}
      {problem && <ErrorBanner report={problem} />}
      {problem && !isHopeless(problem) && (
        <p>What it needs here is not known before it is loaded. It may be downloaded all the same.</p>
      )}
      {files.length > 0 && !isHopeless(problem) && (
        <div className="card-end">
          {loading && progress ? (
            <ProgressLine progress={progress} onStop={() => void studio.engine.cancelLoad()} />
          ) : kept?.inUse ? (
            <span className="card-loaded">
              <Check size={15} aria-hidden /> Loaded
            </span>
          ) : (
            <>
              <Button isDisabled={isDisabled || busy || phase !== 'idle'} onPress={() => void hub.load()}>
                {kept?.complete ? 'Load' : kept && kept.bytes > 0 ? 'Go on and load' : 'Download and load'}
              </Button>
              <span className="muted">
                {kept?.complete
                  ? 'It is kept in this browser already.'
                  : kept && kept.bytes > 0
                    ? `${formatBytes(kept.bytes)} of ${formatBytes(downloadBytes)} are here already; ${formatBytes(toFetch)} are still to come.`
                    : 'It is kept in this browser afterwards. Stopped, it goes on from there the next time.'}
              </span>
            </>
          )}
        </div>
      )}
    </article>
  );
}

export function layersInWords([encoder, decoder]: [encoder: number, decoder: number]): string {
  return encoder > 0 ? `${encoder} encoder, ${decoder} decoder` : `${decoder}`;
}
