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
    script(prompt, { model: literal(prompt.model.name), adapter: '"."', text: '"your text"' }),
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

/** `predict.py` of an adapter folder: `python predict.py MODEL "your text" ["your second text"]` prints the label. */
export function predictScript(prompt: SoftPrompt): string {
  const words = {
    model: 'sys.argv[1]',
    adapter: 'os.path.dirname(os.path.abspath(__file__))',
    text: '*sys.argv[2:]',
  };
  return `# pip install torch transformers peft, then: python predict.py MODEL "your text"\nimport os, sys\n${script(prompt, words)}\n`;
}

/**
 * Python that loads the adapter with PEFT and, as Prelude does, ranks the labels by the log-likelihood of their words.
 * @param words expressions that stand for the model, the adapter's folder and the text
 */
function script(prompt: SoftPrompt, words: { model: string; adapter: string; text: string }): string {
  const { task } = prompt;
  const seq2seq = isEncoderDecoder(prompt.model.family);
  const auto = seq2seq ? 'AutoModelForSeq2SeqLM' : 'AutoModelForCausalLM';
  const head = [
    'import torch',
    'from peft import PeftModel',
    `from transformers import ${auto}, AutoTokenizer`,
    `MODEL, ADAPTER = ${words.model}, ${words.adapter}`,
    'tokenizer = AutoTokenizer.from_pretrained(MODEL)',
    `model = PeftModel.from_pretrained(${auto}.from_pretrained(MODEL).float(), ADAPTER).eval()`,
  ];
  if (!task)
    return [
      ...head,
      `inputs = tokenizer(" ".join([${words.text}]), return_tensors="pt")`,
      'print(tokenizer.decode(model.generate(**inputs, max_new_tokens=20)[0], skip_special_tokens=True))',
    ].join('\n');
  const answers = `{${task.labels.map((l) => `${literal(l.label)}: ${literal((task.answerPrefix ?? '') + l.text)}`).join(', ')}}`;
  const eos = task.appendEos ? ' + [tokenizer.eos_token_id]' : '';
  return [
    ...head,
    `TEMPLATE, WORDS = ${literal(task.template)}, ${answers}`,
    'def score(text, word, text2=""):  # log p(word | prompt, text)',
    `    x = tokenizer(TEMPLATE.replace("{text2}", text2).replace("{text}", text)).input_ids`,
    `    y = tokenizer(word, add_special_tokens=False).input_ids${eos}`,
    seq2seq
      ? '    return -len(y) * model(input_ids=torch.tensor([x]), labels=torch.tensor([y])).loss.item()'
      : '    return -len(y) * model(input_ids=torch.tensor([x + y]), labels=torch.tensor([[-100] * len(x) + y])).loss.item()',
    'def predict(text, text2=""):',
    '    return max(WORDS, key=lambda label: score(text, WORDS[label], text2))',
    `print(predict(${words.text}))`,
  ].join('\n');
}

function oneLine(value: string): string {
  return value.replace(/\s+/g, ' ').trim();
}
