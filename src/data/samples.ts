import * as v from 'valibot';
import { PreludeError } from '../errors.ts';

const text = v.pipe(v.string(), v.nonEmpty());

const sample = v.object({
  /** The file's name without ending; part of URLs and of saved recipes. */
  id: v.pipe(v.string(), v.regex(/^[a-z0-9-]+$/)),
  /** For a person. */
  title: text,
  /** Relative to the index. */
  file: v.pipe(v.string(), v.regex(/^[a-z0-9-]+\.csv$/)),
  rows: v.pipe(v.number(), v.integer(), v.minValue(1)),
  labels: v.pipe(v.array(v.object({ label: text, count: v.pipe(v.number(), v.integer()) })), v.minLength(2)),
  /** What it shows, in one sentence. */
  shows: text,
  roles: v.object({ text, text2: v.optional(text), label: text }),
  /** Label to the word that the model is to answer with, for each label. */
  verbalizers: v.record(v.string(), text),
  /** A prompt in words to compare with; "{text}" and "{text2}" stand for the columns. */
  writtenPrompt: text,
});

const sampleIndex = v.object({
  licence: v.literal('CC0-1.0'),
  /** Id of the sample that the studio opens with. */
  opening: text,
  samples: v.pipe(v.array(sample), v.minLength(1)),
});

/** One labelled data set that is one press away. */
export type Sample = v.InferOutput<typeof sample>;
export type SampleIndex = v.InferOutput<typeof sampleIndex>;

/**
 * The samples that are served with the studio (`public/samples/index.json`). `fetchJson` gets the index's JSON value, wherever it
 * lies.
 *
 * @throws PreludeError 'download' where it cannot be fetched or is not what it should be.
 */
export async function loadSampleIndex(fetchJson: () => Promise<unknown>): Promise<SampleIndex> {
  const where = 'samples/index.json';
  const remedy = 'Reload the page; if it happens again, this copy of Prelude is incomplete: install it anew.';
  let value: unknown;
  try {
    value = await fetchJson();
  } catch (cause) {
    throw new PreludeError('download', 'The list of samples could not be loaded.', { where, remedy, cause });
  }
  const result = v.safeParse(sampleIndex, value);
  if (!result.success) {
    const issue = result.issues[0];
    const path = v.getDotPath(issue) ?? 'the whole';
    throw new PreludeError('download', `The list of samples is broken at ${path}: ${issue.message}.`, {
      where,
      remedy,
    });
  }
  const index = result.output;
  if (!index.samples.some((entry) => entry.id === index.opening))
    throw new PreludeError(
      'download',
      `The list of samples opens with "${index.opening}", which is not in it.`,
      {
        where,
        remedy,
      },
    );
  return index;
}
