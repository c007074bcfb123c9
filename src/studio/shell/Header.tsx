import { Check, Contrast, Maximize2 } from 'lucide-react';
import { lazy, Suspense, useState } from 'react';
import { Link, useRoute } from 'wouter';
import { useStore } from 'zustand';
import { Button, IconButton } from '../components/index.ts';
import { deviceName } from '../deviceName.ts';
import { readyStations } from '../stores/session.ts';
import { useControl, useRuns, useSession } from '../studio.tsx';
import type { Look } from './settings.ts';

const ShareDialog = lazy(async () => ({ default: (await import('./ShareDialog.tsx')).ShareDialog }));

export interface StationLink {
  path: string;
  title: string;
}

export function Header({ stations, look }: { stations: readonly StationLink[]; look: Look }) {
  const model = useSession((s) => readyStations(s).model);
  const data = useSession((s) => readyStations(s).data);
  const trained = useRuns((s) => s.runs.some((run) => run.evals.length > 0));
  const ready: Record<string, boolean> = {
    '/model': model,
    '/data': data,
    '/tune': trained,
    '/results': trained,
    '/prompt': trained,
  };
  const [inLessons] = useRoute('/lessons/:id?');
  const theme = useStore(look, (s) => s.theme);
  const { toggleTheme, toggleBig } = look.getState();
  return (
    <header className="header">
      <Link href="/tune" className="mark" aria-label="Prelude, to Tune">
        <Mark />
        Prelude
      </Link>
      <nav className="stations" aria-label="Stations">
        {stations.map((station) => (
          <StationLinkView key={station.path} station={station} ready={ready[station.path] ?? false} />
        ))}
      </nav>
      <div className="header-end">
        <DeviceChip />
        {!useControl('lessons').hidden && (
          <Link href="/lessons" className="station" aria-current={inLessons ? 'page' : undefined}>
            Lessons
          </Link>
        )}
        {!useControl('share').hidden && <Share look={look} />}
        <IconButton label="Big scale for a projector (key b)" onPress={toggleBig}>
          <Maximize2 size={15} aria-hidden />
        </IconButton>
        <IconButton label={theme === 'dark' ? 'Light theme' : 'Dark theme'} onPress={toggleTheme}>
          <Contrast size={16} aria-hidden />
        </IconButton>
      </div>
    </header>
  );
}

function StationLinkView({ station, ready }: { station: StationLink; ready: boolean }) {
  const [active] = useRoute(`${station.path}/*?`);
  return (
    <Link href={station.path} className="station" aria-current={active ? 'page' : undefined}>
      {station.title}
      {ready && !active && (
        <>
          <Check size={13} strokeWidth={2.5} aria-hidden />
          <span className="sr-only">ready</span>
        </>
      )}
    </Link>
  );
}

function Share({ look }: { look: Look }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button variant="quiet" onPress={() => setOpen(true)}>
        Share
      </Button>
      {open && (
        <Suspense>
          <ShareDialog look={look} onClose={() => setOpen(false)} />
        </Suspense>
      )}
    </>
  );
}

function Mark() {
  return (
    <svg width="19" height="15" viewBox="0 0 19 15" aria-hidden>
      <rect width="5" height="15" rx="1.5" fill="var(--warm)" />
      <rect x="7" y="4" width="5" height="11" rx="1.5" fill="var(--warm)" />
      <rect x="14" width="5" height="15" rx="1.5" fill="var(--ice-line)" />
    </svg>
  );
}

function DeviceChip() {
  const device = useSession((s) => s.device);
  const lacking = useSession((s) => s.phase === 'no-device');
  if (!device) return <span className="chip muted">{lacking ? 'no device' : 'looking for a device'}</span>;
  const { engine, software, features } = device;
  const name = deviceName(device);
  const words = [
    software && engine === 'webgpu' ? `${name} (software, slow)` : name,
    features.shaderF16 && 'f16',
    features.subgroups && 'subgroups',
  ].filter(Boolean);
  return (
    <span className="chip" title={words.join(', ')}>
      <span className="dot" data-software={software || undefined} />
      <b>{engine === 'onnx' ? 'Processor' : 'WebGPU'}</b>{' '}
      <span className="chip-words">{words.join(', ')}</span>
    </span>
  );
}
