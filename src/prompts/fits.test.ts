import { describe, expect, test } from 'vitest';
import { adoptPrompt, checkFits } from './fits.ts';
import { importPrompt } from './import.ts';
import { exportNpy } from './npy.ts';
import { failure, samplePrompt } from './testing.ts';

const prompt = samplePrompt();
const here = prompt.model;

describe('checkFits', () => {
  test('the very model: nothing to say', () => {
    expect(checkFits(prompt, here)).toEqual([]);
  });

  test('another width is refused with both widths and both names', async () => {
    const error = await failure(() => checkFits(prompt, { ...here, name: 'nano-t5/base', width: 512 }));
    expect(error.code).toBe('prompt-mismatch');
    expect(error.message).toMatch(/3 wide.*"nano-t5\/tiny".*"nano-t5\/base" is 512 wide/);
    const unnamed = await failure(() => checkFits({ ...prompt, model: {} }, { ...here, width: 512 }));
    expect(unnamed.remedy).toContain('width 3');
  });

  test('another family is refused, by name or by kind', async () => {
    expect((await failure(() => checkFits(prompt, { ...here, family: 'gpt2' }))).message).toMatch(
      /\(t5\).*gpt2/,
    );
    const causal = { ...prompt, model: { name: 'llama', encoderDecoder: false } };
    expect((await failure(() => checkFits(causal, here))).code).toBe('prompt-mismatch');
    expect(checkFits({ ...prompt, model: { name: 'x', encoderDecoder: true } }, here)).toHaveLength(1);
  });

  test('another fingerprint or none is a warning', () => {
    const kinds = (model: object) => checkFits({ ...prompt, model }, here).map((w) => w.kind);
    expect(kinds({ ...here, fingerprint: 'cd34' })).toEqual(['other-model']);
    expect(kinds({ ...here, name: 'elsewhere', fingerprint: 'cd34' })).toEqual(['other-model']);
    expect(kinds({})).toEqual(['unknown-model']);
    expect(kinds({ name: 'nano-t5/tiny' })).toEqual(['unknown-model']);
  });
});

test('an adopted .npy can be kept, and still does not claim its model', async () => {
  const read = await importPrompt({ name: 'a.npy', data: exportNpy(prompt) });
  const adopted = adoptPrompt(read, here, '2026-01-01T00:00:00.000Z');
  expect(adopted).toMatchObject({ name: 'a', step: 0, createdAt: '2026-01-01T00:00:00.000Z' });
  expect(checkFits(adopted, here).map((w) => w.kind)).toEqual(['unknown-model']);
});
