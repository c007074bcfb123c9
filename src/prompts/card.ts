import type { SoftPrompt } from './types.ts';

const encoderDecoderFamilies = new Set(['t5', 'mt5', 'umt5', 'longt5', 'bart', 'mbart', 'pegasus']);

/** Whether a family (`model_type`) has an encoder that the prompt goes into. */
export function isEncoderDecoder(family: string): boolean {
  return encoderDecoderFamilies.has(family);
}

/** The README of an adapter folder: what the prompt is, how it did, and Python lines that predict with it. */
export function runCard(prompt: SoftPrompt): string {
  const title = oneLine(prompt.name);
  return [
    '---',
    `base_model: ${JSON.stringify(prompt.model.name)}`,
    'library_name: peft',
    'tags:',
    '- prompt-tuning',
    '---',
    '',
    `# ${title}`,
    '',
    `A soft prompt of ${prompt.length} virtual tokens, ${prompt.width} wide (${prompt.length * prompt.width} numbers), learned in Prelude`,
    'by prompt tuning (Lester, Al-Rfou, Constant 2021). The model it was learned on stays as it is and is needed beside it.',
    '',
    ...facts(prompt),
    '',
    '## Use',
    '',
    '`MODEL` is the hub id or the folder of that very model; `ADAPTER` is the folder of this file.',
    '',
    '```python',
    script(prompt, 'peft', { model: literal(prompt.model.name), file: '"."', text: '"your text"' }),
    '```',
    '',
    '`predict.py` is the same to run: `python predict.py MODEL "your text"`.',
    '',
    '`prelude.json` holds the same prompt with its recipe: Prelude opens this folder as a zip, the zip, or that file.',
    '',
  ].join('\n');
}

function facts(prompt: SoftPrompt): string[] {
  const { model, task, metrics = {} } = prompt;
  const share = (x: number) => `${(100 * x).toFixed(1)} %`;
  const rows: [string, string | undefined][] = [
    ['model', `${model.name} (${model.family}, width ${model.width}, vocabulary ${model.vocabSize})`],
    ['fingerprint', model.fingerprint],
    ['learned', `${prompt.createdAt}, step ${prompt.step}`],
    ['template', task?.template],
    [
      'labels',
      task?.labels.map((l) => (l.label === l.text ? l.label : `${l.label} -> ${l.text}`)).join(', '),
    ],
    ['dev accuracy', metrics.devAccuracy === undefined ? undefined : share(metrics.devAccuracy)],
    ['test accuracy', metrics.testAccuracy === undefined ? undefined : testLine()],
    ['majority class', metrics.majorityAccuracy === undefined ? undefined : share(metrics.majorityAccuracy)],
    ['untuned model', metrics.untunedAccuracy === undefined ? undefined : share(metrics.untunedAccuracy)],
  ];
  function testLine(): string {
    const { testAccuracy, testLow, testHigh, testExamples } = metrics;
    const interval =
      testLow === undefined || testHigh === undefined
        ? ''
        : `, 95 % interval ${share(testLow)} to ${share(testHigh)}`;
    const n = testExamples === undefined ? '' : ` on ${testExamples} examples`;
    return `${share(testAccuracy!)}${n}${interval}`;
  }
  const cell = (x: string) => oneLine(x).replaceAll('|', '\\|');
  const lines = rows.flatMap(([key, value]) => (value ? [`| ${key} | ${cell(value)} |`] : []));
  return ['| | |', '|---|---|', ...lines];
}

/** JSON's string literals are Python's too. */
const literal = (value: string) => JSON.stringify(value);

/** The files a prompt is downloaded as. */
export type PromptForm = 'peft' | 'npy' | 'json';

/** How Python brings a model and a prompt file together, and what reads `ids` (a list of token ids) behind the prompt then. */
const FORMS: Record<
  PromptForm,
  { packages: string; imports: string[]; load: string[]; input(ids: string): string }
> = {
  peft: {
    packages: 'torch transformers peft',
    imports: ['import torch', 'from peft import PeftModel'],
    load: ['model = PeftModel.from_pretrained(model, PROMPT).eval()'],
    input: (ids) => `input_ids=torch.tensor([${ids}])`,
  },
  npy: {
    packages: 'torch transformers numpy',
    imports: ['import numpy, torch'],
    load: ['prompt = torch.from_numpy(numpy.load(PROMPT))'],
    input: behindPrompt,
  },
  json: {
    packages: 'torch transformers numpy',
    imports: ['import base64, json, numpy, torch'],
    load: [
      'kept = json.load(open(PROMPT, encoding="utf-8"))',
      'values = numpy.frombuffer(base64.b64decode(kept["values"]), dtype="<f4").copy()',
      'prompt = torch.from_numpy(values.reshape(kept["shape"]))',
    ],
    input: behindPrompt,
  },
};

/** As PEFT does: the prompt's rows before the words' embeddings. */
function behindPrompt(ids: string): string {
  return `inputs_embeds=torch.cat([prompt, model.get_input_embeddings()(torch.tensor(${ids}))])[None]`;
}

/**
 * `predict.py` of a download: `python predict.py MODEL "your text" ["your second text"]` prints the label.
 * @param file name of the prompt's file, which lies beside the script; of an adapter the script lies in its folder
 * @param name of the script itself
 */
export function predictScript(prompt: SoftPrompt, form: PromptForm, file = '', name = 'predict.py'): string {
  const here = 'os.path.dirname(os.path.abspath(__file__))';
  const words = {
    model: 'sys.argv[1]',
    file: form === 'peft' ? here : `os.path.join(${here}, ${literal(file)})`,
    text: '*sys.argv[2:]',
  };
  return `# pip install ${FORMS[form].packages}, then: python ${name} MODEL "your text"\nimport os, sys\n${script(prompt, form, words)}\n`;
}

/**
 * Python that puts the prompt before the model and, as Prelude does, ranks the labels by the log-likelihood of their words.
 * @param words expressions that stand for the model, the prompt's file (of an adapter: its folder) and the text
 */
function script(
  prompt: SoftPrompt,
  form: PromptForm,
  words: { model: string; file: string; text: string },
): string {
  const { task } = prompt;
  const { imports, load, input } = FORMS[form];
  const seq2seq = isEncoderDecoder(prompt.model.family);
  const auto = seq2seq ? 'AutoModelForSeq2SeqLM' : 'AutoModelForCausalLM';
  const head = [
    ...imports,
    `from transformers import ${auto}, AutoTokenizer`,
    `MODEL, PROMPT = ${words.model}, ${words.file}`,
    'tokenizer = AutoTokenizer.from_pretrained(MODEL)',
    `model = ${auto}.from_pretrained(MODEL).float().eval()`,
    ...load,
  ];
  if (!task)
    return [
      ...head,
      `ids = tokenizer(" ".join([${words.text}])).input_ids`,
      `print(tokenizer.decode(model.generate(${input('ids')}, max_new_tokens=20)[0], skip_special_tokens=True))`,
    ].join('\n');
  const answers = `{${task.labels.map((l) => `${literal(l.label)}: ${literal((task.answerPrefix ?? '') + l.text)}`).join(', ')}}`;
  const eos = task.appendEos ? ' + [tokenizer.eos_token_id]' : '';
  // No labels for what is read: PEFT adds those of the prompt's rows itself.
  const unread = form === 'peft' ? '[-100] * len(x)' : '[-100] * (len(prompt) + len(x))';
  return [
    ...head,
    `TEMPLATE, WORDS = ${literal(task.template)}, ${answers}`,
    'def score(text, word, text2=""):  # log p(word | prompt, text)',
    `    x = tokenizer(TEMPLATE.replace("{text2}", text2).replace("{text}", text)).input_ids`,
    `    y = tokenizer(word, add_special_tokens=False).input_ids${eos}`,
    seq2seq
      ? `    return -len(y) * model(${input('x')}, labels=torch.tensor([y])).loss.item()`
      : `    return -len(y) * model(${input('x + y')}, labels=torch.tensor([${unread} + y])).loss.item()`,
    'def predict(text, text2=""):',
    '    return max(WORDS, key=lambda label: score(text, WORDS[label], text2))',
    `print(predict(${words.text}))`,
  ].join('\n');
}

function oneLine(value: string): string {
  return value.replace(/\s+/g, ' ').trim();
}
