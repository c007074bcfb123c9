import { describe, expect, it } from 'vitest';
import type { PromptRef } from '../../worker/protocol.ts';
import { createFakeEngine } from '../testing/fakeEngine.ts';
import { createEvaluations } from './evaluations.ts';
import { createNotices } from './notices.ts';
import { createResults, keptEvaluation, refKey } from './results.ts';

function setup(delay = 0) {
  const engine = createFakeEngine({ delay });
  const evaluations = createEvaluations(engine);
  const notices = createNotices();
  const results = createResults(evaluations, notices);
  const measured = () =>
    engine.calls.filter((call) => call.name === 'evaluate').map((call) => (call.args[0] as PromptRef).kind);
  return { engine, evaluations, notices, results, measured };
}
const saved: PromptRef = { kind: 'saved', id: 'saved-1' };

describe('results', () => {
  it('measures one after the other and keeps them', async () => {
    const { evaluations, results, measured } = setup();
    await results.getState().measure([saved, { kind: 'none' }, { kind: 'written' }]);
    expect(measured()).toEqual(['saved', 'none', 'written']);
    const { kept } = evaluations.getState();
    expect(keptEvaluation(kept, saved, 'test', 'rank')?.n).toBe(120);
    expect(keptEvaluation(kept, saved, 'dev', 'rank')).toBeUndefined();
    expect(keptEvaluation(kept, saved, 'test', 'greedy')).toBeUndefined();
    await results.getState().measure([saved]);
    expect(measured()).toHaveLength(3);
    expect(results.getState().measuring).toBeUndefined();
  });

  it('ends what is in work once stopped, and asks for no more', async () => {
    const { evaluations, notices, results, measured } = setup(20);
    const work = results.getState().measure([saved, { kind: 'none' }]);
    expect(results.getState().measuring).toEqual(saved);
    results.getState().stop();
    expect(results.getState()).toMatchObject({ measuring: undefined, stopped: true });
    await work;
    expect(measured()).toEqual(['saved']);
    expect(keptEvaluation(evaluations.getState().kept, saved, 'test', 'rank')).toBeUndefined();
    expect(notices.getState().errors).toEqual([]);
    expect(results.getState()).toMatchObject({ measuring: undefined, progress: undefined, stopped: true });
    results.getState().choose({ kind: 'none' });
    expect(results.getState().stopped).toBe(false);
  });

  it('tells of a failure', async () => {
    const { engine, notices, results } = setup();
    engine.evaluate = async () => {
      throw { code: 'prompt-mismatch', message: 'Another width.', remedy: 'Load its model.' };
    };
    await results.getState().measure([saved]);
    expect(notices.getState().errors[0]?.report.message).toBe('Another width.');
    expect(results.getState().measuring).toBeUndefined();
  });
});

it('refKey tells prompts apart', () => {
  const refs: PromptRef[] = [
    { kind: 'none' },
    { kind: 'written' },
    { kind: 'run', run: 'a', which: 'best' },
    { kind: 'run', run: 'a', which: 'current' },
    saved,
  ];
  expect(new Set(refs.map(refKey)).size).toBe(refs.length);
});
