/** Fixed data for the fake engine. */
import type {
  DeviceReport,
  LabelScore,
  ModelCard,
  ModelReport,
  SampleCard,
  SavedPrompt,
  TaskSettings,
} from '../../worker/protocol.ts';

export const fakeDevice: DeviceReport = {
  engine: 'webgpu',
  choice: { engine: 'webgpu', reason: 'gpu', why: 'WebGPU, on your graphics processor.', times: [] },
  vendor: 'fake',
  architecture: 'test',
  description: 'Fake adapter',
  software: false,
  features: { shaderF16: true, subgroups: true, timestamps: false },
  limits: {
    bindingBytes: 2 ** 30,
    bufferBytes: 2 ** 30,
    storageBuffers: 10,
    workgroupBytes: 32768,
    invocations: 1024,
  },
};

export const fakeModels: ModelCard[] = [
  {
    id: 'small',
    title: 'nano-T5 small',
    goodFor: 'a first run on any laptop',
    parameters: 2_900_000,
    downloadBytes: 5_800_000,
    width: 128,
    layers: [4, 4],
    isDefault: true,
  },
  {
    id: 'base',
    title: 'nano-T5 base',
    goodFor: 'better answers, three times the time',
    parameters: 6_712_128,
    downloadBytes: 13_400_000,
    width: 192,
    layers: [4, 4],
    isDefault: false,
  },
];

export function fakeModel(id: string): ModelReport {
  const card = fakeModels.find((model) => model.id === id) ?? fakeModels[0]!;
  return {
    id: card.id,
    title: card.title,
    family: 't5',
    fingerprint: `fake-${card.id}`,
    parameters: card.parameters,
    width: card.width,
    vocabSize: 8192,
    heads: 6,
    layers: card.layers,
    weightBytes: card.downloadBytes,
    precision: 'stored',
    seconds: { read: 0.4, upload: 0.1 },
  };
}

export const fakeSamples: SampleCard[] = [
  {
    id: 'fact-or-opinion',
    title: 'Fact or opinion',
    about: 'Neither side has tell-tale words.',
    rows: 800,
    labels: ['fact', 'opinion'],
  },
  {
    id: 'questions',
    title: 'Questions',
    about: 'What kind of thing does a question ask for?',
    rows: 900,
    labels: ['person', 'place', 'number', 'time', 'thing', 'reason'],
  },
];

export const fakeTexts: Record<string, [text: string, label: string][]> = {
  'fact-or-opinion': [
    ['The bridge was closed for eleven weeks after the flood.', 'fact'],
    ['Nobody should have to wait this long for a decent cup of coffee.', 'opinion'],
    ['The museum keeps two thousand clocks, of which forty still run.', 'fact'],
    ['It is the kind of town one is glad to leave and happy to come back to.', 'opinion'],
    ['The second edition has ninety pages more than the first.', 'fact'],
    ['The new timetable is a step in the wrong direction.', 'opinion'],
  ],
  questions: [
    ['Who painted the ceiling of the town hall?', 'person'],
    ['In which valley does the river rise?', 'place'],
    ['How many keys does a harpsichord have?', 'number'],
    ['When did the last tram run?', 'time'],
    ['What do bees make their combs of?', 'thing'],
    ['Why do the leaves turn red?', 'reason'],
  ],
};

export const fakeSettings = (labels: string[]): TaskSettings => ({
  roles: { text: 'text', label: 'label' },
  template: '{text}',
  writtenPrompt: `${labels.join(' or ')} : {text}`,
  verbalizers: {},
  appendEos: true,
  maxTokens: 128,
  split: { kind: 'stratified', train: 0.7, dev: 0.15, test: 0.15, seed: 7 },
});

export const fakeSaved: SavedPrompt = {
  id: 'saved-1',
  name: 'fact or opinion, Monday',
  length: 20,
  width: 128,
  modelName: 'nano-T5 small',
  modelFingerprint: 'fake-small',
  createdAt: '2026-11-16T09:00:00Z',
  labels: ['fact', 'opinion'],
  accuracy: 0.78,
  fits: true,
  notes: [],
};

/** A number in [0, 1) that depends on the text and the salt only. */
export function hash01(text: string, salt: number): number {
  let h = 2166136261 ^ salt;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 16777619);
  h ^= h >>> 15;
  h = Math.imul(h, 2246822519);
  h ^= h >>> 13;
  return (h >>> 0) / 2 ** 32;
}

/** Scores whose margin for one label grows with `skill` (0 to 1). */
export function fakeScores(
  text: string,
  labels: string[],
  truth: string | undefined,
  skill: number,
): LabelScore[] {
  const logits = labels.map(
    (label, i) =>
      hash01(text + label, i) * 1.2 + (label === (truth ?? labels[0]) ? skill * 3 * hash01(text, 9) : 0),
  );
  const top = Math.max(...logits);
  const total = logits.reduce((sum, z) => sum + Math.exp(z - top), 0);
  return labels.map((label, i) => ({
    label,
    logLikelihood: logits[i]! - 6,
    probability: Math.exp(logits[i]! - top) / total,
  }));
}
