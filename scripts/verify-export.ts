/**
 * Checks exported prompts with the libraries they are meant for, from outside:
 *
 *     npx tsx scripts/verify-export.ts [REFERENCE_DIR] [MODEL_DIR]
 *
 * 1. For every reference case (each family, prompts of 1, 5 and 20 tokens), the case's prompt goes through `exportPeft`, is unzipped
 *    into a temporary folder, and PEFT's own forward pass must give the case's loss and logits (`tools/verify_peft.py` beside the
 *    reference folder).
 * 2. `numpy.load` must read `exportNpy`'s file bit for bit, and `numpy.save` must write the same bytes.
 * 3. The Python lines of the run card must run as they stand on MODEL_DIR (a T5 with its tokenizer), and their scores must
 *    be those of transformers with the prompt put before the embedded input by hand. `predict.py` of each download (the adapter's
 *    zip, `.npy`, JSON) must print the same label and the same scores.
 *
 * What Python packages, reference or model are missing for is named as skipped. Exit status 1 when anything fails.
 */
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { unzipSync } from 'fflate';
import { exportJson, exportNpy, exportPeft, predictScript, type SoftPrompt } from '../src/prompts/index.ts';
import { bytesSource, openSafetensors, toFloat32 } from '../src/weights/index.ts';

const reference = resolve(process.argv[2] ?? '../shared/reference');
const nano = resolve(process.argv[3] ?? '../shared/models/nano-t5/tiny');

interface ModelConfig {
  model_type: string;
  vocab_size: number;
  d_model?: number;
  hidden_size?: number;
  n_embd?: number;
  num_layers?: number;
  num_hidden_layers?: number;
  n_layer?: number;
  num_heads?: number;
  num_attention_heads?: number;
  n_head?: number;
}

/** Runs Python; `output` is what it printed, with its complaints where it failed. */
function python(args: string[], cwd?: string): { ok: boolean; output: string } {
  const run = spawnSync('python3', args, {
    encoding: 'utf8',
    cwd,
    env: { ...process.env, HF_HUB_OFFLINE: '1' },
  });
  const ok = run.status === 0;
  return { ok, output: `${run.stdout ?? ''}${ok ? '' : (run.stderr ?? '')}`.trim() };
}

/** A prompt for the model in a folder; shape and values as given. */
function promptFor(modelDir: string, values: Float32Array, more: Partial<SoftPrompt> = {}): SoftPrompt {
  const config = JSON.parse(readFileSync(join(modelDir, 'config.json'), 'utf8')) as ModelConfig;
  const width = config.d_model ?? config.hidden_size ?? config.n_embd ?? 0;
  return {
    name: 'verify export',
    length: values.length / width,
    width,
    values,
    model: {
      name: modelDir,
      fingerprint: '',
      family: config.model_type,
      width,
      vocabSize: config.vocab_size,
      numLayers: config.num_layers ?? config.num_hidden_layers ?? config.n_layer ?? 0,
      numHeads: config.num_heads ?? config.num_attention_heads ?? config.n_head ?? 0,
    },
    createdAt: new Date(0).toISOString(),
    step: 0,
    ...more,
  };
}

/** Unzips an exported adapter into a new folder. */
function unpack(prompt: SoftPrompt, folder: string): string {
  mkdirSync(folder, { recursive: true });
  for (const [name, bytes] of Object.entries(unzipSync(exportPeft(prompt))))
    writeFileSync(join(folder, name), bytes);
  return folder;
}

/** Names of the reference's prompt cases. */
function promptCases(): string[] {
  return readdirSync(join(reference, 'cases'))
    .filter((file) => file.endsWith('.json'))
    .filter((file) => {
      const { format } = JSON.parse(readFileSync(join(reference, 'cases', file), 'utf8')) as {
        format?: string;
      };
      return format === 'prompt-case/1';
    })
    .map((file) => file.replace(/\.json$/, ''));
}

async function verifyCase(name: string, temporary: string): Promise<string> {
  const file = join(reference, 'cases', `${name}.json`);
  const { model } = JSON.parse(readFileSync(file, 'utf8')) as { model: string };
  const modelDir = join(reference, model.startsWith('models/') ? model : join('models', model));
  const tensors = readFileSync(file.replace(/json$/, 'safetensors'));
  const weights = await openSafetensors(bytesSource(tensors, `${name}.safetensors`));
  const info = weights.tensors.get('prompt');
  if (!info) return `FAIL: ${name} has no prompt`;
  const values = toFloat32(await weights.read('prompt'), info.dtype);
  const adapter = unpack(promptFor(modelDir, values), join(temporary, name));
  const { output } = python([join(reference, '../tools/verify_peft.py'), adapter, modelDir, file]);
  return output;
}

const numpyCheck = `
import io, sys, numpy as np
a = np.load(sys.argv[1]); raw = open(sys.argv[1], "rb").read()
assert a.shape == (7, 33) and a.dtype == np.dtype("<f4") and a.flags.c_contiguous, (a.shape, a.dtype)
assert a.tobytes() == open(sys.argv[2], "rb").read(), "values differ"
again = io.BytesIO(); np.save(again, a)
assert again.getvalue() == raw, "numpy.save writes other bytes"
print("PASS: numpy", np.__version__, "reads", a.shape, a.dtype, "bit for bit and writes the same file")`;

function verifyNpy(temporary: string): string {
  const values = new Float32Array(7 * 33).map((_, i) => Math.sin(i) * 10 ** ((i % 9) - 4));
  const prompt = { name: 'p', length: 7, width: 33, values };
  writeFileSync(join(temporary, 'p.npy'), exportNpy(prompt));
  writeFileSync(join(temporary, 'p.raw'), new Uint8Array(values.buffer));
  return python(['-c', numpyCheck, join(temporary, 'p.npy'), join(temporary, 'p.raw')]).output;
}

/** Appended to the run card's own lines: the same scores without PEFT. */
const byHand = `
import json
from safetensors.torch import load_file
P, plain = load_file("adapter_model.safetensors")["prompt_embeddings"], AutoModelForSeq2SeqLM.from_pretrained(MODEL).float().eval()
worst = 0
for text in ("a dull and empty film", "the best thing this year"):
    for word in WORDS.values():
        x = tokenizer(TEMPLATE.replace("{text}", text), return_tensors="pt").input_ids
        y = torch.tensor([tokenizer(word, add_special_tokens=False).input_ids + [tokenizer.eos_token_id]])
        logits = plain(inputs_embeds=torch.cat([P[None], plain.get_input_embeddings()(x)], 1), labels=y).logits
        want = logits.log_softmax(-1)[0].gather(1, y[0][:, None]).sum().item()
        worst = max(worst, abs(score(text, word) - want) / abs(want))
assert worst < 1e-5, worst
assert predict("x") in WORDS
print(f"PASS: the run card's lines predict, scores as by hand (relative {worst:.1e})")`;

/** A prompt with a task for the model of `nano`. */
function taskPrompt(): SoftPrompt {
  const config = JSON.parse(readFileSync(join(nano, 'config.json'), 'utf8')) as { d_model: number };
  const values = new Float32Array(5 * config.d_model).map((_, i) => Math.sin(i * 1.7));
  return promptFor(nano, values, {
    task: {
      template: 'review: {text}',
      labels: [
        { label: 'good', text: 'positive' },
        { label: 'bad', text: 'negative and long' },
      ],
      appendEos: true,
    },
  });
}

function verifyCard(temporary: string): string {
  const prompt = taskPrompt();
  const folder = unpack(prompt, join(temporary, 'card'));
  const script = /```python\n([\s\S]*?)\n```/.exec(readFileSync(join(folder, 'README.md'), 'utf8'))?.[1];
  if (!script) return 'FAIL: the run card has no Python';
  const generate = /```python\n([\s\S]*?)\n```/.exec(
    readFileSync(join(unpack({ ...prompt, task: undefined }, join(temporary, 'bare')), 'README.md'), 'utf8'),
  )?.[1];
  const bare = python(['-c', generate ?? 'raise SystemExit(1)'], join(temporary, 'bare'));
  if (!bare.ok) return `FAIL: the run card without a task: ${bare.output}`;
  return python(['-c', `${script}\n${byHand}`], folder).output;
}

const printScores = 'print([score("a dull and empty film", word) for word in WORDS.values()])';

/** The scripts of all downloads, run as a person would. */
function verifyScripts(temporary: string): string {
  const prompt = taskPrompt();
  const folder = unpack(prompt, join(temporary, 'scripts'));
  writeFileSync(join(folder, 'p.npy'), exportNpy(prompt));
  writeFileSync(join(folder, 'p.json'), exportJson(prompt));
  const found = (
    [
      ['peft', ''],
      ['npy', 'p.npy'],
      ['json', 'p.json'],
    ] as const
  ).map(([form, file]) => {
    const script = join(folder, `predict-${form}.py`);
    writeFileSync(script, `${predictScript(prompt, form, file)}${printScores}\n`);
    const { ok, output } = python([script, nano, 'a dull and empty film']);
    const [label, scores] = output.split('\n');
    return { form, ok, output, label, scores: ok ? (JSON.parse(scores!) as number[]) : [] };
  });
  const bad = found.find(({ ok }) => !ok);
  if (bad) return `FAIL: ${bad.form}: ${bad.output}`;
  const [peft, ...others] = found;
  const far = Math.max(
    ...others.flatMap(({ scores }) => scores.map((s, i) => Math.abs(s / peft!.scores[i]! - 1))),
  );
  return far < 1e-5 && others.every(({ label }) => label === peft!.label)
    ? `PASS: predict.py of the zip, .npy and JSON say ${peft!.label}, scores within ${far.toExponential(1)}`
    : `FAIL: ${JSON.stringify(found)}`;
}

const temporary = mkdtempSync(join(tmpdir(), 'prelude-export-'));
let failed = false;
function report(name: string, output: string): void {
  const passed = output.split('\n').some((line) => line.startsWith('PASS'));
  failed ||= !passed;
  console.log(`${name}: ${passed ? output.split('\n').join('; ') : `FAIL\n${output}`}`);
}
try {
  if (!python(['-c', 'import numpy']).ok) console.log('npy: skipped, Python has no numpy');
  else report('npy', verifyNpy(temporary));
  if (!python(['-c', 'import torch, peft, transformers, safetensors']).ok)
    console.log('PEFT: skipped; pip install torch transformers peft safetensors');
  else {
    if (!existsSync(reference)) console.log(`cases: skipped, there is no ${reference}`);
    else for (const name of promptCases()) report(name, await verifyCase(name, temporary));
    if (!existsSync(nano)) console.log(`run card: skipped, there is no ${nano}`);
    else {
      report('run card', verifyCard(temporary));
      report('scripts', verifyScripts(temporary));
    }
  }
} finally {
  rmSync(temporary, { recursive: true });
}
process.exitCode = failed ? 1 : 0;
