import { GripVertical } from 'lucide-react';
import type { ReactNode } from 'react';
import { Button, DropZone, GridList, GridListItem, Text, useDragAndDrop } from 'react-aria-components';
import type { Roles } from '../../../worker/protocol.ts';
import { type Choice, Select } from '../../components/index.ts';
import { withColumn } from '../../stores/taskSettings.ts';
import { useSession } from '../../studio.tsx';

/** What a dragged column is called among drag types: nothing else is taken. */
const COLUMN = 'application/x-prelude-column';
/** An id that no column can have: names of columns are not empty. */
const NONE = '';

const ROLES: readonly { role: keyof Roles; name: string; optional?: boolean }[] = [
  { role: 'text', name: 'Text' },
  { role: 'text2', name: 'Second text', optional: true },
  { role: 'label', name: 'Label' },
];

/** Which column is what: each may be chosen from a list, or dragged there by pointer or by keyboard. */
export function RoleFields({
  roles,
  isDisabled,
  onChange,
}: {
  roles: Roles;
  isDisabled: boolean;
  onChange: (more: Partial<Roles>) => void;
}) {
  const columns = useSession((s) => s.data!.columns);
  const choices = columns.map((column): Choice<string> => ({ id: column, label: column }));
  return (
    <>
      <ColumnChips columns={columns} roles={roles} isDisabled={isDisabled} />
      <div className="roles">
        {ROLES.map(({ role, name, optional }) => (
          <Target
            key={role}
            name={name}
            isDisabled={isDisabled}
            onColumn={(id) => onChange(withColumn(roles, role, id))}
          >
            <Select
              label={name}
              choices={optional ? [{ id: NONE, label: 'none' }, ...choices] : choices}
              value={roles[role] ?? NONE}
              isDisabled={isDisabled}
              onChange={(id) => onChange({ [role]: id === NONE ? undefined : id })}
            />
          </Target>
        ))}
      </div>
    </>
  );
}

/** The table's columns, to be dragged onto what they are. */
function ColumnChips({
  columns,
  roles,
  isDisabled,
}: {
  columns: readonly string[];
  roles: Roles;
  isDisabled: boolean;
}) {
  const { dragAndDropHooks } = useDragAndDrop({
    getItems: (keys) => [...keys].map((key) => ({ [COLUMN]: String(key), 'text/plain': String(key) })),
    isDisabled,
  });
  const roleOf = (column: string) =>
    [
      column === roles.text && 'text',
      column === roles.text2 && 'second text',
      column === roles.label && 'label',
    ].find(Boolean);
  return (
    <div className="columns">
      <h3 id="columns-title">Columns of the table</h3>
      <GridList
        aria-labelledby="columns-title"
        className="column-chips"
        layout="grid"
        dragAndDropHooks={dragAndDropHooks}
        items={columns.map((id) => ({ id, role: roleOf(id) }))}
        dependencies={[roles]}
      >
        {({ id, role }) => (
          <GridListItem id={id} textValue={id} className="column-chip">
            <Button slot="drag" className="column-grip">
              <GripVertical size={14} aria-hidden />
            </Button>
            {id}
            {role && <small>{role}</small>}
          </GridListItem>
        )}
      </GridList>
      <p className="small muted">Drag a column onto what it is, or choose from the lists.</p>
    </div>
  );
}

/** A role that takes a dragged column. */
function Target({
  name,
  isDisabled,
  onColumn,
  children,
}: {
  name: string;
  isDisabled: boolean;
  onColumn: (column: string) => void;
  children: ReactNode;
}) {
  return (
    <DropZone
      className="role-target"
      isDisabled={isDisabled}
      getDropOperation={(types) => (types.has(COLUMN) ? 'copy' : 'cancel')}
      onDrop={async ({ items }) => {
        const item = items.find((one) => one.kind === 'text' && one.types.has(COLUMN));
        if (item?.kind === 'text') onColumn(await item.getText(COLUMN));
      }}
    >
      <Text slot="label" className="sr-only">
        {name}: drop a column here
      </Text>
      {children}
    </DropZone>
  );
}
