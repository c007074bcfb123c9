/**
 * What the studio says to a person besides its panels: toasts with an undo, errors in three parts, and the words a screen
 * reader is to speak.
 */
import { createStore } from 'zustand/vanilla';
import type { ErrorReport } from '../../errors.ts';
import { asReport } from './errors.ts';

export interface Toast {
  id: number;
  message: string;
  /** Takes the thing back. */
  undo?: () => void;
}

export interface ShownError {
  id: number;
  report: ErrorReport;
  /** One press that mends it, where there is one. */
  action?: { label: string; run: () => void };
}

export interface NoticesState {
  toasts: Toast[];
  errors: ShownError[];
  /** The latest announcement; the number makes the same words count twice. */
  announcement: { text: string; count: number };
  /** Shows a toast for some seconds; `onGone` runs when it leaves without undo. */
  toast(message: string, options?: { undo?: () => void; onGone?: () => void }): void;
  undo(id: number): void;
  dismissToast(id: number): void;
  /** Shows an error (unless it only says that something was cancelled). */
  fail(error: unknown, action?: ShownError['action']): void;
  dismissError(id: number): void;
  announce(text: string): void;
}

export const TOAST_MS = 8000;

export function createNotices() {
  let nextId = 1;
  const leaving = new Map<number, { timer: ReturnType<typeof setTimeout>; onGone?: () => void }>();
  return createStore<NoticesState>()((set, get) => {
    const drop = (id: number) => {
      const entry = leaving.get(id);
      if (entry) clearTimeout(entry.timer);
      leaving.delete(id);
      set((s) => ({ toasts: s.toasts.filter((toast) => toast.id !== id) }));
      return entry;
    };
    return {
      toasts: [],
      errors: [],
      announcement: { text: '', count: 0 },
      toast(message, options = {}) {
        const id = nextId++;
        const timer = setTimeout(() => get().dismissToast(id), TOAST_MS);
        leaving.set(id, { timer, onGone: options.onGone });
        set((s) => ({ toasts: [...s.toasts, { id, message, undo: options.undo }] }));
        get().announce(message);
      },
      undo(id) {
        const toast = get().toasts.find((t) => t.id === id);
        drop(id);
        toast?.undo?.();
      },
      dismissToast(id) {
        drop(id)?.onGone?.();
      },
      fail(error, action) {
        const report = asReport(error);
        if (report.code === 'cancelled') return;
        const id = nextId++;
        set((s) => ({
          errors: [...s.errors.filter((e) => e.report.message !== report.message), { id, report, action }],
        }));
        get().announce(`${report.message} ${report.remedy}`);
      },
      dismissError(id) {
        set((s) => ({ errors: s.errors.filter((error) => error.id !== id) }));
      },
      announce(text) {
        set((s) => ({ announcement: { text, count: s.announcement.count + 1 } }));
      },
    };
  });
}

export type Notices = ReturnType<typeof createNotices>;
