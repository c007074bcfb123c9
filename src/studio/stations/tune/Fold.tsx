import { type ReactNode, useSyncExternalStore } from 'react';

const NARROW = '(max-width: 900px)';

function subscribe(onChange: () => void): () => void {
  const query = window.matchMedia(NARROW);
  query.addEventListener('change', onChange);
  return () => query.removeEventListener('change', onChange);
}

/** Open on a wide page; on a phone it folds behind its title. */
export function Fold({ title, children }: { title: string; children: ReactNode }) {
  const narrow = useSyncExternalStore(subscribe, () => window.matchMedia(NARROW).matches);
  if (!narrow) return children;
  return (
    <details className="fold">
      <summary>{title}</summary>
      {children}
    </details>
  );
}
