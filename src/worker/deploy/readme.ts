import type { SoftPrompt } from '../../prompts/index.ts';
import type { DeployedTask } from './files.ts';

const oneLine = (text: string) => text.replace(/\s+/g, ' ').trim();

/** What the folder is, and how it predicts. */
export function readme(
  prompt: SoftPrompt,
  task: DeployedTask,
  { weightsBeside, withModel }: { weightsBeside: boolean; withModel: boolean },
): string {
  const { model, metrics } = prompt;
  const modelFiles = weightsBeside ? '`model.onnx` and `model.onnx.data`' : '`model.onnx`';
  const accuracy = metrics?.testAccuracy ?? metrics?.devAccuracy;
  return [
    `# ${oneLine(prompt.name)}`,
    '',
    `A soft prompt of ${prompt.length} virtual tokens for ${oneLine(model.name)}, learned in Prelude by prompt tuning (Lester et al. 2021).`,
    'It answers with one of these labels:',
    '',
    ...task.labels.map(({ label, text }) =>
      label === text ? `- ${oneLine(label)}` : `- ${oneLine(label)} (the model says "${oneLine(text)}")`,
    ),
    '',
    ...(accuracy === undefined
      ? []
      : [
          `Right on ${(100 * accuracy).toFixed(1)} % of the ${metrics?.testAccuracy === undefined ? 'dev' : 'test'} rows in Prelude.`,
          '',
        ]),
    '## The model',
    '',
    withModel
      ? `${modelFiles}: the frozen model. It takes the prompt as an input (\`prompt\` [tokens, ${prompt.width}]), so that one file serves every prompt that was learned on it.`
      : `This download is without the model. Put ${modelFiles} of ${oneLine(model.name)} into this folder: from an earlier download with the model, or from Prelude, Prompt station, "Download with the model". One file serves every prompt that was learned on it.`,
    `Its weights have the fingerprint \`${model.fingerprint}\`.`,
    '',
    '## Predict',
    '',
    'In Node 20 or later:',
    '',
    '```',
    'npm install',
    'node predict.mjs "your text"',
    '```',
    '',
    'On a page: `npm install`, then serve this folder with any static server (`npx serve`) and open it. Nothing leaves the browser.',
    '',
    'In Python:',
    '',
    '```',
    'pip install onnxruntime tokenizers numpy',
    'python predict.py "your text"',
    '```',
    '',
    '| file | what it is |',
    '|---|---|',
    '| `prompt.npy` | the learned prompt, float32 |',
    '| `task.json` | template, labels and the token ids of their answers |',
    '| `tokenizer.json`, `tokenizer_config.json` | the model’s own tokenizer |',
    '| `predict.js` | reads, scores and ranks the labels; page and Node share it |',
    '',
  ].join('\n');
}
