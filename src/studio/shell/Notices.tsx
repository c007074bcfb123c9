import { X } from 'lucide-react';
import { Button, ErrorBanner, IconButton } from '../components/index.ts';
import { useNotices, useStudio } from '../studio.tsx';

/** Errors in three parts, under the header. */
export function Errors() {
  const errors = useNotices((s) => s.errors);
  const { dismissError } = useStudio().notices.getState();
  if (errors.length === 0) return null;
  return (
    <div className="errors">
      {errors.map(({ id, report, action }) => (
        <ErrorBanner key={id} report={report} action={action} onDismiss={() => dismissError(id)} />
      ))}
    </div>
  );
}

/** What was done, with the press that takes it back. */
export function Toasts() {
  const toasts = useNotices((s) => s.toasts);
  const { undo, dismissToast } = useStudio().notices.getState();
  return (
    <section className="toasts" aria-label="Messages">
      {toasts.map((toast) => (
        <div key={toast.id} className="toast">
          <span>{toast.message}</span>
          {toast.undo && <Button onPress={() => undo(toast.id)}>Undo</Button>}
          <IconButton label="Dismiss" onPress={() => dismissToast(toast.id)}>
            <X size={16} aria-hidden />
          </IconButton>
        </div>
      ))}
    </section>
  );
}

/** Speaks to a screen reader. Two regions take turns, so that the same words twice are spoken twice. */
export function Announcer() {
  const { text, count } = useNotices((s) => s.announcement);
  return (
    <>
      <div className="sr-only" role="status">
        {count % 2 ? text : ''}
      </div>
      <div className="sr-only" role="status">
        {count % 2 ? '' : text}
      </div>
    </>
  );
}
