/** A token as it is shown: without the tokenizer's mark for a space, the end of the answer as a sign. */
export function tokenText(token: string): string {
  if (token === '</s>') return '⏎';
  return token.replace(/^▁/, '') || '▁';
}
