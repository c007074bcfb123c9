import { describe, expect, it } from 'vitest';
import { findOwnModel, type OwnModel } from './ownModel.ts';

const file = (name: string, bytes = 10) => new File([new Uint8Array(bytes)], name);

describe('findOwnModel', () => {
  it('takes what the engine needs and counts the rest', () => {
    const model = findOwnModel(
      [
        file('README.md'),
        file('model-00002-of-00002.safetensors', 20),
        file('tokenizer.json', 5),
        file('config.json', 1),
        file('model-00001-of-00002.safetensors', 30),
        file('model.safetensors.index.json', 2),
        file('tokenizer_config.json', 1),
      ],
      'my-t5',
    ) as OwnModel;
    expect(model.name).toBe('my-t5');
    expect(model.files.filter((f) => /\.safetensors$/.test(f.name)).map((f) => f.name)).toEqual([
      'model-00001-of-00002.safetensors',
      'model-00002-of-00002.safetensors',
    ]);
    expect(model.bytes).toBe(59);
    expect(model.files.map((f) => f.name)).toContain('tokenizer_config.json');
    expect(model.ignored).toBe(1);
  });

  it('names what is missing', () => {
    expect(findOwnModel([file('config.json')])).toMatchObject({
      code: 'bad-config',
      message: 'model.safetensors and tokenizer.json are missing.',
      where: 'config.json',
    });
  });

  it('does not take a prompt adapter for weights', () => {
    expect(
      findOwnModel([file('config.json'), file('tokenizer.json'), file('adapter_model.safetensors')]),
    ).toMatchObject({ message: 'model.safetensors is missing.' });
  });

  it('takes PyTorch weights and a SentencePiece file where there is nothing newer', () => {
    const own = findOwnModel([file('config.json'), file('spiece.model'), file('pytorch_model.bin')]);
    expect('files' in own && own.files.map((f) => f.name)).toEqual([
      'config.json',
      'spiece.model',
      'pytorch_model.bin',
    ]);
    const both = findOwnModel([
      file('config.json'),
      file('tokenizer.json'),
      file('spiece.model'),
      file('pytorch_model.bin'),
      file('model.safetensors'),
    ]);
    expect('files' in both && both.files.map((f) => f.name)).toEqual([
      'config.json',
      'tokenizer.json',
      'model.safetensors',
    ]);
  });

  it('takes one GGUF file as a whole model, and asks which of two', () => {
    expect(findOwnModel([file('smol.gguf', 9), file('README.md')])).toMatchObject({
      name: 'smol.gguf',
      bytes: 9,
      ignored: 1,
    });
    expect(findOwnModel([file('a.gguf'), file('b.gguf')])).toMatchObject({
      message: 'There are 2 GGUF files; one is a model.',
    });
  });
});
