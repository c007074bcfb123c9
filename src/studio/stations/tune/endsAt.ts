/** When something of this many seconds ends, on the clock: "at 10:42", "tomorrow at 08:15", "on 3 December". */
export function endsAt(seconds: number, now: Date): string {
  const end = new Date(now.getTime() + seconds * 1000);
  const days = Math.round((midnight(end) - midnight(now)) / 86_400_000);
  if (days > 1) return `on ${end.getDate()} ${MONTHS[end.getMonth()]}`;
  const clock = `${String(end.getHours()).padStart(2, '0')}:${String(end.getMinutes()).padStart(2, '0')}`;
  return days === 1 ? `tomorrow at ${clock}` : `at ${clock}`;
}

const MONTHS = 'January February March April May June July August September October November December'.split(
  ' ',
);

function midnight(date: Date): number {
  return new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
}
