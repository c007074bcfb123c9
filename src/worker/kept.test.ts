import 'fake-indexeddb/auto';
import { IDBFactory } from 'fake-indexeddb';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { openPromptStore, type PromptModel, type SoftPrompt } from '../prompts/index.ts';
import { createPromptDesk } from './kept.ts';
import type { ExportedFile } from './protocol.ts';

beforeEach(() => {
  vi.unstubAllGlobals();
  vi.stubGlobal('indexedDB', new IDBFactory());
});

const model: PromptModel = {
  name: 'nano-T5 tiny',
  fingerprint: 'ab12cd34ef56',
  family: 't5',
  width: 4,
  vocabSize: 8192,
  numLayers: 2,
  numHeads: 4,
};

function prompt(changes: Partial<SoftPrompt> = {}): SoftPrompt {
  const { length = 20, width = 4 } = changes;
  return {
    name: 'Film reviews',
    length,
    width,
    values: Float32Array.from({ length: length * width }, (_, i) => Math.sin(i)),
    model: { ...model, width },
    task: { template: '{text}', labels: [{ label: 'good', text: 'positive' }], appendEos: false },
    metrics: { devAccuracy: 0.7, testAccuracy: 0.75 },
    createdAt: '2026-11-23T06:00:00.000Z',
    step: 300,
    ...changes,
  };
}

const asFile = ({ name, type, bytes }: ExportedFile) => new File([bytes], name, { type });

describe('the prompt desk', () => {
  it('keeps prompts from one visit to the next', async () => {
    const saved = await createPromptDesk().savePrompt(prompt(), model);
    expect(saved).toMatchObject({
      name: 'Film reviews',
      fits: true,
      accuracy: 0.75,
      labels: ['good'],
      notes: [],
    });
    const later = createPromptDesk();
    expect(await later.savedPrompts(model)).toEqual([saved]);
    expect((await later.get(saved.id)).values).toEqual(prompt().values);
  });

  it('says of each whether it fits the model that is loaded, and why not', async () => {
    const desk = createPromptDesk();
    await desk.savePrompt(prompt());
    const one = async (loaded: PromptModel | undefined) => (await desk.savedPrompts(loaded))[0]!;
    expect(await one(undefined)).toMatchObject({ fits: false, reason: 'Load a model first.' });
    expect(await one({ ...model, width: 8, name: 'wider' })).toMatchObject({
      fits: false,
      reason: expect.stringContaining('"wider" is 8 wide'),
    });
    expect(await one({ ...model, fingerprint: 'other' })).toMatchObject({
      fits: true,
      notes: [expect.stringContaining('another edition')],
    });
  });

  it('renames, deletes and brings back', async () => {
    const desk = createPromptDesk();
    const { id } = await desk.savePrompt(prompt());
    await desk.savePrompt(prompt({ name: 'second' }));
    await desk.renamePrompt(id, 'first');
    const names = async () => (await desk.savedPrompts(model)).map(({ name }) => name);
    expect(await names()).toEqual(['second', 'first']);
    await desk.deletePrompt(id);
    expect(await names()).toEqual(['second']);
    await expect(desk.get(id)).rejects.toMatchObject({ code: 'storage' });
    await expect(desk.deletePrompt(id)).rejects.toMatchObject({ code: 'storage' });
    await expect(desk.renamePrompt(id, 'x')).rejects.toMatchObject({ code: 'storage' });
    await desk.restorePrompt(id);
    expect(await names()).toEqual(['second', 'first']);
    await expect(desk.restorePrompt(id)).rejects.toMatchObject({ code: 'storage' });
  });

  it.each([
    ['json', 'film-reviews-p20.prelude.json'],
    ['npy', 'film-reviews-p20.npy'],
    ['peft', 'film-reviews-p20-peft.zip'],
  ] as const)('exports as %s and reads the very same numbers back', async (format, name) => {
    const desk = createPromptDesk();
    const file = desk.exportPrompt(prompt(), format);
    expect(file.name).toBe(name);
    const saved = await desk.importPrompt([asFile(file)], model);
    expect(saved).toMatchObject({ length: 20, width: 4, fits: true });
    expect((await desk.get(saved.id)).values).toEqual(prompt().values);
    // The array alone does not say what it was learned for.
    expect(saved.notes.some((note) => note.includes('labels'))).toBe(format === 'npy');
    expect(saved.notes.some((note) => note.includes('cannot be checked'))).toBe(format === 'npy');
  });

  it('has a script for each form, which looks for the file of that name beside it', () => {
    const desk = createPromptDesk();
    const script = (format: 'peft' | 'npy' | 'json') => {
      const { name, bytes } = desk.exportScript(prompt(), format);
      return { name, text: new TextDecoder().decode(bytes) };
    };
    expect(script('peft')).toMatchObject({
      name: 'predict.py',
      text: expect.stringContaining('PeftModel.from_pretrained(model, PROMPT)'),
    });
    for (const format of ['npy', 'json'] as const) {
      const { name, text } = script(format);
      expect(name).toBe('film-reviews-p20.predict.py');
      expect(text).toContain(`"${desk.exportPrompt(prompt(), format).name}"`);
      expect(text).toContain(`python ${name} MODEL`);
      expect(text).not.toContain('peft');
    }
  });

  it.each([
    ['Ça va? / näher: "x"', 'ça-va-näher-x-p20.npy'],
    ['../../etc/passwd', 'etc-passwd-p20.npy'],
    ['***', 'prompt-p20.npy'],
    ['my-p20', 'my-p20.npy'],
    ['感情分析', '感情分析-p20.npy'],
    ['x'.repeat(300), `${'x'.repeat(60)}-p20.npy`],
  ])('names the file of %s safely', (name, file) => {
    expect(createPromptDesk().exportPrompt(prompt({ name }), 'npy').name).toBe(file);
  });

  it('refuses files that are no prompt for this model, and keeps nothing of them', async () => {
    const desk = createPromptDesk();
    const of = (changes: Partial<SoftPrompt>) => [asFile(desk.exportPrompt(prompt(changes), 'json'))];
    await expect(desk.importPrompt(of({ width: 8 }), model)).rejects.toMatchObject({
      code: 'prompt-mismatch',
    });
    await expect(desk.importPrompt(of({ length: 151 }), model)).rejects.toMatchObject({
      code: 'bad-prompt',
      message: expect.stringContaining('151 virtual tokens'),
    });
    await expect(desk.importPrompt(of({}), undefined)).rejects.toMatchObject({
      code: 'prompt-mismatch',
      remedy: expect.stringContaining('Load a model'),
    });
    await expect(desk.importPrompt([new File(['text,label'], 'a.csv')], model)).rejects.toMatchObject({
      code: 'bad-prompt',
    });
    expect(await desk.savedPrompts(model)).toEqual([]);
    expect((await desk.importPrompt(of({ length: 150 }), model)).length).toBe(150);
  });

  it('goes on without storage, and says so', async () => {
    const desk = createPromptDesk(() => Promise.reject(new Error('blocked')));
    const first = await desk.savePrompt(prompt(), model);
    expect(first.notes).toEqual([expect.stringContaining('until this page is closed')]);
    const second = await desk.savePrompt(prompt(), model);
    expect([first.name, second.name]).toEqual(['Film reviews', 'Film reviews 2']);
    await desk.renamePrompt(second.id, 'Film reviews');
    await desk.deletePrompt(first.id);
    await expect(desk.get(first.id)).rejects.toMatchObject({ code: 'storage' });
    await desk.restorePrompt(first.id);
    expect((await desk.savedPrompts(model)).map(({ id }) => id)).toEqual([second.id, first.id]);
    expect((await desk.get(first.id)).values).toEqual(prompt().values);
    expect(await (await openPromptStore()).list()).toEqual([]);
  });
});
