import { expect, it } from 'vitest';
import { pythonLines } from './python.ts';

const facts = {
  file: 'a "b".npy',
  length: 20,
  width: 128,
  model: 'nano-T5 small',
  causal: false,
  template: 'q: {text}',
};

it('quotes names and fills the template', () => {
  const lines = pythonLines('npy', facts);
  expect(lines).toContain('numpy.load("a \\"b\\".npy"))  # [20, 128], float32');
  expect(lines).toContain('tokenizer("q: your text", return_tensors="pt")');
});

it('unpacks the zip into a folder of its name', () => {
  const lines = pythonLines('peft', { ...facts, file: 'reviews-peft.zip' });
  expect(lines).toContain('ZipFile("reviews-peft.zip").extractall("reviews-peft")');
  expect(lines).toContain('PeftModel.from_pretrained(model, "reviews-peft")');
});

it('takes the class of a decoder for one', () => {
  expect(pythonLines('peft', { ...facts, causal: true })).toContain('AutoModelForCausalLM.from_pretrained');
  expect(pythonLines('peft', facts)).toContain('AutoModelForSeq2SeqLM.from_pretrained');
});

it('reads JSON as prompts/json.ts writes it', () => {
  expect(pythonLines('json', facts)).toContain('base64.b64decode(kept["values"]), dtype="<f4"');
});
