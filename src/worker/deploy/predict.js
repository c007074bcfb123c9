/**
 * Predicts with a soft prompt: the frozen model as ONNX, the learned prompt as one of its inputs. Runs on a page and in Node. Each
 * label is scored by the log-likelihood of its whole answer, and the likeliest label is the prediction.
 */

/** numpy's file of a float32 matrix: magic and version, the header's length, a header that tells the shape, the numbers. */
export function readNpy(bytes) {
  const data = Uint8Array.from(bytes);
  const start = 10 + data[8] + 256 * data[9];
  const header = new TextDecoder().decode(data.subarray(10, start));
  const shape = /'shape': \((\d+), (\d+)\)/.exec(header);
  if (!shape || !header.includes("'<f4'")) throw new Error('prompt.npy is no matrix of float32');
  const dims = [Number(shape[1]), Number(shape[2])];
  return { dims, values: new Float32Array(data.buffer, start, dims[0] * dims[1]) };
}

/**
 * @param ort onnxruntime-node or onnxruntime-web
 * @param Tokenizer of `@huggingface/tokenizers`
 * @param read gives the bytes of a file beside this one
 * @param session of `model.onnx`
 * @returns (text, text2) -> { label, scores: [{ label, logLikelihood, probability }] }
 */
export async function createPredictor({ ort, Tokenizer, read, session }) {
  const json = async (name) => JSON.parse(new TextDecoder().decode(await read(name)));
  const task = await json('task.json');
  const tokenizer = new Tokenizer(await json('tokenizer.json'), await json('tokenizer_config.json'));
  const { dims, values } = readNpy(await read('prompt.npy'));
  const prompt = new ort.Tensor('float32', values, dims);
  const answers = task.labels.map(({ ids }) => ids);

  /** Rows of one length, filled up on the right. */
  const grid = (rows) => {
    const width = Math.max(...rows.map((row) => row.length));
    const data = rows.flatMap((row) => [...row, ...new Array(width - row.length).fill(0)]);
    return new ort.Tensor('int64', BigInt64Array.from(data, BigInt), [rows.length, width]);
  };
  const encode = (text, text2) => {
    const fields = { text, text2 };
    const whole = task.template
      .map((part) => (typeof part === 'string' ? part : (fields[part.field] ?? '').trim()))
      .join('');
    const { ids } = tokenizer.encode(whole, { add_special_tokens: true });
    if (ids.length <= task.maxTokens) return ids;
    // A text that is cut keeps its end token.
    const ends = ids.at(-1) === task.eosId;
    return ends ? [...ids.slice(0, task.maxTokens - 1), task.eosId] : ids.slice(0, task.maxTokens);
  };
  /** One row a label; `first` is the row of the logits that says the answer's first token. */
  const feedsOf = (ids) => {
    const inputs = answers.map((answer) => (task.decoder ? ids : [...ids, ...answer]));
    return {
      first: task.decoder ? 0 : ids.length - 1,
      feeds: {
        prompt,
        input_ids: grid(inputs),
        attention_mask: grid(inputs.map((row) => row.map(() => 1))),
        ...(task.decoder && {
          decoder_input_ids: grid(answers.map((answer) => [task.decoder.start, ...answer.slice(0, -1)])),
        }),
      },
    };
  };

  return async function predict(text, text2) {
    const { first, feeds } = feedsOf(encode(text, text2));
    const { logits } = await session.run(feeds);
    const [, length, vocabulary] = logits.dims;
    const logLikelihoods = answers.map((answer, row) =>
      answer.reduce((sum, id, i) => {
        const from = (row * length + first + i) * vocabulary;
        return sum + logSoftmax(logits.data.subarray(from, from + vocabulary), id);
      }, 0),
    );
    const most = Math.max(...logLikelihoods);
    const total = logLikelihoods.reduce((sum, value) => sum + Math.exp(value - most), 0);
    const scores = task.labels.map(({ label }, i) => ({
      label,
      logLikelihood: logLikelihoods[i],
      probability: Math.exp(logLikelihoods[i] - most) / total,
    }));
    return { label: scores[logLikelihoods.indexOf(most)].label, scores };
  };
}

function logSoftmax(logits, id) {
  let most = Number.NEGATIVE_INFINITY;
  for (const value of logits) if (value > most) most = value;
  let sum = 0;
  for (const value of logits) sum += Math.exp(value - most);
  return logits[id] - most - Math.log(sum);
}
