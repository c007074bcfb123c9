import { Form } from 'react-aria-components';
import { Button, ErrorBanner, TextField } from '../../components/index.ts';
import { useStudio } from '../../studio.tsx';
import { HubFoundCard } from './HubFoundCard.tsx';
import { hubOf, useHub, useMirror } from './stores.ts';

/** A model of a hub: its name is typed, what it is and needs is shown, and only then it is downloaded. */
export function HubBox({ isDisabled }: { isDisabled: boolean }) {
  const studio = useStudio();
  const hub = hubOf(studio).getState();
  const { id, revision, token } = useHub((s) => s.query);
  const phase = useHub((s) => s.phase);
  const error = useHub((s) => s.error);
  const { address, fromLink } = useMirror((s) => s);
  return (
    <div className="hub">
      <Form
        className="hub-form"
        onSubmit={(event) => {
          event.preventDefault();
          void hub.lookUp();
        }}
      >
        <div className="hub-id">
          <TextField
            label="Model id, or the address of its page"
            placeholder="google/t5-small-lm-adapt"
            value={id}
            onChange={(value) => hub.edit({ id: value })}
          />
          <Button type="submit" isDisabled={id.trim() === '' || phase === 'listing'}>
            Look up
          </Button>
        </div>
        <details className="hub-more" open={address !== '' || undefined}>
          <summary>Revision, token, mirror</summary>
          <div className="hub-more-fields">
            <TextField
              label="Revision"
              placeholder="main"
              help="A branch, a tag or a commit."
              value={revision}
              onChange={(value) => hub.edit({ revision: value })}
            />
            <TextField
              label="Access token"
              type="password"
              placeholder="hf_…"
              help={`For private and gated models. It is kept until this page is closed and sent to ${hostOf(address)} only.`}
              value={token}
              onChange={(value) => hub.edit({ token: value })}
            />
            <TextField
              label="Mirror"
              placeholder="https://huggingface.co"
              help={
                fromLink
                  ? 'This address came with the link you opened.'
                  : 'Another server with the same addresses, for example one in the classroom. It is kept in this browser.'
              }
              value={address}
              onChange={(value) => studio.mirror.getState().set(value)}
            />
          </div>
        </details>
      </Form>
      {phase === 'listing' && (
        <p className="muted" role="status">
          Asking {hostOf(address)} for its list of files.
        </p>
      )}
      {error && (
        <ErrorBanner
          report={error}
          action={{ label: 'Try again', run: () => void hub.lookUp() }}
          onDismiss={hub.dismissError}
        />
      )}
      <HubFoundCard isDisabled={isDisabled} />
    </div>
  );
}

function hostOf(address: string): string {
  const typed = address.trim();
  return URL.canParse(typed) ? new URL(typed).host : 'huggingface.co';
}
