import { lazy, Suspense, useEffect } from 'react';
import { I18nProvider } from 'react-aria-components';
import { Redirect, Route, Router, Switch } from 'wouter';
import { useHashLocation } from 'wouter/use-hash-location';
import { TuneStation } from '../stations/tune/TuneStation.tsx';
import { isLive } from '../stores/runs.ts';
import { type Studio, StudioContext, useSession, useStudio } from '../studio.tsx';
import { ErrorBoundary } from './ErrorBoundary.tsx';
import { Header } from './Header.tsx';
import { keyIsTaken } from './keys.ts';
import { NoDevice } from './NoDevice.tsx';
import { Announcer, Errors, Toasts } from './Notices.tsx';
import type { Look } from './settings.ts';
import './shell.css';

const ModelStation = lazy(async () => ({
  default: (await import('../stations/model/ModelStation.tsx')).ModelStation,
}));
const DataStation = lazy(async () => ({
  default: (await import('../stations/data/DataStation.tsx')).DataStation,
}));
const ResultsStation = lazy(async () => ({
  default: (await import('../stations/results/ResultsStation.tsx')).ResultsStation,
}));
const PromptStation = lazy(async () => ({
  default: (await import('../stations/prompt/PromptStation.tsx')).PromptStation,
}));

const STATIONS = [
  { path: '/model', title: 'Model', view: ModelStation },
  { path: '/data', title: 'Data', view: DataStation },
  { path: '/tune', title: 'Tune', view: TuneStation },
  { path: '/results', title: 'Results', view: ResultsStation },
  { path: '/prompt', title: 'Prompt', view: PromptStation },
] as const;

export function App({ studio, look }: { studio: Studio; look: Look }) {
  useEffect(() => guardLeaving(studio), [studio]);
  useEffect(() => listenForKeys(look), [look]);
  return (
    <I18nProvider locale="en-US">
      <StudioContext value={studio}>
        <Router hook={useHashLocation}>
          <button type="button" className="skip" onClick={focusMain}>
            To the content
          </button>
          <div className="app">
            <Header stations={STATIONS} look={look} />
            <Errors />
            <Body />
          </div>
          <Toasts />
          <Announcer />
        </Router>
      </StudioContext>
    </I18nProvider>
  );
}

function Body() {
  const deviceError = useSession((s) => (s.phase === 'no-device' ? s.deviceError : undefined));
  const { session } = useStudio();
  if (deviceError) return <NoDevice report={deviceError} onRetry={() => session.getState().begin()} />;
  return (
    <Switch>
      {STATIONS.map(({ path, title, view: Station }) => (
        <Route key={path} path={path}>
          <ErrorBoundary key={path}>
            <Suspense fallback={<p className="loading muted">Loading {title}</p>}>
              <Station />
            </Suspense>
          </ErrorBoundary>
        </Route>
      ))}
      <Route>
        <Redirect to="/tune" replace />
      </Route>
    </Switch>
  );
}

/** A button and no link: `#main` would be taken for a station by the hash router. */
function focusMain() {
  const main = document.getElementById('main');
  main?.setAttribute('tabindex', '-1');
  main?.focus();
}

/** Leaving while a run goes asks first. */
function guardLeaving(studio: Studio): () => void {
  const ask = (event: BeforeUnloadEvent) => {
    if (studio.runs.getState().runs.some((run) => isLive(run.state))) event.preventDefault();
  };
  window.addEventListener('beforeunload', ask);
  return () => window.removeEventListener('beforeunload', ask);
}

function listenForKeys(look: Look): () => void {
  const onKey = (event: KeyboardEvent) => {
    if (event.key === 'b' && !keyIsTaken(event)) look.getState().toggleBig();
  };
  window.addEventListener('keydown', onKey);
  return () => window.removeEventListener('keydown', onKey);
}
