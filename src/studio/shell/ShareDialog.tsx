import { useId, useState } from 'react';
import { useStore } from 'zustand';
import { Button, Checkbox, Dialog, Select } from '../components/index.ts';
import { currentSetting } from '../stores/openSetting.ts';
import { writeSetting } from '../stores/setting.ts';
import { CONTROLS, type Control, canLock } from '../stores/teacher.ts';
import { useStudio } from '../studio.tsx';
import type { Look } from './settings.ts';
import './share.css';

type State = 'free' | 'lock' | 'hide';
const STATES = [
  { id: 'free', label: 'free' },
  { id: 'lock', label: 'locked' },
  { id: 'hide', label: 'hidden' },
] as const;

/** The whole setting as a link to copy; for a class, a link that locks and hides controls. */
export function ShareDialog({ look, onClose }: { look: Look; onClose: () => void }) {
  const studio = useStudio();
  const [withLook, setWithLook] = useState(false);
  const [forClass, setForClass] = useState(studio.teacher.locked.size + studio.teacher.hidden.size > 0);
  const [states, setStates] = useState<Partial<Record<Control, State>>>(() => ({
    ...Object.fromEntries([...studio.teacher.locked].map((id) => [id, 'lock'])),
    ...Object.fromEntries([...studio.teacher.hidden].map((id) => [id, 'hide'])),
  }));
  const { theme, big } = useStore(look);
  const { setting, missing } = currentSetting(studio);
  const ids = Object.keys(CONTROLS) as Control[];
  const those = (state: State) => new Set(forClass ? ids.filter((id) => states[id] === state) : []);
  const link = linkOf(
    writeSetting({
      ...setting,
      ...(withLook ? { theme, big } : {}),
      teacher: { locked: those('lock'), hidden: those('hide') },
    }),
  );
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(link);
      studio.notices.getState().toast('The link is copied.');
    } catch {
      studio.notices
        .getState()
        .toast('This browser does not let the page copy. Select the link and copy it.');
    }
  };
  return (
    <Dialog title="Share this setting" isOpen onClose={onClose} width={620}>
      <div className="share">
        <p>
          Whoever opens this link finds the same model, sample, template, words, recipe, text and station. No
          run and no prompt goes with it.
        </p>
        <LinkField link={link} onCopy={copy} />
        {missing.length > 0 && (
          <p className="small muted">
            The link cannot carry {missing.join(' and ')}; the default stands in its place.
          </p>
        )}
        <Checkbox isSelected={withLook} onChange={setWithLook}>
          Also the look: {theme}
          {big && ', big scale'}
        </Checkbox>
        <Checkbox isSelected={forClass} onChange={setForClass}>
          For a class: lock or hide controls
        </Checkbox>
        {forClass && (
          <>
            <p className="small muted">
              Locked controls are shown and cannot be changed; lock the seed, and every screen in the room
              shows the same curve.
            </p>
            <ul className="share-controls" aria-label="Controls">
              {ids.map((id) => (
                <li key={id}>
                  <Select
                    inline
                    label={CONTROLS[id].title}
                    choices={STATES.filter((state) => state.id !== 'lock' || canLock(id))}
                    value={states[id] ?? 'free'}
                    onChange={(state: State) => setStates((now) => ({ ...now, [id]: state }))}
                  />
                </li>
              ))}
            </ul>
          </>
        )}
      </div>
    </Dialog>
  );
}

function LinkField({ link, onCopy }: { link: string; onCopy: () => void }) {
  const id = useId();
  return (
    <div className="share-link">
      <label className="sr-only" htmlFor={id}>
        Link
      </label>
      <input
        id={id}
        className="text-input"
        readOnly
        value={link}
        onFocus={(event) => event.currentTarget.select()}
      />
      <Button onPress={onCopy}>Copy link</Button>
    </div>
  );
}

function linkOf(query: string): string {
  const { origin, pathname, hash } = window.location;
  return `${origin}${pathname}${query ? `?${query}` : ''}${hash.split('?')[0] || '#/tune'}`;
}
