/**
 * Draws the cost curves of a bench's JSON as one SVG for the docs: `npx tsx scripts/curves.ts bench/results/FILE.json docs/pictures/cost-curves.svg`.
 * Each column is W1 with one thing changed; above the time of a step, below the peak of GPU memory. Dashed: what the needed FLOPs take at
 * the matmul ceiling of the same rounds, and the memory that no plan can go below.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import type { BenchReport, CurvePoint } from '../bench/run.ts';

const TITLES: Record<string, string> = {
  prompt: 'prompt length P',
  batch: 'examples in a batch',
  length: 'input tokens (batch of 2)',
  depth: 'layers of each stack',
};
const PANEL = { width: 190, height: 130, left: 46, right: 14, top: 30, bottom: 34 };

/** The first of 1, 2, 5, 10, ... times a power of ten that is not below `value / count`. */
function tickStep(value: number, count: number): number {
  const rough = value / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  return power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10);
}

const number = (value: number): string => String(Number(value.toPrecision(3)));

interface Series {
  points: [x: number, y: number][];
  kind: 'measured' | 'bound';
}

function panel(x0: number, y0: number, xName: string, yName: string, series: Series[]): string {
  const { width, height, left, top } = PANEL;
  const all = series.flatMap(({ points }) => points);
  const maxX = Math.max(...all.map(([x]) => x));
  const step = tickStep(Math.max(...all.map(([, y]) => y)), 4);
  const maxY = step * Math.ceil(Math.max(...all.map(([, y]) => y)) / step);
  const at = ([x, y]: [number, number]): [number, number] => [
    x0 + left + (x / maxX) * width,
    y0 + top + height - (y / maxY) * height,
  ];
  const lines: string[] = [
    `<text class="name" x="${x0 + left}" y="${y0 + 16}">${yName}</text>`,
    `<text x="${x0 + left + width}" y="${y0 + top + height + 30}" text-anchor="end">${xName}</text>`,
  ];
  for (let y = 0; y <= maxY + step / 2; y += step) {
    const [, py] = at([0, y]);
    lines.push(
      `<line class="grid" x1="${x0 + left}" x2="${x0 + left + width}" y1="${py}" y2="${py}"/>`,
      `<text x="${x0 + left - 6}" y="${py + 4}" text-anchor="end">${number(y)}</text>`,
    );
  }
  const xStep = tickStep(maxX, 4);
  for (let x = 0; x <= maxX; x += xStep) {
    const [px] = at([x, 0]);
    lines.push(`<text x="${px}" y="${y0 + top + height + 16}" text-anchor="middle">${number(x)}</text>`);
  }
  for (const { points, kind } of series) {
    const places = points.map(at).map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`);
    lines.push(`<polyline class="${kind}" points="${places.join(' ')}"/>`);
    if (kind === 'measured')
      lines.push(
        ...points.map((point) => {
          const [x, y] = at(point);
          return `<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="3"><title>${number(point[0])}: ${number(point[1])}</title></circle>`;
        }),
      );
  }
  return lines.join('\n');
}

export function curvesSvg(report: Pick<BenchReport, 'adapter' | 'date' | 'curves'>): string {
  const curves = Object.entries(report.curves ?? {});
  const wide = PANEL.left + PANEL.width + PANEL.right;
  const high = PANEL.top + PANEL.height + PANEL.bottom;
  const line = (points: CurvePoint[], y: (point: CurvePoint) => number): Series['points'] =>
    points.map((point) => [point.x, y(point)]);
  const panels = curves.flatMap(([name, points], i) => [
    panel(i * wide, 0, TITLES[name] ?? name, 'seconds a step', [
      // A share of the ceiling is needed FLOPs a second over it: the time at the ceiling is that share of the step.
      { kind: 'bound', points: line(points, (p) => (p.ceiling_share * p.step_ms) / 1000) },
      { kind: 'measured', points: line(points, (p) => p.step_ms / 1000) },
    ]),
    panel(i * wide, high, TITLES[name] ?? name, 'peak MiB', [
      { kind: 'bound', points: line(points, (p) => p.lower_bound_bytes / 2 ** 20) },
      { kind: 'measured', points: line(points, (p) => p.peak_bytes / 2 ** 20) },
    ]),
  ]);
  const [width, height] = [wide * curves.length, 2 * high + 24];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="Step time and peak memory of W1 as prompt, batch, length and depth grow">
<style>
  text { font: 12px system-ui, sans-serif; fill: #57534e; }
  .name { font-weight: 600; fill: #1c1917; }
  .back { fill: #ffffff; }
  .grid { stroke: #e7e5e4; }
  .measured { fill: none; stroke: #c2410c; stroke-width: 2; }
  .bound { fill: none; stroke: #57534e; stroke-width: 1.5; stroke-dasharray: 4 3; }
  circle { fill: #c2410c; }
  @media (prefers-color-scheme: dark) {
    text { fill: #d6d3d1; }
    .name { fill: #fafaf9; }
    .back { fill: #1c1917; }
    .grid { stroke: #44403c; }
    .measured { stroke: #fb923c; }
    .bound { stroke: #a8a29e; }
    circle { fill: #fb923c; }
  }
</style>
<rect class="back" width="${width}" height="${height}"/>
${panels.join('\n')}
<text x="${PANEL.left}" y="${height - 8}">W1 on ${report.adapter}, ${report.date}. Line: measured. Dashed: needed FLOPs at the matmul ceiling; memory no plan can go below.</text>
</svg>
`;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [from, to] = process.argv.slice(2);
  if (!from || !to) throw new Error('Usage: npx tsx scripts/curves.ts REPORT.json PICTURE.svg');
  writeFileSync(to, curvesSvg(JSON.parse(readFileSync(from, 'utf8'))));
}
