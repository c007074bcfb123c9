import type { Roles, TaskSettings } from '../../../worker/protocol.ts';
import { Button, TextField } from '../../components/index.ts';
import { Pair, Section } from '../../components/sections.tsx';
import { useSession } from '../../studio.tsx';
import { Preview } from './Preview.tsx';
import { RoleFields } from './Roles.tsx';
import { useDraft } from './stores.ts';

/** Which column is what, and how a row becomes the text that the model reads. */
export function Columns({ draft, isDisabled }: { draft: TaskSettings; isDisabled: boolean }) {
  const problems = useDraft((s) => s.problems);
  const pending = useDraft((s) => s.pending);
  const applying = useDraft((s) => s.applying);
  const inUse = useSession((s) => s.task !== undefined);
  const change = useDraft((s) => s.change);
  const revert = useDraft((s) => s.revert);
  const changeRoles = useDraft((s) => s.setRoles);
  const setRoles = (more: Partial<Roles>) => void changeRoles({ ...draft.roles, ...more });
  const { text2 } = draft.roles;

  return (
    <Section
      title="What the model is asked"
      aside={
        pending &&
        !applying &&
        inUse &&
        Object.keys(problems).length > 0 && <Button onPress={revert}>Back to what is in use</Button>
      }
    >
      <Pair
        controls={
          <>
            <RoleFields roles={draft.roles} isDisabled={isDisabled} onChange={setRoles} />
            {problems.roles && (
              <p className="field-error" role="alert">
                {problems.roles}
              </p>
            )}
            <TextField
              label="Template"
              help={
                text2 === undefined
                  ? '{text} stands for the row’s text. Words around it are read with it.'
                  : '{text} and {text2} stand for the row’s two texts. Words around them are read with them.'
              }
              value={draft.template}
              isDisabled={isDisabled}
              error={problems.template}
              onChange={(template) => change((settings) => ({ ...settings, template }), 'typing')}
            />
            <TextField
              label="Written prompt to compare with"
              help="The same question in plain words, read by the untuned model. Leave it empty to do without."
              value={draft.writtenPrompt}
              isDisabled={isDisabled}
              error={problems.writtenPrompt}
              onChange={(writtenPrompt) => change((settings) => ({ ...settings, writtenPrompt }), 'typing')}
            />
          </>
        }
        effect={<Preview />}
      />
    </Section>
  );
}
