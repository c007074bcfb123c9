/**
 * Where everything in the scene stands, in units of the base font's pixel (a big page has a bigger unit). Pure geometry from
 * numbers: the component only draws it.
 */

export interface Bar {
  y: number;
  height: number;
  /** Layer number from 1, and the gradient's norm where it enters the layer. */
  layer: number;
  norm?: number;
  /** Bars too thin for words carry none, but for the first and the last. */
  named: boolean;
}

export interface Ribbon {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Tile {
  x: number;
  width: number;
  /** By the gradient's norm. */
  height: number;
  /** Share of the largest distance moved; before anything has moved, of the largest gradient norm. */
  strength: number;
  /** Its part of the fan, as a path. */
  fan?: string;
}

export interface Word {
  text: string;
  x: number;
  width: number;
}

export interface SceneLayout {
  encoder: { x: number; width: number; bars: Bar[] };
  decoder: { x: number; width: number; bars: Bar[] };
  encoderRibbons: Ribbon[];
  decoderRibbons: Ribbon[];
  /** From the encoder's top into each decoder layer (cross-attention), and up to the answer; not measured, so not scaled. */
  cross: string[];
  tiles: Tile[];
  /** Bottom of the tiles and of the words. */
  ground: number;
  words: Word[];
  wordsLeft: number;
}

export interface SceneInput {
  width: number;
  height: number;
  promptLength: number;
  layers: readonly [encoder: number, decoder: number];
  tokens: readonly string[];
  tokenGrad?: ArrayLike<number>;
  tokenMoved?: ArrayLike<number>;
  encoderGrad?: ArrayLike<number>;
  decoderGrad?: ArrayLike<number>;
}

const LEFT = 8;
const TOP = 54;
/** Below the bars: fan, tiles, and the line of words under them. */
const FOOT = 78;
const MOST_PITCH = 130;
const WIDEST_RIBBON = 44;
const CHARACTER = 7.2;
/** Room for the words under few tiles. */
const NARROWEST_TILES = 132;

export function layOutScene(input: SceneInput): SceneLayout {
  const { width, promptLength: P, layers, tokens } = input;
  const decoderWidth = Math.round(Math.min(220, Math.max(118, width * 0.273)));
  const gap = width < 480 ? 26 : 52;
  const encoderWidth = width - LEFT - gap - decoderWidth - 10;
  const decoderX = LEFT + encoderWidth + gap;

  const bars = (count: number, norms: ArrayLike<number> | undefined): Bar[] => {
    const room = input.height - FOOT - TOP;
    const barHeight = Math.max(2, Math.min(40, (room / count) * 0.64));
    const pitch = count > 1 ? Math.min(MOST_PITCH, (room - barHeight) / (count - 1)) : 0;
    return Array.from({ length: count }, (_, i) => ({
      y: input.height - FOOT - i * pitch - barHeight,
      height: barHeight,
      layer: i + 1,
      norm: norms?.[i],
      named: barHeight >= 17 || ((i === 0 || i === count - 1) && barHeight >= 12),
    }));
  };
  const encoderBars = bars(layers[0], input.encoderGrad);
  const decoderBars = bars(layers[1], input.decoderGrad);
  const largest = Math.max(greatest(input.encoderGrad), greatest(input.decoderGrad));
  // The norm falls by two orders of magnitude from the prompt to the top: as a square root the thin ones can still be told
  // apart. The numbers stand on the bars.
  const widthOf = (norm: number | undefined) =>
    norm !== undefined && Number.isFinite(norm) && largest > 0
      ? WIDEST_RIBBON * Math.sqrt(norm / largest)
      : 0;

  const tilesWidth = Math.min(P * 20, Math.max(110, Math.round(width * 0.35)));
  const pitch = tilesWidth / P;
  const ground = input.height - 38;
  const ribbonX = LEFT + Math.max(tilesWidth, WIDEST_RIBBON + 16) / 2;
  const tilesLeft = ribbonX - tilesWidth / 2;
  const fanTop = input.height - FOOT;
  const grads = Array.from({ length: P }, (_, i) => finite(input.tokenGrad?.[i]));
  const top = Math.max(...grads, 0);
  const total = grads.reduce((a, b) => a + b, 0);
  const farthest = greatest(input.tokenMoved);
  const fanWidth = widthOf(input.encoderGrad?.[0]);
  let used = 0;
  const tiles = grads.map((grad, i): Tile => {
    const height = top > 0 ? grad / top : 0;
    const strength = farthest > 0 ? finite(input.tokenMoved?.[i]) / farthest : height;
    const x = tilesLeft + i * pitch;
    const tileWidth = Math.max(0.8, pitch - Math.min(2.5, pitch * 0.25));
    const tileHeight = top > 0 ? 6 + 26 * height : 14;
    const share = total > 0 ? (fanWidth * grad) / total : 0;
    const from = ribbonX - fanWidth / 2 + used;
    used += share;
    return {
      x,
      width: tileWidth,
      height: tileHeight,
      strength,
      fan: share > 0 ? fan(from, share, fanTop, x, tileWidth, ground - tileHeight) : undefined,
    };
  });

  const wordsLeft = LEFT + Math.max(tilesWidth, NARROWEST_TILES) + 12;
  return {
    encoder: { x: LEFT, width: encoderWidth, bars: encoderBars },
    decoder: { x: decoderX, width: decoderWidth, bars: decoderBars },
    encoderRibbons: ribbons(encoderBars, ribbonX, widthOf),
    decoderRibbons: ribbons(decoderBars, decoderX + decoderWidth / 2, widthOf),
    cross: [
      ...crossPaths(encoderBars, decoderBars, LEFT + encoderWidth, decoderX),
      `M${decoderX + decoderWidth / 2} ${r(decoderBars.at(-1)?.y ?? TOP)} V${TOP - 4}`,
    ],
    tiles,
    ground,
    words: fitWords(tokens, wordsLeft, decoderX - 12),
    wordsLeft,
  };
}

/** Ribbons between neighbours: what enters layer l + 1 is what flows back out of it into layer l. */
function ribbons(bars: Bar[], x: number, widthOf: (norm: number | undefined) => number): Ribbon[] {
  return bars.slice(1).flatMap((bar, i) => {
    const width = widthOf(bar.norm);
    const y = bar.y + bar.height;
    return width > 0 ? [{ x: x - width / 2, y, width, height: bars[i]!.y - y }] : [];
  });
}

function crossPaths(encoder: Bar[], decoder: Bar[], fromX: number, toX: number): string[] {
  const last = encoder.at(-1);
  if (!last) return [];
  const y = last.y + last.height / 2;
  const bend = (toX - fromX) / 2;
  return decoder.map((bar) => {
    const target = bar.y + bar.height / 2;
    return `M${fromX} ${r(y)} C ${fromX + bend} ${r(y)} ${toX - bend} ${r(target)} ${toX} ${r(target)}`;
  });
}

function fan(x0: number, w0: number, y0: number, x1: number, w1: number, y1: number): string {
  const middle = (y0 + y1) / 2;
  return (
    `M${r(x0)} ${r(y0)} C ${r(x0)} ${r(middle)} ${r(x1)} ${r(middle)} ${r(x1)} ${r(y1)} H${r(x1 + w1)} ` +
    `C ${r(x1 + w1)} ${r(middle)} ${r(x0 + w0)} ${r(middle)} ${r(x0 + w0)} ${r(y0)}z`
  );
}

/** As many of the words as fit, from the first; an ellipsis stands for the rest. */
export function fitWords(tokens: readonly string[], left: number, right: number): Word[] {
  const words: Word[] = [];
  let x = left;
  for (const [i, text] of tokens.entries()) {
    const width = text.length * CHARACTER + 10;
    const rest = i < tokens.length - 1 ? 26 : 0;
    if (x + width + rest > right) {
      if (x + 22 <= right + 4) words.push({ text: '…', x, width: 20 });
      break;
    }
    words.push({ text, x, width });
    x += width + 4;
  }
  return words;
}

function greatest(values: ArrayLike<number> | undefined): number {
  let best = 0;
  for (let i = 0; i < (values?.length ?? 0); i++) best = Math.max(best, finite(values![i]));
  return best;
}

function finite(value: number | undefined): number {
  return value !== undefined && Number.isFinite(value) ? value : 0;
}

function r(value: number): number {
  return Math.round(value * 10) / 10;
}
