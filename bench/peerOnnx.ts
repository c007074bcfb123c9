/**
 * Prelude's engine without a GPU as a peer of the same benchmark as `peer.ts`: the graph's ONNX form, written in the tab and run by
 * onnxruntime-web on WASM. Beside it stands `ort-wasm-step`, whose step PyTorch traced ahead of time for the same runtime.
 */
import * as ort from 'onnxruntime-web/wasm';
import { usableThreads } from '../src/onnx/index.ts';
import { createOnnxLearner } from '../src/tuning/index.ts';
import { type OpenPeer, openInputs, type PeerInputs } from './peerInputs.ts';

/** Where the harness serves the runtime's own files. */
const RUNTIME = '/ort/';

const peer = {
  name: 'prelude-onnx',
  version: '0.1.0',
  async model(inputs: PeerInputs): Promise<OpenPeer> {
    ort.env.wasm.wasmPaths = RUNTIME;
    ort.env.wasm.numThreads = usableThreads();
    ort.env.logLevel = 'error';
    const { model, weights, settings, examples, all, start } = openInputs(inputs);
    const learner = await createOnnxLearner(ort, model, weights, settings, examples, start, examples.length);
    let step = 0;
    return {
      step: async () => (await learner.step(++step, all, { scene: false })).loss,
      gradient: () => learner.readGradient(),
    };
  },
};

export default peer;
