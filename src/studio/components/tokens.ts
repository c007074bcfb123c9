/**
 * A token as it is shown: without SentencePiece's mark, with which nearly every word begins; byte-level BPE's letters for a space and
 * a line's end as signs, since there a word with a space is another token than the same word without; the end of the answer as a sign.
 */
export function tokenText(token: string): string {
  if (token === '</s>' || token === '<|endoftext|>' || token === '<|im_end|>') return '⏎';
  return token.replace(/^▁/, '').replaceAll('Ġ', '␣').replaceAll('Ċ', '↵') || '▁';
}
