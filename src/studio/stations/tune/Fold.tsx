import { type ReactNode, useState, useSyncExternalStore } from 'react';

const NARROW = '(max-width: 900px)';

function subscribe(onChange: () => void): () => void {
  const query = window.matchMedia(NARROW);
  query.addEventListener('change', onChange);
  return () => query.removeEventListener('change', onChange);
}

/**
 * Open on a wide page; on a phone it folds behind its title. The same element both times: a page that is turned must not close
 * a dialog that was opened from inside.
 */
export function Fold({ title, children }: { title: string; children: ReactNode }) {
  const narrow = useSyncExternalStore(subscribe, () => window.matchMedia(NARROW).matches);
  const [open, setOpen] = useState(false);
  return (
    <details
      className="fold"
      data-wide={!narrow || undefined}
      open={!narrow || open}
      onToggle={(event) => narrow && setOpen(event.currentTarget.open)}
    >
      <summary>{title}</summary>
      {children}
    </details>
  );
}
