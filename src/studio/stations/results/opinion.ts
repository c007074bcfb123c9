/** The second opinion in plain words. */
import type { OpinionDifference, SecondOpinionReport } from '../../../worker/protocol.ts';

/**
 * Two engines add up the same products in another order, so that the last bits differ: over many layers up to about 1e-5 of the
 * largest value. More than this share is no rounding.
 */
const ROUNDING = 1e-3;

export interface OpinionLine extends OpinionDifference {
  what: string;
}

export function opinionLines({ logits, loss, gradient }: SecondOpinionReport): OpinionLine[] {
  return [
    { what: 'Logits: a score of every word', ...logits },
    { what: 'Loss', ...loss },
    { what: 'Gradient of the prompt', ...gradient },
  ];
}

/** A share in percent with two digits that mean something: 5.2e-7 -> "0.000052 %". */
export function formatShare(share: number): string {
  if (!Number.isFinite(share)) return 'no number';
  const percent = share * 100;
  if (percent === 0) return '0 %';
  const digits = Math.max(0, 1 - Math.floor(Math.log10(percent)));
  return `${percent.toFixed(Math.min(12, digits))} %`;
}

export function verdict(report: SecondOpinionReport): { agree: boolean; sentence: string } {
  const worst = opinionLines(report).reduce((a, b) => (b.relative > a.relative ? b : a));
  const agree = worst.relative <= ROUNDING;
  const size = `The largest difference is ${formatShare(worst.relative)} of the largest value (${worst.what.split(':')[0]!.toLowerCase()})`;
  return {
    agree,
    sentence: agree
      ? `${size}; up to ${formatShare(ROUNDING)} is rounding.`
      : `${size}, more than rounding explains. Results of this model on this adapter are not to be trusted: use the processor on the Model station, and report the model and the adapter with this table.`,
  };
}
