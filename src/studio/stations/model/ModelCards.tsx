import { Check } from 'lucide-react';
import type { ModelCard } from '../../../worker/protocol.ts';
import { Button, Empty } from '../../components/index.ts';
import { Facts } from '../../components/sections.tsx';
import { formatBytes, formatCount } from '../../format.ts';
import { useSession, useStudio } from '../../studio.tsx';

export function ModelCards({ isDisabled }: { isDisabled: boolean }) {
  const models = useSession((s) => s.models);
  const opening = useSession((s) => s.phase === 'opening');
  const { session } = useStudio();
  if (models.length === 0)
    return (
      <Empty action={!opening && <Button onPress={() => void session.getState().begin()}>Look again</Button>}>
        The built-in models will stand here once the device is open.
      </Empty>
    );
  return (
    <div className="cards">
      {models.map((card) => (
        <Card key={card.id} card={card} isDisabled={isDisabled} />
      ))}
    </div>
  );
}

function Card({ card, isDisabled }: { card: ModelCard; isDisabled: boolean }) {
  const { session } = useStudio();
  const loaded = useSession(
    (s) => s.model !== undefined && s.modelSource?.kind === 'builtin' && s.modelSource.id === card.id,
  );
  const loading = useSession((s) => s.phase === 'model');
  return (
    <article className="card" data-loaded={loaded || undefined} aria-label={card.title}>
      <h3>{card.title}</h3>
      <p>{card.goodFor}</p>
      <Facts
        facts={[
          ['Frozen numbers', formatCount(card.parameters)],
          ['Layers', `${card.layers[0]} encoder, ${card.layers[1]} decoder`],
          ['Width', formatCount(card.width)],
        ]}
      />
      <Need bytes={card.downloadBytes} parameters={card.parameters} />
      <div className="card-end">
        {loaded ? (
          <span className="card-loaded">
            <Check size={15} aria-hidden /> Loaded
          </span>
        ) : (
          <Button
            isDisabled={isDisabled || loading}
            aria-label={`Load ${card.title}`}
            onPress={() => void session.getState().loadModel({ kind: 'builtin', id: card.id })}
          >
            Load
          </Button>
        )}
      </div>
    </article>
  );
}

/** What loading takes, against what this device has. Weights may be kept as 32-bit numbers, so that is what is counted. */
function Need({ bytes, parameters }: { bytes: number; parameters: number }) {
  const onProcessor = useSession((s) => s.device?.engine === 'onnx');
  // ONNX Runtime has the processor's memory, of which a tab is told no limit.
  const limits = useSession((s) => (s.device?.engine === 'onnx' ? undefined : s.device?.limits));
  const memory = parameters * 4;
  return (
    <p className="need">
      Needs a download of {formatBytes(bytes)} and up to {formatBytes(memory)} of{' '}
      {onProcessor ? 'memory' : 'GPU memory'} for the weights.{' '}
      {limits &&
        memory <= Math.min(limits.bindingBytes, limits.bufferBytes) &&
        'This device has room for them.'}
    </p>
  );
}
