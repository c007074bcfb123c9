import { MoreHorizontal, X } from 'lucide-react';
import type { ReactNode } from 'react';
import {
  Button as AriaButton,
  Dialog as AriaDialog,
  Menu as AriaMenu,
  Heading,
  MenuItem,
  MenuTrigger,
  Modal,
  ModalOverlay,
  Popover,
} from 'react-aria-components';

/** A modal dialog with a title and a cross; Escape and a press outside close it. */
export function Dialog({
  title,
  isOpen,
  onClose,
  width,
  children,
}: {
  title: string;
  isOpen: boolean;
  onClose: () => void;
  width?: number;
  children: ReactNode;
}) {
  return (
    <ModalOverlay
      className="modal-overlay"
      isDismissable
      isOpen={isOpen}
      onOpenChange={(open) => !open && onClose()}
      style={width ? ({ '--modal-width': `${width}px` } as React.CSSProperties) : undefined}
    >
      <Modal className="modal">
        <AriaDialog className="dialog">
          <div className="dialog-head">
            <Heading slot="title" level={2}>
              {title}
            </Heading>
            <AriaButton className="button" data-variant="icon" aria-label="Close" onPress={onClose}>
              <X size={16} aria-hidden />
            </AriaButton>
          </div>
          {children}
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  );
}

export interface MenuAction {
  id: string;
  label: string;
  onAction: () => void;
  isDisabled?: boolean;
}

/** A button that opens a list of actions. Without `children` it shows three dots. */
export function Menu({
  label,
  actions,
  children,
}: {
  label: string;
  actions: MenuAction[];
  children?: ReactNode;
}) {
  return (
    <MenuTrigger>
      <AriaButton className="button" data-variant={children ? 'plain' : 'icon'} aria-label={label}>
        {children ?? <MoreHorizontal size={16} aria-hidden />}
      </AriaButton>
      <Popover className="popover" placement="bottom end" offset={4}>
        <AriaMenu
          onAction={(id) => actions.find((action) => action.id === id)?.onAction()}
          disabledKeys={actions.filter((action) => action.isDisabled).map((action) => action.id)}
        >
          {actions.map((action) => (
            <MenuItem key={action.id} id={action.id} className="option">
              {action.label}
            </MenuItem>
          ))}
        </AriaMenu>
      </Popover>
    </MenuTrigger>
  );
}
