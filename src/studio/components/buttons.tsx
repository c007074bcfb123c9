import type { ReactNode } from 'react';
import {
  Button as AriaButton,
  type ButtonProps as AriaButtonProps,
  Tooltip,
  TooltipTrigger,
} from 'react-aria-components';

export interface ButtonProps extends Omit<AriaButtonProps, 'className' | 'style'> {
  /** `primary` is warm: only for what makes something learn. `link` stands in running text. */
  variant?: 'plain' | 'primary' | 'quiet' | 'link' | 'warm-link';
}

export function Button({ variant = 'plain', ...props }: ButtonProps) {
  return <AriaButton {...props} className="button" data-variant={variant} />;
}

/** A button that shows only a picture; its name is spoken and stands in the tooltip. */
export function IconButton({
  label,
  children,
  ...props
}: Omit<ButtonProps, 'variant'> & { label: string; children: ReactNode }) {
  return (
    <TooltipTrigger delay={400}>
      <AriaButton {...props} aria-label={label} className="button" data-variant="icon">
        {children}
      </AriaButton>
      <Tooltip className="tooltip" offset={6}>
        {label}
      </Tooltip>
    </TooltipTrigger>
  );
}
