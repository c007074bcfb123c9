import { mountStudio } from '../../src/studio/index.ts';
import { createFakeEngine } from '../../src/studio/testing/fakeEngine.ts';

/** `?delay=200&rate=40&fail=120&device=no-adapter` */
const query = new URLSearchParams(location.search);
const number = (name: string) => (query.has(name) ? Number(query.get(name)) : undefined);
const device = query.get('device');

const engine = createFakeEngine({
  delay: number('delay') ?? 300,
  stepsPerSecond: number('rate') ?? 40,
  failAt: number('fail'),
  deviceError:
    device === 'no-webgpu' || device === 'no-adapter' || device === 'limit-too-small'
      ? { code: device, message: 'The harness says so.', remedy: 'Take the parameter out of the address.' }
      : undefined,
});

mountStudio(document.getElementById('root')!, engine);
