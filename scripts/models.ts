/**
 * `npm run models [SOURCE_DIR]`: takes a family of T5 v1.1 models in Hugging Face layout (default: the nano-t5 folder
 * shared beside this project) into `public/models/`, the built-in models of the studio. Running it again on the same
 * source writes the same bytes; a better edition of the family may replace an older one.
 */
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PreludeError } from '../src/errors.ts';
import { takeFamily } from './model-family.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const target = join(root, 'public', 'models');
const source = resolve(process.argv[2] ?? join(root, '..', 'shared', 'models', 'nano-t5'));

try {
  const { models, default: first } = await takeFamily(source, target);
  for (const model of models) {
    const bytes = model.files.find((file) => file.role === 'weights')!.bytes;
    console.log(
      `${model.id.padEnd(10)} ${model.parameters.toLocaleString('en').padStart(10)} parameters  ` +
        `${(bytes / 1e6).toFixed(2).padStart(6)} MB  fingerprint ${model.fingerprint.slice(0, 12)}`,
    );
  }
  console.log(
    `${models.length} models in ${relative(process.cwd(), target)}; the studio opens with ${first}`,
  );
} catch (error) {
  console.error(error instanceof PreludeError ? `${error.message}\n${error.remedy}` : error);
  process.exitCode = 1;
}
