/** Attention to virtual tokens as the view shows it. */
import type { AttentionRows, AttentionToPrompt } from '../../../../worker/protocol.ts';

export type Block = AttentionToPrompt['blocks'][number];

export const BLOCK_NAMES: Record<Block['of'], { title: string; who: string }> = {
  encoder: { title: 'From the input', who: 'each token of the text, in the encoder' },
  cross: { title: 'From the answer', who: 'the decoder, where it writes the answer (cross-attention)' },
  causal: { title: 'From text and answer', who: 'each later token of the text and the answer' },
};

/**
 * Attention of one layer and head to each virtual token [P]: of one row of the block, or the mean over all that ask there.
 * Undefined where the row does not ask in this layer.
 */
export function toTokens(
  layer: AttentionRows,
  length: number,
  heads: number,
  head: number,
  row: number | undefined,
): number[] | undefined {
  if (row !== undefined && (row < layer.first || row >= layer.first + layer.count)) return undefined;
  const rows = row === undefined ? Array.from({ length: layer.count }, (_, i) => i) : [row - layer.first];
  if (rows.length === 0) return undefined;
  return Array.from(
    { length },
    (_, p) => rows.reduce((sum, i) => sum + layer.weights[(i * length + p) * heads + head]!, 0) / rows.length,
  );
}

export const sumOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

/** Share of a row's attention that goes to the prompt: the mean over the heads of a layer, or of all layers. */
export function shareOfRow(block: Block, length: number, heads: number, row: number, layer?: number): number {
  const layers = layer === undefined ? block.layers : [block.layers[layer]!];
  const shares = layers.flatMap((rows) =>
    Array.from({ length: heads }, (_, head) => toTokens(rows, length, heads, head, row)).flatMap((own) =>
      own ? [sumOf(own)] : [],
    ),
  );
  return shares.length ? sumOf(shares) / shares.length : 0;
}
