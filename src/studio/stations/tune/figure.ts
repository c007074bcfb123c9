/** A chart as a file: its numbers as rows, and the picture as SVG, in the colours of the light page whatever the screen shows. */
import { align, type Band, type Flat, type Line } from './chartData.ts';
import { fitName, namesOf, placeNames } from './chartNames.ts';

export interface Figure {
  title: string;
  lines: readonly Line[];
  flats: readonly Flat[];
  bands?: readonly Band[];
  xMax: number;
  range: readonly [low: number, high: number];
  format: (value: number) => string;
}

/** Rows with a head: step, a column per run, a column per dashed line. */
export function figureRows({ lines, flats }: Figure): (string | number | null)[][] {
  const named = lines.filter((line) => !line.faint);
  const [steps = [], ...columns] = align(named);
  return [
    ['step', ...named.map((line) => line.name), ...flats.map((flat) => flat.name)],
    ...steps.map((step, i) => [
      step,
      ...columns.map((column) => column[i] ?? null),
      ...flats.map((flat) => flat.value),
    ]),
  ];
}

const WIDTH = 760;
const HEIGHT = 420;
const PLOT = { left: 64, right: 150, top: 44, bottom: 44 };
const NAME_LINE = 15;
/** Letters that the margin holds: the file has no font to measure by. */
const NAME_LETTERS = 22;
const NAME_INKS = { flat: '#525c6e', older: '#2f4a66', current: '#c2410c' } as const;
const TICKS = 5;
const WARM = '#d9480f';
const COOL = '#5f86ad';
const INK = '#525c6e';

export function figureSvg(figure: Figure): string {
  const { title, lines, flats, bands = [], xMax, range, format } = figure;
  const [low, high] = range;
  const x = (step: number) => PLOT.left + (step / xMax) * (WIDTH - PLOT.left - PLOT.right);
  const y = (value: number) =>
    HEIGHT - PLOT.bottom - ((value - low) / (high - low)) * (HEIGHT - PLOT.top - PLOT.bottom);
  const path = (points: readonly (readonly [number, number])[]) =>
    points
      .filter(([, value]) => Number.isFinite(value))
      .map(([step, value], i) => `${i ? 'L' : 'M'}${place(x(step))} ${place(y(value))}`)
      .join('');
  const ticks = Array.from({ length: TICKS + 1 }, (_, i) => i / TICKS);
  const right = WIDTH - PLOT.right;
  const names = namesOf(lines, flats);
  const places = placeNames(
    names,
    names.map(({ value }) => y(value)),
    [PLOT.top, HEIGHT - PLOT.bottom],
    NAME_LINE,
  );
  const parts = [
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>`,
    `<text x="${PLOT.left}" y="24" font-weight="600" font-size="15" fill="#161b26">${escapeXml(title)}</text>`,
    ...ticks.map((part) => {
      const value = low + part * (high - low);
      return (
        `<path d="M${PLOT.left} ${place(y(value))}H${right}" stroke="#eceff4"/>` +
        `<text x="${PLOT.left - 8}" y="${place(y(value) + 4)}" text-anchor="end">${escapeXml(format(value))}</text>`
      );
    }),
    ...stepTicks(xMax).map(
      (step) => `<text x="${place(x(step))}" y="${HEIGHT - 22}" text-anchor="middle">${step}</text>`,
    ),
    `<text x="${right}" y="${HEIGHT - 6}" text-anchor="end">step</text>`,
    ...bands.map(({ warm, points }) => {
      const upper = points.map(([step, , top]): [number, number] => [step, top]);
      const lower = points.map(([step, bottom]): [number, number] => [step, bottom]).reverse();
      return `<path d="${path([...upper, ...lower])}Z" fill="${warm ? WARM : COOL}" opacity="0.2"/>`;
    }),
    ...flats.map(
      ({ value }) =>
        `<path d="M${PLOT.left} ${place(y(value))}H${right}" stroke="${INK}" stroke-dasharray="4 4"/>`,
    ),
    ...lines.map(
      (line) =>
        `<path d="${path(line.points)}" fill="none" stroke="${line.warm ? WARM : COOL}" stroke-width="${line.faint ? 1 : line.warm ? 2.5 : 1.75}"` +
        `${line.faint ? ' opacity="0.35"' : ''}><title>${escapeXml(line.name)}</title></path>`,
    ),
    ...names.flatMap(({ name, kind }, i) => {
      const at = places[i];
      const short = fitName(name, NAME_LETTERS, (text) => text.length);
      return at === undefined
        ? []
        : [
            `<text x="${right + 8}" y="${place(at + 4)}" fill="${NAME_INKS[kind]}">${escapeXml(short)}</text>`,
          ];
    }),
  ];
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}" ` +
    `font-family="Inter, system-ui, sans-serif" font-size="12" fill="${INK}">${parts.join('\n')}</svg>\n`
  );
}

/** Whole steps from 0 on, at most `TICKS` of them after it, at distances that a person counts in. */
export function stepTicks(xMax: number): number[] {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, xMax / TICKS)));
  const distance = [1, 2, 5, 10].map((factor) => factor * power).find((d) => xMax / d <= TICKS) ?? xMax;
  return Array.from({ length: Math.floor(xMax / distance) + 1 }, (_, i) => i * distance);
}

function place(value: number): string {
  return String(Math.round(value * 100) / 100);
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function escapeXml(text: string): string {
  return text.replace(/[&<>"]/g, (c) => ENTITIES[c]!);
}

/** Pixels of the picture to one of the SVG's: sharp in print. */
const SCALE = 3;

export async function figurePng(figure: Figure): Promise<Uint8Array<ArrayBuffer>> {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(figureSvg(figure))}`;
  await image.decode();
  const canvas = new OffscreenCanvas(WIDTH * SCALE, HEIGHT * SCALE);
  canvas.getContext('2d')!.drawImage(image, 0, 0, canvas.width, canvas.height);
  const blob = await canvas.convertToBlob({ type: 'image/png' });
  return new Uint8Array(await blob.arrayBuffer());
}
