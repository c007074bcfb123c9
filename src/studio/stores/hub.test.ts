import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { CachedModelCard } from '../../worker/protocol.ts';
import { createFakeEngine, type FakeOptions } from '../testing/fakeEngine.ts';
import { fakeNeeds } from '../testing/fakeHub.ts';
import { createEvaluations } from './evaluations.ts';
import { createHub, isHopeless } from './hub.ts';
import { createMirror } from './mirror.ts';
import { createNotices } from './notices.ts';
import { createSession } from './session.ts';

const card = (id: string, more: Partial<CachedModelCard> = {}): CachedModelCard => ({
  id,
  title: id,
  source: { kind: 'hub', id },
  commit: 'c',
  bytes: 10,
  totalBytes: 10,
  complete: true,
  inUse: false,
  usedAt: '2026-11-23T09:00:00Z',
  ...more,
});

async function setup(options: FakeOptions = {}, link?: string) {
  const engine = createFakeEngine(options);
  const notices = createNotices();
  const session = createSession(engine, notices, createEvaluations(engine));
  const stored = new Map<string, string>();
  const mirror = createMirror(link, {
    read: (key) => stored.get(key) ?? null,
    write: (key, value) => void stored.set(key, value),
  });
  const persist = vi.fn(async () => true);
  const hub = createHub({ engine, session, notices, mirror }, persist);
  await hub.getState().refresh();
  const asked = (name: string) => engine.calls.filter((call) => call.name === name);
  return { engine, notices, session, mirror, stored, hub, persist, asked };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('looking a model up', () => {
  it('asks the hub what it has and what it needs here; downloads nothing', async () => {
    const { hub, asked } = await setup();
    hub.getState().edit({ id: ' google/t5-small-lm-adapt ', revision: 'main', token: ' hf_x ' });
    await hub.getState().lookUp();
    const { found, phase } = hub.getState();
    expect(phase).toBe('idle');
    expect(found).toMatchObject({ report: { downloadBytes: 308_667_215 }, precision: 'stored' });
    const source = { kind: 'hub', id: 'google/t5-small-lm-adapt', revision: 'main', token: 'hf_x' };
    expect(asked('lookUpHub')[0]!.args[0]).toEqual(source);
    expect(asked('inspectModel')[0]!.args[0]).toEqual(source);
    expect(asked('loadModel')).toEqual([]);
  });

  it('asks the mirror: the one that is kept, or that of the link, which is not kept', async () => {
    const own = await setup();
    own.mirror.getState().set('http://class.local:8080');
    own.hub.getState().edit({ id: 'a/b' });
    await own.hub.getState().lookUp();
    expect(own.asked('lookUpHub')[0]!.args[0]).toMatchObject({ baseUrl: 'http://class.local:8080' });
    expect([...own.stored.values()]).toEqual(['http://class.local:8080']);
    const linked = await setup({}, 'http://teacher.local');
    expect(linked.mirror.getState()).toMatchObject({ address: 'http://teacher.local', fromLink: true });
    expect(linked.stored.size).toBe(0);
  });

  it('a refusal stands beside the box, and the next look-up takes its place', async () => {
    const options: FakeOptions = {
      hubError: { code: 'download', message: 'a/b: no such model (404).', remedy: 'Check its name.' },
    };
    const { hub, notices } = await setup(options);
    hub.getState().edit({ id: 'a/b' });
    await hub.getState().lookUp();
    expect(hub.getState().error).toMatchObject({ remedy: 'Check its name.' });
    expect(hub.getState().found).toBeUndefined();
    expect(notices.getState().errors).toEqual([]);
    delete options.hubError;
    await hub.getState().lookUp();
    expect(hub.getState().error).toBeUndefined();
  });

  it('says before a download that a model cannot be computed; not so where only its needs are unknown', async () => {
    const report = { code: 'unsupported-model', message: 'mamba is not known', remedy: 'x' } as const;
    const { hub } = await setup({ needsError: report });
    hub.getState().edit({ id: 'a/mamba' });
    await hub.getState().lookUp();
    expect(hub.getState().found?.problem).toMatchObject({ code: 'unsupported-model' });
    expect(isHopeless(hub.getState().found?.problem)).toBe(true);
    expect(isHopeless({ code: 'download', message: 'no ranges', remedy: '' })).toBe(false);
  });

  it('waits for a choice where there are several GGUF files', async () => {
    const { hub, asked } = await setup();
    hub.getState().edit({ id: 'a/smol-gguf' });
    await hub.getState().lookUp();
    expect(hub.getState().found?.report.choices).toHaveLength(3);
    expect(asked('inspectModel')).toEqual([]);
    await hub.getState().choose('model-Q8_0.gguf');
    expect(hub.getState().found?.source.file).toBe('model-Q8_0.gguf');
    expect(hub.getState().found?.needs?.family).toBe('T5 v1.1');
  });

  it('drops the slow answer to an older question', async () => {
    const { hub } = await setup({ delay: 400 });
    hub.getState().edit({ id: 'a/first' });
    const first = hub.getState().lookUp();
    hub.getState().edit({ id: 'a/second' });
    const second = hub.getState().lookUp();
    await vi.runAllTimersAsync();
    await Promise.all([first, second]);
    expect(hub.getState().found?.report.id).toBe('a/second');
  });
});

describe('kept models', () => {
  it('the first download asks the browser to keep it for good, the second does not', async () => {
    const first = await setup();
    first.hub.getState().edit({ id: 'a/b' });
    await first.hub.getState().lookUp();
    await first.hub.getState().load();
    expect(first.persist).toHaveBeenCalledTimes(1);
    expect(first.hub.getState().loading).toBeUndefined();
    const second = await setup({ cached: [card('x/y')] });
    second.hub.getState().edit({ id: 'a/b' });
    await second.hub.getState().lookUp();
    await second.hub.getState().load();
    expect(second.persist).not.toHaveBeenCalled();
  });

  it('loads what is whole without the token, and gives it where a download goes on', async () => {
    const { hub, asked } = await setup({ cached: [card('a/whole'), card('a/part', { complete: false })] });
    hub.getState().edit({ token: 'hf_x' });
    for (const model of hub.getState().kept!.models) await hub.getState().loadKept(model);
    expect(asked('loadModel').map((call) => call.args[0])).toEqual([
      { kind: 'hub', id: 'a/whole' },
      { kind: 'hub', id: 'a/part', token: 'hf_x' },
    ]);
    expect(asked('loadModel').map((call) => call.args[2])).toEqual(
      Array(2).fill({ precision: fakeNeeds.recommended }),
    );
  });

  it('is deleted only when the undo has gone', async () => {
    const { hub, notices, asked } = await setup({ cached: [card('a/b'), card('c/d')] });
    const names = () => hub.getState().kept!.models.map(({ id }) => id);
    hub.getState().remove('a/b');
    await hub.getState().refresh();
    expect(names()).toEqual(['c/d']);
    notices.getState().undo(notices.getState().toasts.at(-1)!.id);
    await vi.advanceTimersByTimeAsync(0);
    expect(names()).toEqual(['a/b', 'c/d']);
    hub.getState().remove('a/b');
    expect(asked('deleteCachedModel')).toEqual([]);
    await vi.runAllTimersAsync();
    expect(asked('deleteCachedModel')).toHaveLength(1);
    expect(names()).toEqual(['c/d']);
  });
});
