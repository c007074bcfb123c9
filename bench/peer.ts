/**
 * Prelude as a peer of the benchmark that times jax-js, TensorFlow.js, ONNX Runtime Web and PyTorch beside each other
 * (`../shared/bench-peers`, its `Peer` interface): the same weights, batch and first prompt, checked by the same gradients.
 * `npm run bench:peer` bundles this file into `dist-bench/prelude.js`, which that harness takes with `--peer`.
 */
import { openGpu } from '../src/gpu/index.ts';
import { createSession } from '../src/graph/index.ts';
import { traitsOf, uploadFrozen } from '../src/models/index.ts';
import { createLearner } from '../src/tuning/index.ts';
import { type OpenPeer, openInputs, type PeerInputs } from './peerInputs.ts';

const peer = {
  name: 'prelude',
  version: '0.1.0',
  async model(inputs: PeerInputs): Promise<OpenPeer> {
    const { model, weights, settings, examples, all, start } = openInputs(inputs);
    const gpu = await openGpu();
    const session = createSession(gpu);
    await uploadFrozen(session, model, weights);
    const learner = await createLearner(
      session,
      traitsOf(gpu),
      model,
      settings,
      examples,
      start,
      examples.length,
    );
    let step = 0;
    return {
      step: async () => (await learner.step(++step, all, { scene: false })).loss,
      gradient: () => learner.readGradient(),
    };
  },
};

export default peer;
