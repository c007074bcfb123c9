import { Check } from 'lucide-react';
import { useLocation } from 'wouter';
import { Button, ErrorBanner, FileDrop } from '../../components/index.ts';
import { plural } from '../../format.ts';
import { libraryOf, resultsOf, useLibrary } from '../../prompts.ts';
import { useSession, useStudio } from '../../studio.tsx';

/** Where a prompt comes back: what it was read as, or why it was refused. */
export function Upload() {
  const studio = useStudio();
  const [, go] = useLocation();
  const upload = useLibrary((s) => s.upload);
  const ready = useSession((s) => s.task !== undefined);
  const library = libraryOf(studio).getState();
  const measure = (id: string) => {
    const results = resultsOf(studio).getState();
    results.choose({ kind: 'saved', id });
    results.setPart('test');
    void results.measure([{ kind: 'saved', id }]);
    go('/results');
  };
  return (
    <div className="upload">
      <FileDrop
        label="Drop a prompt’s file here, or an adapter’s folder"
        hint=".zip, .npy, .json or .safetensors with its adapter_config.json"
        accept={['.zip', '.npy', '.json', '.safetensors']}
        multiple
        onFiles={(files) => void library.importFiles(files)}
      />
      {upload?.kind === 'reading' && <p className="muted">Reading {upload.names.join(', ')}.</p>}
      {upload?.kind === 'refused' && <ErrorBanner report={upload.report} onDismiss={library.dismissUpload} />}
      {upload?.kind === 'kept' && (
        <div className="taken-in" role="status">
          <p>
            <Check size={16} aria-hidden /> <b>{upload.prompt.name}</b> was read and is kept here:{' '}
            {plural(upload.prompt.length, 'virtual token')}, {upload.prompt.width} wide.{' '}
            {upload.prompt.fits
              ? 'It fits the loaded model.'
              : `It does not fit the loaded model. ${upload.prompt.reason ?? ''}`}
          </p>
          {upload.prompt.notes.length > 0 && (
            <ul>
              {upload.prompt.notes.map((note) => (
                <li key={note}>{note}</li>
              ))}
            </ul>
          )}
          <div className="kept-actions">
            <Button isDisabled={!upload.prompt.fits || !ready} onPress={() => measure(upload.prompt.id)}>
              Test it
            </Button>
            <Button variant="quiet" onPress={library.dismissUpload}>
              Dismiss
            </Button>
          </div>
        </div>
      )}
    </div>
  );
}
