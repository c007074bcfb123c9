/** Bytes that may stand for one character; Unicode's longest compatibility form has 33. */
const MAX_REPLACEMENT = 1000;

/**
 * SentencePiece's compiled character map, the `Precompiled` normaliser of published T5 tokenizers, as the Rust library
 * `tokenizers` applies it (spm_precompiled): a grapheme of fewer than 6 UTF-8 bytes is looked up whole, and where that
 * finds nothing, character by character. Of several keys that a text begins with the shortest wins.
 *
 * @huggingface/tokenizers has only an approximation by NFKC, which keeps a zero-width space's neighbours differently and
 * does not drop the joiners within emoji.
 * @param charsmap the bytes of `precompiled_charsmap`: uint32 size of the trie in bytes, a Darts double-array trie of
 *   uint32 units, then zero-terminated replacements in UTF-8; all little-endian
 * @throws RangeError when the sizes do not fit, or a replacement is longer than any of Unicode's: the file is broken
 */
export function precompiledNormalizer(charsmap: Uint8Array): (text: string) => string {
  const view = new DataView(charsmap.buffer, charsmap.byteOffset, charsmap.byteLength);
  const trieBytes = view.getUint32(0, true);
  if (trieBytes % 4 !== 0 || trieBytes === 0 || 4 + trieBytes > charsmap.byteLength)
    throw new RangeError(`its character map claims a trie of ${trieBytes} bytes in ${charsmap.byteLength}`);
  const units = Uint32Array.from({ length: trieBytes / 4 }, (_, i) => view.getUint32(4 + 4 * i, true));
  const replacements = charsmap.subarray(4 + trieBytes);
  for (let start = 0; start < replacements.length; ) {
    const end = replacements.indexOf(0, start);
    const length = (end < 0 ? replacements.length : end) - start;
    if (length > MAX_REPLACEMENT)
      throw new RangeError(`its character map puts ${length} bytes for a character`);
    start += length + 1;
  }
  const encoder = new TextEncoder();
  const decoder = new TextDecoder();
  const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });

  /** The replacement of the shortest key that the bytes begin with. */
  const lookup = (key: Uint8Array): string | undefined => {
    let node = offsetOf(units[0]!);
    for (const byte of key) {
      node ^= byte;
      const unit = units[node];
      if (byte === 0 || unit === undefined || (unit & 0x800000ff) !== byte) return undefined;
      node ^= offsetOf(unit);
      if ((unit >>> 8) & 1) {
        const start = units[node]! & 0x7fffffff;
        const end = replacements.indexOf(0, start);
        return decoder.decode(replacements.subarray(start, end < 0 ? undefined : end));
      }
    }
    return undefined;
  };

  /** Printable ASCII that the map leaves alone: the common case, and much faster than dividing into graphemes. */
  const printable = Array.from({ length: 95 }, (_, i) => 32 + i);
  const asciiStays = printable.every((code) => lookup(Uint8Array.of(code)) === undefined);
  const cache = new Map<string, string>();
  const normalizeGrapheme = (grapheme: string): string => {
    const bytes = encoder.encode(grapheme);
    const whole = bytes.byteLength < 6 ? lookup(bytes) : undefined;
    return whole ?? [...grapheme].map((char) => lookup(encoder.encode(char)) ?? char).join('');
  };
  return (text) => {
    if (asciiStays && /^[ -~]*$/.test(text)) return text;
    let out = '';
    for (const { segment } of segmenter.segment(text)) {
      let replaced = cache.get(segment);
      if (replaced === undefined) {
        replaced = normalizeGrapheme(segment);
        if (cache.size < 10_000) cache.set(segment, replaced);
      }
      out += replaced;
    }
    return out;
  };
}

/** Darts: how far a unit's children are, XORed with its own place. */
function offsetOf(unit: number): number {
  return (unit >>> 10) << ((unit & 0x200) >>> 6);
}
