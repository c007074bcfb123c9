import { type ComponentType, lazy, Suspense, useEffect } from 'react';
import { I18nProvider } from 'react-aria-components';
import { Redirect, Route, Router, Switch } from 'wouter';
import { TuneStation } from '../stations/tune/TuneStation.tsx';
import { isLive } from '../stores/runs.ts';
import type { Control } from '../stores/teacher.ts';
import { type Studio, StudioContext, useSession, useStudio } from '../studio.tsx';
import { EngineNotice } from './EngineNotice.tsx';
import { ErrorBoundary } from './ErrorBoundary.tsx';
import { Header } from './Header.tsx';
import { keyIsTaken } from './keys.ts';
import { useHashPath } from './location.ts';
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

const InsidePage = lazy(async () => ({
  default: (await import('../stations/prompt/inside/InsidePage.tsx')).InsidePage,
}));

const TogetherPage = lazy(async () => ({
  default: (await import('../stations/prompt/together/TogetherPage.tsx')).TogetherPage,
}));

const Lessons = lazy(async () => ({ default: (await import('../lessons/Lessons.tsx')).Lessons }));

const KernelInspector = lazy(async () => ({
  default: (await import('../kernels/KernelInspector.tsx')).KernelInspector,
}));

const Board = lazy(async () => ({ default: (await import('../board/Board.tsx')).Board }));

interface Page {
  path: string;
  title: string;
  view: ComponentType;
}

/** `control`: by what name a teacher's link can hide it. `pages`: those under it. */
const STATIONS: (Page & { control?: Control; pages?: Page[] })[] = [
  { path: '/model', title: 'Model', view: ModelStation, control: 'model' },
  { path: '/data', title: 'Data', view: DataStation, control: 'data' },
  { path: '/tune', title: 'Tune', view: TuneStation },
  { path: '/results', title: 'Results', view: ResultsStation, control: 'results' },
  {
    path: '/prompt',
    title: 'Prompt',
    view: PromptStation,
    control: 'prompt',
    pages: [
      { path: '/prompt/inside', title: 'the inside of the prompt', view: InsidePage },
      { path: '/prompt/together', title: 'several prompts', view: TogetherPage },
    ],
  },
];

export function App({ studio, look }: { studio: Studio; look: Look }) {
  useEffect(() => guardLeaving(studio), [studio]);
  useEffect(() => listenForKeys(look), [look]);
  return (
    <I18nProvider locale="en-US">
      <StudioContext value={studio}>
        <Router hook={useHashPath}>
          <button type="button" className="skip" onClick={focusMain}>
            To the content
          </button>
          <div className="app">
            <Header stations={shownStations(studio)} look={look} />
            <div className="messages">
              <Errors />
              <EngineNotice />
            </div>
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
  const studio = useStudio();
  const { session } = studio;
  if (deviceError)
    return (
      <NoDevice
        report={deviceError}
        onRetry={() => session.getState().begin({ engine: 'webgpu' })}
        onProcessor={() => session.getState().begin({ engine: 'onnx' })}
      />
    );
  return (
    <Switch>
      {shownPages(studio).map(({ path, title, view: Station }) => (
        <Route key={path} path={path}>
          <ErrorBoundary key={path}>
            <Suspense fallback={<p className="loading muted">Loading {title}</p>}>
              <Station />
            </Suspense>
          </ErrorBoundary>
        </Route>
      ))}
      {!studio.teacher.hidden.has('lessons') && (
        <Route path="/lessons/:id?">
          <ErrorBoundary>
            <Suspense fallback={<p className="loading muted">Loading Lessons</p>}>
              <Lessons />
            </Suspense>
          </ErrorBoundary>
        </Route>
      )}
      <Route path="/kernels">
        <ErrorBoundary>
          <Suspense fallback={<p className="loading muted">Loading the kernels</p>}>
            <KernelInspector />
          </Suspense>
        </ErrorBoundary>
      </Route>
      <Route path="/board">
        <ErrorBoundary>
          <Suspense fallback={<p className="loading muted">Loading the board</p>}>
            <Board />
          </Suspense>
        </ErrorBoundary>
      </Route>
      <Route>
        <Redirect to="/tune" replace />
      </Route>
    </Switch>
  );
}

function shownStations({ teacher }: Studio) {
  return STATIONS.filter(({ control }) => !control || !teacher.hidden.has(control));
}

function shownPages(studio: Studio): Page[] {
  return shownStations(studio).flatMap((station) => [station, ...(station.pages ?? [])]);
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
