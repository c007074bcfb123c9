import type { ModelCatalog } from '../src/weights/index.ts';

/** The model card of the built-in models, `public/models/README.md`. */
export function modelCard(catalog: ModelCatalog): string {
  const rows = catalog.models.map(
    (m) =>
      `| \`${m.id}\` | ${m.parameters.toLocaleString('en')} | ${m.d_model} | ${m.encoderLayers} + ${m.decoderLayers} | ` +
      `${m.heads} x ${m.d_kv} | ${m.d_ff} | ${m.goodFor} |`,
  );
  return `# The built-in models

Written by \`npm run models\`; do not edit by hand.

nano-T5 is a family of small English models of the T5 v1.1 architecture (gated GELU, 32 relative position buckets),
trained from scratch for Prelude so that a fresh clone can learn a soft prompt in a browser tab, offline, within seconds.
Only the token embeddings did not start from random numbers: they are those of SmolLM2-135M (Apache-2.0), averaged
over pieces and reduced to each model's width.

| model | parameters | d_model | layers | heads | d_ff | good for |
|---|---|---|---|---|---|---|
${rows.join('\n')}

The studio opens with \`${catalog.default}\`. Weights are stored in half precision. The output layer is the embedding
table (\`tie_word_embeddings: true\`), without the factor d_model^-0.5 that T5 v1.0 puts before it
(\`scale_decoder_outputs: false\`). \`index.json\` lists every file with its size and SHA-256.

## What they were trained on

| source | licence |
|---|---|
| WordNet 3.0 (glosses and examples) | WordNet 3.0 licence: permissive, with attribution |
| MASC, the Manually Annotated Sub-Corpus | open, commercial use included |
| WikiText-2 (from Wikipedia) | CC BY-SA 3.0 |
| Books, State of the Union and inaugural addresses, Shakespeare | public domain |
| The Jargon File 4.4.7; A. Bierce, The Devil's Dictionary | public domain |
| One-line descriptions of the Debian package index | that of each package |
| Opinion Lexicon (Hu and Liu), for pairs of text and polarity | CC BY 4.0 |

About 11 million words of running text, and as many in short text-to-text pairs made from the sources above
("animal or food : a sweet red fruit" gives "food"). Most of the training was span corruption; all but \`base-span\`
were then adapted with prefix language modelling, as the paper's models were. No benchmark that is used to
evaluate prompt tuning was trained on.

## What not to expect

They saw 5 to 11 million tokens on one processor core. They are no fluent language models: free generation is poor.
The words "positive" and "negative" were targets during training, so on sentiment the untuned model is already good and
a prompt adds little; on other tasks a learned prompt lifts them far above the untuned model. Do not read the paper's
law of scale off this family: \`base\` is not better trained than \`small\`.
`;
}
