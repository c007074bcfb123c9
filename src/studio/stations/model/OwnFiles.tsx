import { useRef, useState } from 'react';
import type { ErrorReport } from '../../../errors.ts';
import type { ModelNeeds, Precision } from '../../../worker/protocol.ts';
import { Button, ErrorBanner } from '../../components/index.ts';
import { formatBytes, formatCount, plural } from '../../format.ts';
import { asReport } from '../../stores/errors.ts';
import { isHopeless } from '../../stores/hub.ts';
import { useSession, useStudio } from '../../studio.tsx';
import { FolderDrop } from './FolderDrop.tsx';
import { layersInWords } from './HubFoundCard.tsx';
import { NeedsTable } from './NeedsTable.tsx';
import { findOwnModel, type OwnModel } from './ownModel.ts';

interface Found {
  model: OwnModel;
  needs?: ModelNeeds;
  problem?: ErrorReport;
}

/** A model from this computer: a folder or a GGUF file, looked into before it is loaded. */
export function OwnFiles({ isDisabled }: { isDisabled: boolean }) {
  const { session, engine } = useStudio();
  const opening = useSession((s) => s.phase === 'opening');
  const [found, setFound] = useState<Found>();
  const [error, setError] = useState<ErrorReport>();
  /** Chosen in place of the recommended one, for the files that are here now. */
  const [chosen, setChosen] = useState<Precision>();
  /** Counts drops, so that the answer to an older one is dropped. */
  const drops = useRef(0);

  const look = async (files: File[], folder?: string) => {
    const mine = ++drops.current;
    setChosen(undefined);
    const model = findOwnModel(files, folder);
    if ('code' in model) {
      setFound(undefined);
      setError(model);
      return;
    }
    setError(undefined);
    setFound({ model });
    if (opening) return;
    const answer = await engine
      .inspectModel({ kind: 'files', files: model.files })
      .then((needs) => ({ needs }))
      .catch((cause: unknown) => ({ problem: asReport(cause) }));
    if (mine === drops.current) setFound({ model, ...answer });
  };

  const precision = chosen ?? found?.needs?.recommended;
  return (
    <div className="own">
      <FolderDrop onFiles={(files, folder) => void look(files, folder)} />
      {error && <ErrorBanner report={error} onDismiss={() => setError(undefined)} />}
      {found && (
        <article className="card" aria-label={found.model.name}>
          <h3>{found.model.name}</h3>
          <p>{inWords(found)}</p>
          {found.needs && <NeedsTable needs={found.needs} chosen={precision} onChoose={setChosen} />}
          {found.problem && <ErrorBanner report={found.problem} onDismiss={() => setFound(undefined)} />}
          {!isHopeless(found.problem) && (
            <div className="card-end">
              <Button
                isDisabled={isDisabled}
                onPress={() =>
                  void session
                    .getState()
                    .loadModel({ kind: 'files', files: found.model.files }, { precision })
                }
              >
                Load
              </Button>
            </div>
          )}
        </article>
      )}
    </div>
  );
}

function inWords({ model, needs }: Found): string {
  const parts = [`${formatBytes(model.bytes)} in ${plural(model.files.length, 'file')}`];
  if (needs)
    parts.push(
      needs.family,
      `${formatCount(needs.parameters)} frozen numbers, published as ${needs.storedAs.join(', ')}`,
      `layers: ${layersInWords(needs.layers)}`,
      `width ${formatCount(needs.width)}`,
      `${formatCount(needs.vocabSize)} pieces of words`,
    );
  if (model.ignored) parts.push(`${formatCount(model.ignored)} other files are not needed`);
  return `${parts.join('; ')}.`;
}
