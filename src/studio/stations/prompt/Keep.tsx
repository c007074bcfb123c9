import { useState } from 'react';
import { Form } from 'react-aria-components';
import { Button, TextField } from '../../components/index.ts';
import { libraryOf } from '../../prompts.ts';
import { useStudio } from '../../studio.tsx';

/** Keeps a run's best prompt in this browser under a name. */
export function Keep({ run, name: suggested }: { run: string; name: string }) {
  const studio = useStudio();
  const [name, setName] = useState(suggested);
  const [busy, setBusy] = useState(false);
  return (
    <Form
      className="keep"
      onSubmit={async (event) => {
        event.preventDefault();
        if (name.trim() === '' || busy) return;
        setBusy(true);
        await libraryOf(studio).getState().keep(run, name);
        setBusy(false);
      }}
    >
      <TextField label="Keep it here as" value={name} onChange={setName} />
      <Button type="submit" isDisabled={busy || name.trim() === ''}>
        Keep
      </Button>
    </Form>
  );
}
