/** The stores that only the Data station needs. */
import { useStore } from 'zustand';
import { perStudio } from '../../perStudio.ts';
import { createRowPages, type RowPagesState } from '../../stores/rowPages.ts';
import { createTaskDraft, type TaskDraftState } from '../../stores/taskDraft.ts';
import { useStudio } from '../../studio.tsx';

const taskDraft = perStudio(({ engine, session, notices }) => createTaskDraft(engine, session, notices));

const rowPages = perStudio(({ engine, session, notices }) => {
  const pages = createRowPages(engine, notices);
  session.subscribe((now, before) => {
    if (now.data !== before.data) pages.getState().clear();
    else if (now.task && now.task !== before.task) pages.getState().refresh();
  });
  if (session.getState().task) pages.getState().refresh();
  return pages;
});

export function useDraft<T>(select: (state: TaskDraftState) => T): T {
  return useStore(taskDraft(useStudio()), select);
}
export function useRowPages<T>(select: (state: RowPagesState) => T): T {
  return useStore(rowPages(useStudio()), select);
}
