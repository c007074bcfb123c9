/**
 * The studio's few building blocks, on react-aria-components: keyboard, focus and names for assistive technology are theirs,
 * the look is ours (`components.css`, tokens in `../theme.css`). Every station builds on these and on nothing else.
 */
import './components.css';

export { Button, IconButton } from './buttons.tsx';
export { Checkbox, type Choice, NumberField, Select, Slider, TextArea, TextField } from './fields.tsx';
export { Dialog, Menu, type MenuAction } from './overlays.tsx';
export { tokenText } from './tokens.ts';
export {
  Bar,
  type Column,
  Empty,
  ErrorBanner,
  FileDrop,
  ProgressLine,
  Table,
  Tabs,
  Token,
} from './views.tsx';
