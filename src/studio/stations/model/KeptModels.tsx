import { Check } from 'lucide-react';
import type { CachedModelCard } from '../../../worker/protocol.ts';
import { Bar, Button, Empty, ProgressLine } from '../../components/index.ts';
import { formatBytes } from '../../format.ts';
import { useSession, useStudio } from '../../studio.tsx';
import { hubOf, useHub } from './stores.ts';

/** The models of hubs that this browser keeps, with what they take of its room. */
export function KeptModels({ isDisabled }: { isDisabled: boolean }) {
  const kept = useHub((s) => s.kept);
  if (!kept) return <p className="muted">Looking what is kept here.</p>;
  const { models, usedBytes, quotaBytes, lasting } = kept;
  const bytes = models.reduce((sum, model) => sum + model.bytes, 0);
  return (
    <>
      {models.length === 0 ? (
        <Empty>Models that you load from a hub will stand here. They open again without the network.</Empty>
      ) : (
        <ul className="kept-models">
          {models.map((model) => (
            <KeptModel key={model.id} model={model} isDisabled={isDisabled} />
          ))}
        </ul>
      )}
      {models.length > 0 && (
        <p className="need">
          {formatBytes(bytes)} in all.{' '}
          {usedBytes !== undefined &&
            quotaBytes !== undefined &&
            `The browser grants Prelude ${formatBytes(quotaBytes)}, of which ${formatBytes(Math.max(0, quotaBytes - usedBytes))} are free.`}
        </p>
      )}
      {!lasting && (
        <p className="need">
          This browser gives Prelude no place for files (private windows do so): a downloaded model goes with
          the page.
        </p>
      )}
    </>
  );
}

function KeptModel({ model, isDisabled }: { model: CachedModelCard; isDisabled: boolean }) {
  const studio = useStudio();
  const hub = hubOf(studio).getState();
  const busy = useSession((s) => s.phase === 'model');
  const loading = useHub((s) => s.loading === model.id);
  const progress = useSession((s) => (s.phase === 'model' ? s.progress : undefined));
  const { id, title, bytes, totalBytes, complete, inUse, usedAt, source } = model;
  return (
    <li aria-label={title}>
      <div className="kept-what">
        <b>{title}</b>
        <span className="muted">
          {complete
            ? `${formatBytes(bytes)} · used ${day.format(new Date(usedAt))}`
            : `${formatBytes(bytes)} of ${formatBytes(totalBytes)} are here; the download was stopped`}
          {source.baseUrl && ` · from ${new URL(source.baseUrl).host}`}
        </span>
        {!complete && <Bar share={bytes / totalBytes} tone="ice" />}
      </div>
      {loading && progress ? (
        <ProgressLine progress={progress} onStop={() => void studio.engine.cancelLoad()} />
      ) : (
        <div className="kept-actions">
          {inUse ? (
            <span className="card-loaded">
              <Check size={15} aria-hidden /> Loaded
            </span>
          ) : (
            <Button
              isDisabled={isDisabled || busy}
              aria-label={complete ? `Load ${title}` : `Go on with ${title}`}
              onPress={() => void hub.loadKept(model)}
            >
              {complete ? 'Load' : 'Go on'}
            </Button>
          )}
          <Button
            variant="quiet"
            isDisabled={inUse || loading}
            aria-label={`Delete ${title}`}
            onPress={() => hub.remove(id)}
          >
            Delete
          </Button>
        </div>
      )}
    </li>
  );
}

const day = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short' });
