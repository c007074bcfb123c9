import type { InferenceSession, Tensor } from 'onnxruntime-web';

export interface Predicted {
  label: string;
  scores: { label: string; logLikelihood: number; probability: number }[];
}

export function readNpy(bytes: Uint8Array): { dims: [number, number]; values: Float32Array };

export function createPredictor(parts: {
  ort: { Tensor: typeof Tensor };
  Tokenizer: typeof import('@huggingface/tokenizers').Tokenizer;
  read(name: string): Promise<Uint8Array>;
  session: Pick<InferenceSession, 'run'>;
}): Promise<(text: string, text2?: string) => Promise<Predicted>>;
