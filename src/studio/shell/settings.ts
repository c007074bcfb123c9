/**
 * How the page looks: theme and scale. The URL decides first (`?theme=dark`, `?big`), then what was chosen last, then the
 * system.
 */
import { createStore } from 'zustand/vanilla';

export type Theme = 'light' | 'dark';

export interface LookState {
  theme: Theme;
  /** Everything at 125 %, for a projector. */
  big: boolean;
  toggleTheme(): void;
  toggleBig(): void;
}

const THEME_KEY = 'prelude.theme';
const BIG_KEY = 'prelude.big';

interface Surroundings {
  search: string;
  systemDark: boolean;
  read(key: string): string | null;
  write(key: string, value: string): void;
}

/** Storage may be forbidden (private windows, file URLs): the choice then lasts as long as the page. */
function surroundings(): Surroundings {
  return {
    search: window.location.search,
    systemDark: window.matchMedia('(prefers-color-scheme: dark)').matches,
    read: (key) => {
      try {
        return window.localStorage.getItem(key);
      } catch {
        return null;
      }
    },
    write: (key, value) => {
      try {
        window.localStorage.setItem(key, value);
      } catch {
        // See above.
      }
    },
  };
}

export function createLook(around: Surroundings = surroundings()) {
  const query = new URLSearchParams(around.search);
  const asked = query.get('theme') ?? around.read(THEME_KEY);
  const theme: Theme = asked === 'dark' || asked === 'light' ? asked : around.systemDark ? 'dark' : 'light';
  const big = query.has('big') ? query.get('big') !== '0' : around.read(BIG_KEY) === '1';
  return createStore<LookState>()((set, get) => ({
    theme,
    big,
    toggleTheme() {
      const next = get().theme === 'dark' ? 'light' : 'dark';
      around.write(THEME_KEY, next);
      set({ theme: next });
    },
    toggleBig() {
      const next = !get().big;
      around.write(BIG_KEY, next ? '1' : '0');
      set({ big: next });
    },
  }));
}

export type Look = ReturnType<typeof createLook>;

/** Writes the look on the document's root, now and whenever it changes. Returns the way to stop. */
export function applyLook(look: Look, root: HTMLElement): () => void {
  const apply = ({ theme, big }: LookState) => {
    root.dataset.theme = theme;
    root.toggleAttribute('data-big', big);
  };
  apply(look.getState());
  return look.subscribe(apply);
}
