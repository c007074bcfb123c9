import { createReadbackRing } from '../gpu/index.ts';
import { beginSubmission, buildProgram, createGraph, makeTensor, type Session } from '../graph/index.ts';
import { argmax, type Dims, type KernelTraits, type Tensor } from '../kernels/index.ts';
import type { CausalModel, FrozenModel, Seq2SeqModel } from '../models/index.ts';
import type { BatchExample } from './batch.ts';
import { causalFeed, lastLabelRows, seq2seqFeed } from './feed.ts';

/** The token with the largest logit after each example of a batch (see `Feed.continued`). */
export interface Decoder {
  next(batch: readonly BatchExample[]): Promise<number[]>;
  readonly bytes: number;
  destroy(): void;
}

/** @param bank prompts of a batch, by bank row */
export function createDecoder(
  session: Session,
  traits: KernelTraits,
  model: FrozenModel,
  bank: Tensor,
  capacity: Dims,
): Promise<Decoder> {
  return model.kind === 'seq2seq'
    ? seq2seqDecoder(session, traits, model, bank, capacity)
    : causalDecoder(session, traits, model, bank, capacity);
}

async function causalDecoder(
  session: Session,
  traits: KernelTraits,
  model: CausalModel,
  bank: Tensor,
  capacity: Dims,
): Promise<Decoder> {
  const feed = causalFeed(model);
  const graph = createGraph(traits);
  const next = argmax(graph, feed.forward(graph, { rows: bank }).logits);
  const program = await buildProgram(session, graph.nodes, { capacity, kept: [next] });
  const ring = createReadbackRing(session.gpu, 4 * capacity.N!);
  return {
    bytes: program.bytes,
    async next(batch) {
      const { dims, examples } = feed.write(program, batch);
      const submission = beginSubmission(session);
      program.record(submission, dims);
      const slot = submission.submit((encoder) =>
        ring.copy(encoder, [{ buffer: program.buffer(next), bytes: 4 * dims.N! }]),
      );
      const tokens = new Uint32Array((await slot.arrive())[0]!);
      return lastLabelRows(examples).map((row) => tokens[row]!);
    },
    destroy() {
      program.destroy();
      ring.destroy();
    },
  };
}

/** Encoder and decoder as two programs, so that the parts can be run apart. */
async function seq2seqDecoder(
  session: Session,
  traits: KernelTraits,
  model: Seq2SeqModel,
  bank: Tensor,
  capacity: Dims,
): Promise<Decoder> {
  const feed = seq2seqFeed(model);
  const encoding = createGraph(traits);
  const { states } = model.encode(encoding, feed.batch, { rows: bank });
  const decoding = createGraph(traits);
  const given = makeTensor('input', 'encoder states', 'T', model.info.width);
  const next = argmax(decoding, model.decode(decoding, feed.batch, given).logits);
  const encode = await buildProgram(session, encoding.nodes, { capacity, kept: [states] });
  const decode = await buildProgram(session, decoding.nodes, { capacity, kept: [next] });
  const ring = createReadbackRing(session.gpu, 4 * capacity.N!);
  return {
    bytes: encode.bytes + decode.bytes,
    async next(batch) {
      const encoded = beginSubmission(session);
      encode.record(encoded, feed.write(encode, batch).dims);
      const { dims, examples } = feed.write(decode, batch);
      encoded.submit((encoder) =>
        encoder.copyBufferToBuffer(
          encode.buffer(states),
          0,
          decode.buffer(given),
          0,
          4 * dims.T! * model.info.width,
        ),
      );
      const submission = beginSubmission(session);
      decode.record(submission, dims);
      const slot = submission.submit((encoder) =>
        ring.copy(encoder, [{ buffer: decode.buffer(next), bytes: 4 * dims.N! }]),
      );
      const tokens = new Uint32Array((await slot.arrive())[0]!);
      return lastLabelRows(examples).map((row) => tokens[row]!);
    },
    destroy() {
      encode.destroy();
      decode.destroy();
      ring.destroy();
    },
  };
}
