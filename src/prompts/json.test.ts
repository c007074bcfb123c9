import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { exportJson, readJson } from './json.ts';
import { anyPrompt, bitsOf, failure, samplePrompt } from './testing.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const changed = (change: (file: Record<string, unknown>) => void) => {
  const file = JSON.parse(exportJson(samplePrompt()));
  change(file);
  return bytes(JSON.stringify(file));
};

describe('JSON', () => {
  test('gives back the whole prompt', () => {
    const prompt = samplePrompt();
    expect(readJson('x.json', bytes(exportJson(prompt)))).toEqual(prompt);
    const bare = samplePrompt({ recipe: undefined, task: undefined, metrics: undefined });
    const read = readJson('x.json', bytes(`\uFEFF${exportJson(bare)}`));
    expect(read.task).toBeUndefined();
    expect(bitsOf(read.values)).toEqual(bitsOf(bare.values));
  });

  test('comes back bit for bit', () => {
    fc.assert(
      fc.property(anyPrompt, fc.jsonValue(), (prompt, recipe) => {
        const json = JSON.parse(JSON.stringify(recipe));
        const read = readJson('x', bytes(exportJson({ ...prompt, recipe: json })));
        expect(bitsOf(read.values)).toEqual(bitsOf(prompt.values));
        expect(read.recipe).toEqual(json);
      }),
    );
  });

  test.each([
    ['another version', changed((f) => (f.format = 'prelude-prompt/2')), 'prelude-prompt/2'],
    ['other JSON', bytes('{"a": 1}'), 'no prompt'],
    ['an adapter config alone', bytes('{"peft_type": "PROMPT_TUNING"}'), 'without its numbers'],
    ['a list', bytes('[1]'), 'no prompt'],
    ['no JSON', bytes('{"format": '), 'no complete JSON'],
    ['bad UTF-8', Uint8Array.of(0x7b, 0xff, 0xfe), 'no complete JSON'],
    ['a wrong shape', changed((f) => (f.shape = [3, 3])), 'takes 48 characters of base64; "values" has 32'],
    ['a shape of three', changed((f) => (f.shape = [1, 2, 3])), '"shape'],
    ['a huge shape', changed((f) => (f.shape = [1e9, 1e9])), 'larger than any soft prompt'],
    ['an empty shape', changed((f) => (f.shape = [0, 3])), '"shape.0"'],
    ['bad base64', changed((f) => (f.values = '*'.repeat(32))), 'not base64'],
    ['NaN values', changed((f) => (f.values = 'AADAfwAAwH8AAMB/AADAfwAAwH8AAMB/')), 'value NaN'],
    ['no model', changed((f) => delete f.model), '"model"'],
    ['a wrong task', changed((f) => (f.task = { template: 3 })), '"task.template"'],
    [
      'a model of another width',
      changed((f) => ((f.model as { width: number }).width = 4)),
      '3 wide, its model 4',
    ],
  ])('refuses %s', async (_, data, what) => {
    const error = await failure(() => readJson('x.json', data));
    expect(error.code).toBe('bad-prompt');
    expect(error.message).toContain(what);
  });

  test('no text makes it fail in another way, and no cut passes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.json(), async (text) => {
        expect((await failure(() => readJson('x', bytes(text)))).code).toBe('bad-prompt');
      }),
    );
    const whole = bytes(exportJson(samplePrompt()).trimEnd());
    for (let n = 0; n < whole.length; n += 7) await failure(() => readJson('x', whole.slice(0, n)));
  });
});
