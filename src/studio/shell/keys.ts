/** True where a key belongs to what has the focus: a field, a menu, an open dialog. */
export function keyIsTaken(event: KeyboardEvent): boolean {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return true;
  if (document.querySelector('[role="dialog"], [role="menu"], [role="listbox"]')) return true;
  const target = event.target as HTMLElement | null;
  return !!target?.closest('input:not([type="range"]), textarea, select, [contenteditable]');
}
