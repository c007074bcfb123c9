import fc from 'fast-check';
import { unzipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import { writeSafetensors } from '../weights/index.ts';
import { importPrompt, importPromptFiles } from './import.ts';
import { adapterFiles, exportPeft } from './peft.ts';
import { anyPrompt, bitsOf, failure, samplePrompt, testdata } from './testing.ts';
import type { NamedBytes } from './types.ts';
import { writeZip } from './zip.ts';

/** First `count` float32 after the header of a safetensors file, read by hand. */
function rowsOf(file: Uint8Array, count: number): Float32Array {
  const start = 8 + new DataView(file.buffer).getUint32(0, true);
  return new Float32Array(file.slice(start, start + count * 4).buffer);
}
const reference = (name: string): NamedBytes[] =>
  ['adapter_config.json', 'adapter_model.safetensors'].map((file) => ({
    name: file,
    bytes: testdata(`${name}/${file}`),
  }));
const loose = (files: NamedBytes[]) =>
  importPromptFiles(files.map(({ name, bytes }) => ({ name, data: new Blob([Uint8Array.from(bytes)]) })));
const zipped = (files: NamedBytes[]) => importPrompt({ name: 'film reviews.zip', data: writeZip(files) });

/** The reference adapter with its config changed. */
function withConfig(change: Record<string, unknown>, name = 't5-v1.1-prompt_default'): NamedBytes[] {
  const [config, weights] = reference(name) as [NamedBytes, NamedBytes];
  const changed = { ...JSON.parse(new TextDecoder().decode(config.bytes)), ...change };
  return [{ name: config.name, bytes: new TextEncoder().encode(JSON.stringify(changed)) }, weights];
}

describe('adapters written by PEFT', () => {
  test('num_transformer_submodules 1: all rows', async () => {
    const files = reference('t5-v1.1-prompt');
    for (const read of [await loose(files), await zipped(files)]) {
      expect(read).toMatchObject({ source: 'peft', length: 5, width: 40, notes: [] });
      expect(read.model).toEqual({ name: 'models/t5-v1.1', encoderDecoder: true });
      expect(read.unknown).toEqual(['task', 'recipe', 'metrics']);
      expect(read.values).toEqual(rowsOf(files[1]!.bytes, 200));
    }
  });

  test.each([2, null, undefined])('num_transformer_submodules %s: the first half', async (submodules) => {
    const files = withConfig({ num_transformer_submodules: submodules });
    const read = await loose(files);
    expect([read.length, read.width]).toEqual([5, 40]);
    expect(read.values).toEqual(rowsOf(files[1]!.bytes, 200));
    expect(read.notes.join()).toMatch(/10 rows for 5 virtual tokens.*the first 5 were taken/);
  });

  test('P-tuning: its saved output is a prompt', async () => {
    const files = reference('llama-ptuning_mlp');
    const read = await loose(files);
    expect([read.length, read.width, read.model.encoderDecoder]).toEqual([5, 48, false]);
    expect(read.values).toEqual(rowsOf(files[1]!.bytes, 240));
    expect(read.notes.join()).toContain('P-tuning');
  });

  test('a bare adapter_model.safetensors: all rows, with a word on it', async () => {
    const read = await importPrompt({
      name: 'x.bin',
      data: testdata('t5-v1.1-prompt_default/adapter_model.safetensors'),
    });
    expect([read.source, read.length, read.width]).toEqual(['safetensors', 10, 40]);
    expect(read.notes.join()).toContain('only the first half has learned');
    expect(read.unknown).toContain('model');
  });

  test.each([
    ['LORA', { peft_type: 'LORA' }, 'type is LORA (LoRA'],
    ['PREFIX_TUNING', { peft_type: 'PREFIX_TUNING' }, 'PREFIX_TUNING (prefix tuning'],
    ['IA3', { peft_type: 'IA3' }, 'IA3'],
    ['an unheard-of type', { peft_type: 'toString' }, 'type is toString;'],
    ['no type', { peft_type: 7 }, 'no "peft_type"'],
    ['a classifier', { task_type: 'SEQ_CLS' }, 'SEQ_CLS'],
    ['replaced modules', { modules_to_save: ['lm_head'] }, 'modules_to_save'],
    ['another width', { token_dim: 41 }, 'token_dim 41, the tensor is 40 wide'],
    ['another length', { num_virtual_tokens: 4 }, '4 virtual tokens (times 2), the tensor has 10 rows'],
    ['one submodule, twice the rows', { num_transformer_submodules: 1 }, 'the tensor has 10 rows'],
    ['causal, twice the rows', { task_type: 'CAUSAL_LM', num_transformer_submodules: null }, 'has 10 rows'],
    ['a length of 0', { num_virtual_tokens: 0 }, 'whole number from 1 up'],
    ['no length', { num_virtual_tokens: null }, 'is missing'],
  ])('refuses %s', async (_, change, what) => {
    const error = await failure(() => loose(withConfig(change)));
    expect(error.code).toBe('bad-prompt');
    expect(error.message).toContain(what);
  });

  test.each([
    ['LoRA tensors', 'base_model.q.lora_A.weight', [2, 3], 'F32', 'this is a LoRA adapter'],
    ['another tensor', 'shared.weight', [2, 3], 'F32', 'no tensor "prompt_embeddings"'],
    ['one axis', 'prompt_embeddings', [6], 'F32', 'shape [6]'],
    ['no rows', 'prompt_embeddings', [0, 3], 'F32', 'shape [0, 3]'],
    ['integers', 'prompt_embeddings', [2, 3], 'I32', 'no floating-point'],
  ] as const)('refuses %s in a bare file', async (_, name, shape, dtype, what) => {
    const size = shape.reduce<number>((a, b) => a * b, 4);
    const data = writeSafetensors([{ name, dtype, shape, data: new Uint8Array(size) }]);
    const error = await failure(() => importPrompt({ name: 'x', data }));
    expect(error.code).toBe('bad-prompt');
    expect(error.message).toContain(what);
  });

  test('bfloat16 is converted, NaN refused', async () => {
    const file = (bits: number) =>
      writeSafetensors([
        {
          name: 'prompt_embeddings',
          dtype: 'BF16',
          shape: [1, 1],
          data: Uint8Array.of(bits & 255, bits >> 8),
        },
      ]);
    const read = await importPrompt({ name: 'x', data: file(0xc0a0) });
    expect([...read.values]).toEqual([-5]);
    expect(read.notes).toContain('Converted from BF16 to float32.');
    expect((await failure(() => importPrompt({ name: 'x', data: file(0x7fc0) }))).message).toContain('NaN');
  });
});

describe('adapters written here', () => {
  test('have the files, keys and values that PEFT writes', () => {
    const files = unzipSync(exportPeft(samplePrompt()));
    expect(Object.keys(files)).toEqual([
      'adapter_config.json',
      'adapter_model.safetensors',
      'README.md',
      'prelude.json',
      'predict.py',
    ]);
    const json = (bytes: Uint8Array) => JSON.parse(new TextDecoder().decode(bytes));
    const ours = json(files['adapter_config.json']!);
    const theirs = json(testdata('t5-v1.1-prompt/adapter_config.json'));
    expect(ours).toEqual({
      ...theirs,
      base_model_name_or_path: 'nano-t5/tiny',
      num_attention_heads: 6,
      num_layers: 4,
      num_virtual_tokens: 2,
      token_dim: 3,
    });
    const causal = samplePrompt();
    causal.model.family = 'llama';
    expect(json(adapterFiles(causal)[0]!.bytes)).toMatchObject({ task_type: 'CAUSAL_LM' });
  });

  test('their tensor file is byte for byte what PEFT saved for the same rows', async () => {
    const theirs = testdata('t5-v1.1-prompt/adapter_model.safetensors');
    const prompt = samplePrompt({ length: 5, width: 40, values: rowsOf(theirs, 200) });
    expect(unzipSync(exportPeft(prompt))['adapter_model.safetensors']).toEqual(theirs);
  });

  test('come back bit for bit with all that was known, and are the same bytes each time', async () => {
    await fc.assert(
      fc.asyncProperty(anyPrompt, async (prompt) => {
        const zip = exportPeft(prompt);
        expect(exportPeft(prompt)).toEqual(zip);
        const read = await importPrompt({ name: 'any name at all', data: zip });
        expect(bitsOf(read.values)).toEqual(bitsOf(prompt.values));
        expect(read).toMatchObject({
          source: 'peft',
          length: prompt.length,
          width: prompt.width,
          notes: [],
          unknown: [],
        });
        expect(read.model).toEqual(prompt.model);
        expect(read.task).toEqual(prompt.task);
        expect(read.recipe).toEqual(prompt.recipe);
        expect([read.step, read.createdAt]).toEqual([prompt.step, prompt.createdAt]);
      }),
      { numRuns: 40 },
    );
  });

  test('the script takes the model and the text as arguments; a decoder’s answers begin with what its tokens want', () => {
    const own = samplePrompt();
    const labels = [{ label: 'good', text: 'positive' }];
    const script = (family: string, answerPrefix?: string) => {
      const task = { template: '{text}', labels, appendEos: false, answerPrefix };
      const files = adapterFiles(samplePrompt({ model: { ...own.model, family }, task }));
      return new TextDecoder().decode(files.find(({ name }) => name === 'predict.py')!.bytes);
    };
    expect(script('t5')).toContain('WORDS = "{text}", {"good": "positive"}');
    expect(script('llama', ' ')).toContain('WORDS = "{text}", {"good": " positive"}');
    expect(script('llama', ' ')).toContain('AutoModelForCausalLM.from_pretrained(MODEL)');
    expect(script('t5')).toMatch(
      /MODEL, PROMPT = sys\.argv\[1\].*\n[\s\S]*print\(predict\(\*sys\.argv\[2:\]\)\)\n$/,
    );
  });

  test('trained on elsewhere: the new rows, and prelude.json left out', async () => {
    const files = adapterFiles(samplePrompt());
    const newer = adapterFiles(samplePrompt({ values: new Float32Array(6).fill(2) }));
    const read = await zipped([files[0]!, newer[1]!, files[3]!]);
    expect([...read.values]).toEqual([2, 2, 2, 2, 2, 2]);
    expect(read.task).toBeUndefined();
    expect(read.notes.join()).toContain('left out');
  });

  test('the run card quotes what people typed so that it stays text', () => {
    const prompt = samplePrompt({ name: 'a\n# b' });
    prompt.task!.template = '"""\n```\nimport os\n{text}';
    const card = new TextDecoder().decode(adapterFiles(prompt)[2]!.bytes);
    expect(card).toContain('\n# a # b\n');
    expect(card.match(/^```/gm)).toHaveLength(2);
    expect(card).not.toMatch(/^import os/m);
    expect(card).toContain('84.2 % on 177 examples, 95 % interval 78.0 % to 89.0 %');
  });
});
