/** Python lines that load a downloaded prompt where it was learned to be used: in Hugging Face transformers. */
import type { ExportFormat } from '../../../worker/protocol.ts';

export interface PythonFacts {
  /** The downloaded file's name. */
  file: string;
  /** P and d. */
  length: number;
  width: number;
  /** As people call the model; the lines say that a folder or hub id belongs there. */
  model: string;
  /** A decoder alone, or an encoder and a decoder. */
  causal: boolean;
  /** The text as the template has it, for the example. */
  template: string;
}

export function pythonLines(format: ExportFormat, facts: PythonFacts): string {
  const file = JSON.stringify(facts.file);
  const text = JSON.stringify(
    facts.template.replaceAll('{text2}', 'your second text').replaceAll('{text}', 'your text'),
  );
  const auto = facts.causal ? 'AutoModelForCausalLM' : 'AutoModelForSeq2SeqLM';
  const head = [
    `from transformers import ${auto}, AutoTokenizer`,
    '',
    `MODEL = ${JSON.stringify(facts.model)}  # its folder or hub id`,
    'tokenizer = AutoTokenizer.from_pretrained(MODEL)',
    `model = ${auto}.from_pretrained(MODEL).float().eval()`,
  ];
  const shape = `# [${facts.length}, ${facts.width}], float32`;
  const byHand = [
    `ids = tokenizer(${text}, return_tensors="pt").input_ids`,
    'embedded = torch.cat([prompt[None], model.get_input_embeddings()(ids)], dim=1)',
    'mask = torch.ones(embedded.shape[:2], dtype=torch.long)',
    'answer = model.generate(inputs_embeds=embedded, attention_mask=mask, max_new_tokens=8)',
    'print(tokenizer.decode(answer[0], skip_special_tokens=True))',
  ];
  switch (format) {
    case 'peft': {
      const folder = JSON.stringify(facts.file.replace(/\.zip$/, ''));
      return [
        'from zipfile import ZipFile',
        'from peft import PeftModel',
        ...head,
        '',
        `ZipFile(${file}).extractall(${folder})`,
        `model = PeftModel.from_pretrained(model, ${folder}).eval()`,
        `inputs = tokenizer(${text}, return_tensors="pt")`,
        'answer = model.generate(**inputs, max_new_tokens=8)',
        'print(tokenizer.decode(answer[0], skip_special_tokens=True))',
      ].join('\n');
    }
    case 'npy':
      return [
        'import numpy, torch',
        ...head,
        '',
        `prompt = torch.from_numpy(numpy.load(${file}))  ${shape}`,
        ...byHand,
      ].join('\n');
    case 'json':
      return [
        'import base64, json, numpy, torch',
        ...head,
        '',
        `kept = json.load(open(${file}, encoding="utf-8"))  # also: kept["task"], kept["recipe"], kept["metrics"]`,
        'values = numpy.frombuffer(base64.b64decode(kept["values"]), dtype="<f4").copy()',
        `prompt = torch.from_numpy(values.reshape(kept["shape"]))  ${shape}`,
        ...byHand,
      ].join('\n');
  }
}
