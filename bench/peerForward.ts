/** As `peer.ts`, the forward pass alone: what a reading costs, beside runtimes that only read. */
import { openGpu } from '../src/gpu/index.ts';
import { createSession } from '../src/graph/index.ts';
import { traitsOf, uploadFrozen } from '../src/models/index.ts';
import { createScorer } from '../src/tuning/index.ts';
import { type OpenPeer, openInputs, type PeerInputs } from './peerInputs.ts';

const peer = {
  name: 'prelude-forward',
  version: '0.1.0',
  async model(inputs: PeerInputs): Promise<Pick<OpenPeer, 'step'>> {
    const { model, weights, settings, examples, start } = openInputs(inputs);
    const gpu = await openGpu();
    const session = createSession(gpu);
    await uploadFrozen(session, model, weights);
    const scorer = createScorer(session, traitsOf(gpu), model);
    const prompt = { kind: 'values', length: settings.length, values: start } as const;
    const labels = examples.reduce((sum, { answers }) => sum + answers.candidates[0]!.length, 0);
    return {
      async step() {
        const scores = await scorer.score(examples.map(({ ids, answers }) => ({ ids, answers, prompt })));
        return -scores.reduce((sum, [score]) => sum + score!, 0) / labels;
      },
    };
  },
};

export default peer;
