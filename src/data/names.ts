/** Names that columns of labelled text go by, the likeliest first; compared without case, spaces and punctuation. */
export const TEXT_NAMES = [
  'text',
  'sentence',
  'sentence1',
  'premise',
  'question1',
  'text1',
  'review',
  'reviewtext',
  'message',
  'comment',
  'tweet',
  'question',
  'utterance',
  'headline',
  'content',
  'body',
  'input',
  'source',
  'document',
  'passage',
  'query',
  'phrase',
  'prompt',
  'description',
  'post',
  'article',
  'abstract',
  'summary',
  'title',
  'feedback',
  'string',
  's1',
  'q1',
];

export const SECOND_TEXT_NAMES = [
  'text2',
  'sentence2',
  'hypothesis',
  'question2',
  'secondtext',
  'input2',
  's2',
  'q2',
  'context',
  'answer',
  'passage',
  'response',
];

export const LABEL_NAMES = [
  'labeltext',
  'labelname',
  'label',
  'labels',
  'class',
  'classname',
  'category',
  'categories',
  'sentiment',
  'target',
  'intent',
  'goldlabel',
  'gold',
  'polarity',
  'emotion',
  'topic',
  'tag',
  'type',
  'rating',
  'stars',
  'score',
  'verdict',
  'stance',
  'annotation',
  'output',
  'y',
  'coarselabel',
  'isduplicate',
];

/** A column's name without what writers disagree on: "Label_Text" and "label text" are one. */
export function plainName(name: string): string {
  return name.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, '');
}

const KNOWN = new Set([...TEXT_NAMES, ...SECOND_TEXT_NAMES, ...LABEL_NAMES, 'id', 'idx', 'index']);

export function isKnownName(name: string): boolean {
  return KNOWN.has(plainName(name));
}
