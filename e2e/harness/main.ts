import { mountStudio } from '../../src/studio/index.ts';
import { createFakeEngine } from '../../src/studio/testing/fakeEngine.ts';
import { defaultRecipe } from '../../src/tuning/recipe.ts';
import type { RunSummary } from '../../src/worker/protocol.ts';

/** `?delay=200&rate=40&fail=120&device=no-adapter&waiting`, and whatever a shared link has. */
const query = new URLSearchParams(location.search);
const link = new URLSearchParams(query);
for (const own of ['delay', 'rate', 'fail', 'device', 'waiting']) link.delete(own);
const number = (name: string) => (query.has(name) ? Number(query.get(name)) : undefined);
const device = query.get('device');

const waiting: RunSummary = {
  id: 'earlier',
  name: 'fact or opinion, Friday',
  state: 'stopped',
  recipe: defaultRecipe,
  modelId: 'small',
  modelTitle: 'nano-T5 small',
  dataName: 'Fact or opinion',
  step: 120,
  steps: [],
  evals: [{ step: 100, accuracy: 0.7, loss: 0.5, best: true }],
  seconds: 41,
  learned: 2560,
  resumable: true,
};

const engine = createFakeEngine({
  stored: query.has('waiting') ? [waiting] : [],
  delay: number('delay') ?? 300,
  stepsPerSecond: number('rate') ?? 40,
  failAt: number('fail'),
  deviceError:
    device === 'no-webgpu' || device === 'no-adapter' || device === 'limit-too-small'
      ? { code: device, message: 'The harness says so.', remedy: 'Take the parameter out of the address.' }
      : undefined,
});

/** For the console: `studio.session.getState()`. */
Object.assign(window, { studio: mountStudio(document.getElementById('root')!, engine, link.toString()) });
