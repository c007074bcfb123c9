import { useState } from 'react';
import { Form } from 'react-aria-components';
import { useLocation } from 'wouter';
import type { ExportFormat, SavedPrompt } from '../../../worker/protocol.ts';
import { Button, Dialog, Empty, Menu, TextField } from '../../components/index.ts';
import { saveFile } from '../../download.ts';
import { formatPercent, plural } from '../../format.ts';
import { libraryOf, resultsOf, useLibrary } from '../../prompts.ts';
import { useSession, useStudio } from '../../studio.tsx';

/** The prompts that this browser keeps: what each is, whether it fits, and what can be done with it. */
export function Kept() {
  const studio = useStudio();
  const [, go] = useLocation();
  const prompts = useLibrary((s) => s.prompts);
  const ready = useSession((s) => s.task !== undefined);
  const [renaming, setRenaming] = useState<SavedPrompt>();
  if (prompts === undefined) return <p className="muted">Looking what is kept here.</p>;
  if (prompts.length === 0)
    return (
      <Empty>
        Prompts you keep will stand here with their names, also on another day. Train one and press Keep, or
        upload one below.
      </Empty>
    );

  const use = (prompt: SavedPrompt) => {
    studio.tryIt.getState().setSoft({ kind: 'saved', id: prompt.id });
    go('/tune');
  };
  const measure = (prompt: SavedPrompt) => {
    const results = resultsOf(studio).getState();
    results.choose({ kind: 'saved', id: prompt.id });
    results.setPart('test');
    void results.measure([{ kind: 'saved', id: prompt.id }]);
    go('/results');
  };
  const compare = (prompt: SavedPrompt) => {
    resultsOf(studio).getState().compareWith({ kind: 'saved', id: prompt.id });
    go('/results');
  };
  const download = async (prompt: SavedPrompt, format: ExportFormat) => {
    const file = await libraryOf(studio).getState().exportFile({ kind: 'saved', id: prompt.id }, format);
    if (file) saveFile(file);
  };

  return (
    <>
      <ul className="kept">
        {prompts.map((prompt) => (
          <li key={prompt.id} data-unfit={!prompt.fits || undefined}>
            <div className="kept-what">
              <b>{prompt.name}</b>
              <span className="muted">{inWords(prompt)}</span>
              {!prompt.fits && <span>Does not fit the loaded model. {prompt.reason}</span>}
              {prompt.notes.map((note) => (
                <span key={note} className="muted">
                  {note}
                </span>
              ))}
            </div>
            <div className="kept-actions">
              <Button isDisabled={!prompt.fits || !ready} onPress={() => use(prompt)}>
                Use in Try it
              </Button>
              <Button isDisabled={!prompt.fits || !ready} onPress={() => measure(prompt)}>
                Test it
              </Button>
              <Menu
                label={`More for ${prompt.name}`}
                actions={[
                  {
                    id: 'compare',
                    label: 'Compare in Results',
                    isDisabled: !prompt.fits || !ready,
                    onAction: () => compare(prompt),
                  },
                  { id: 'rename', label: 'Rename', onAction: () => setRenaming(prompt) },
                  {
                    id: 'peft',
                    label: 'Download as PEFT adapter',
                    onAction: () => void download(prompt, 'peft'),
                  },
                  { id: 'npy', label: 'Download as .npy', onAction: () => void download(prompt, 'npy') },
                  { id: 'json', label: 'Download as JSON', onAction: () => void download(prompt, 'json') },
                  {
                    id: 'delete',
                    label: 'Delete',
                    onAction: () => void libraryOf(studio).getState().remove(prompt.id),
                  },
                ]}
              />
            </div>
          </li>
        ))}
      </ul>
      {renaming && <Rename prompt={renaming} onClose={() => setRenaming(undefined)} />}
    </>
  );
}

const day = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short' });

function inWords({ length, width, modelName, createdAt, labels, accuracy }: SavedPrompt): string {
  return [
    `${plural(length, 'virtual token')}, ${width} wide`,
    modelName,
    labels.length > 0 && (labels.length > 4 ? plural(labels.length, 'label') : labels.join(' / ')),
    accuracy !== undefined && `dev ${formatPercent(accuracy)}`,
    day.format(new Date(createdAt)),
  ]
    .filter(Boolean)
    .join(' · ');
}

function Rename({ prompt, onClose }: { prompt: SavedPrompt; onClose: () => void }) {
  const studio = useStudio();
  const [name, setName] = useState(prompt.name);
  return (
    <Dialog title="Rename" isOpen onClose={onClose} width={420}>
      <Form
        onSubmit={(event) => {
          event.preventDefault();
          if (name.trim() === '') return;
          void libraryOf(studio).getState().rename(prompt.id, name);
          onClose();
        }}
      >
        <TextField label="Name" value={name} onChange={setName} />
        <div className="dialog-actions">
          <Button onPress={onClose}>Cancel</Button>
          <Button type="submit" isDisabled={name.trim() === ''}>
            Rename
          </Button>
        </div>
      </Form>
    </Dialog>
  );
}
