import 'uplot/dist/uPlot.min.css';
import { type ReactNode, useEffect, useId, useRef } from 'react';
import uPlot from 'uplot';
import { useSize } from '../../useSize.ts';
import { align, type Band, type Flat, type Line, tableOf } from './chartData.ts';
import { fitName, type NamedValue, namesOf, placeNames } from './chartNames.ts';
import { SaveFigure } from './SaveFigure.tsx';

export interface ChartProps {
  title: string;
  /** Beside the title: a word, or a control. */
  note?: ReactNode;
  lines: readonly Line[];
  flats: readonly Flat[];
  bands?: readonly Band[];
  xMax: number;
  range: readonly [low: number, high: number];
  format: (value: number) => string;
}

/** One chart of runs over steps: the canvas for the eye, the table behind it for a screen reader. */
export function Chart(props: ChartProps) {
  const { title, note, lines, flats, format } = props;
  const named = lines.filter((line) => !line.faint);
  const [ref, size] = useSize<HTMLDivElement>();
  const plot = useRef<uPlot>(undefined);
  const latest = useRef(props);
  latest.current = props;
  const id = useId();
  const shape = [
    ...lines.map((line) => `${line.id}${line.warm}${line.name}${line.points.length > 0}`),
    ...flats.map((flat) => flat.name),
  ].join();

  // The plot is made anew when its series, size or theme change; new points only set its data.
  // biome-ignore lint/correctness/useExhaustiveDependencies: `shape` stands for the lines' identity
  useEffect(() => {
    const element = ref.current;
    if (!element || !size) return;
    const make = () => {
      plot.current?.destroy();
      plot.current = createPlot(element, size.width, size.height, size.unit, latest);
    };
    make();
    const observer = new MutationObserver(make);
    observer.observe(document.documentElement, { attributeFilter: ['data-theme'] });
    return () => {
      observer.disconnect();
      plot.current?.destroy();
      plot.current = undefined;
    };
  }, [size, shape, ref]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: every change of data or range redraws
  useEffect(() => {
    plot.current?.setData(align(lines) as uPlot.AlignedData);
  }, [lines, flats, props.bands, props.xMax, props.range]);

  return (
    <figure className="chart" aria-labelledby={id}>
      <figcaption>
        <span id={id}>{title}</span> {note}
      </figcaption>
      <div className="chart-save">
        <SaveFigure figure={props} />
      </div>
      <div className="chart-plot" ref={ref} aria-hidden />
      <div className="sr-only">
        <table>
          <caption>{title}, by step</caption>
          <thead>
            <tr>
              <th scope="col">step</th>
              {named.map((line) => (
                <th key={line.id} scope="col">
                  {line.name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {flats.map((flat) => (
              <tr key={flat.name}>
                <th scope="row">{flat.name}</th>
                <td colSpan={Math.max(1, named.length)}>{format(flat.value)}</td>
              </tr>
            ))}
            {tableOf(named).map(({ step, values }) => (
              <tr key={step}>
                <th scope="row">{step}</th>
                {values.map((value, i) => (
                  <td key={named[i]!.id}>{value === null ? '' : format(value)}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </figure>
  );
}

function createPlot(
  element: HTMLElement,
  width: number,
  height: number,
  unit: number,
  latest: { current: ChartProps },
): uPlot {
  const style = getComputedStyle(document.documentElement);
  const token = (name: string) => style.getPropertyValue(name).trim();
  const font = `${12 * unit}px ${token('--ui')}`;
  const axis = { stroke: token('--ink3'), font, ticks: { show: false }, gap: 6 };
  const { lines, flats } = latest.current;
  const margin = marginFor(namesOf(lines, flats), width, unit, nameFont(unit, 1, token));
  return new uPlot(
    {
      width,
      height,
      legend: { show: false },
      cursor: { show: false },
      padding: [8, margin, 0, 0],
      scales: {
        x: { time: false, range: () => [0, latest.current.xMax] },
        y: { range: () => [...latest.current.range] },
      },
      axes: [
        {
          ...axis,
          size: 24 * unit,
          grid: { show: false },
          space: 70 * unit,
          incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000, 100000, 200000],
        },
        {
          ...axis,
          size: 46 * unit,
          space: 34 * unit,
          grid: { stroke: token('--grid'), width: 1 },
          values: (_, splits) => splits.map((value) => latest.current.format(value)),
        },
      ],
      series: [
        {},
        ...lines.map((line) => ({
          stroke: token(line.warm ? '--warm' : '--ice-strong'),
          width: (line.faint ? 1 : line.warm ? 2.5 : 1.75) * unit,
          alpha: line.faint ? 0.35 : 1,
          spanGaps: true,
          points: {
            show: (_: uPlot, index: number) => {
              const now = latest.current.lines[index - 1];
              return !!now && !now.faint && now.points.length <= MOST_DOTS;
            },
            size: 6 * unit,
            fill: token(line.warm ? '--warm' : '--ice-strong'),
          },
        })),
      ],
      hooks: {
        drawAxes: [
          (self) => drawBands(self, latest.current.bands ?? [], token),
          (self) => drawFlats(self, latest.current.flats, token),
          (self) => drawNames(self, namesOf(latest.current.lines, latest.current.flats), unit, token),
        ],
      },
    },
    align(lines) as uPlot.AlignedData,
    element,
  );
}

/** A line of more points than this is drawn without a dot at each. */
const MOST_DOTS = 24;

function drawBands(plot: uPlot, bands: readonly Band[], token: (name: string) => string) {
  const { ctx } = plot;
  ctx.save();
  for (const { warm, points } of bands) {
    const x = (step: number) => plot.valToPos(step, 'x', true);
    const y = (value: number) => plot.valToPos(value, 'y', true);
    ctx.beginPath();
    for (const [step, , high] of points) ctx.lineTo(x(step), y(high));
    for (const [step, low] of points.toReversed()) ctx.lineTo(x(step), y(low));
    ctx.closePath();
    ctx.globalAlpha = 0.22;
    ctx.fillStyle = token(warm ? '--warm-mid' : '--ice-strong');
    ctx.fill();
  }
  ctx.restore();
}

function drawFlats(plot: uPlot, flats: readonly Flat[], token: (name: string) => string) {
  const { ctx, bbox } = plot;
  const pixel = devicePixelRatio;
  ctx.save();
  ctx.strokeStyle = token('--ink3');
  ctx.lineWidth = pixel;
  ctx.setLineDash([4 * pixel, 4 * pixel]);
  for (const { value } of flats) {
    const y = Math.round(plot.valToPos(value, 'y', true));
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
  }
  ctx.restore();
}

/** Height of a name, and the margin's least and largest share of the chart. CSS pixels at the usual scale. */
const NAME = { size: 11.5, line: 14, gap: 6, most: 0.34 };
const INKS = { flat: '--ink3', older: '--ice-ink', current: '--warm-ink' } as const;

const nameFont = (unit: number, scale: number, token: (name: string) => string) =>
  `${NAME.size * unit * scale}px ${token('--ui')}`;

/** Room right of the plot for the longest name, in CSS pixels. */
function marginFor(names: readonly NamedValue[], width: number, unit: number, font: string): number {
  const least = 20 * unit;
  if (names.length === 0) return least;
  const ctx = document.createElement('canvas').getContext('2d');
  if (!ctx) return least;
  ctx.font = font;
  const longest = Math.max(...names.map(({ name }) => ctx.measureText(name).width));
  return Math.min(Math.max(least, longest + 2 * NAME.gap * unit), NAME.most * width);
}

/** Each name in the margin, as near to its line as the others allow: never over a curve. */
function drawNames(plot: uPlot, names: readonly NamedValue[], unit: number, token: (name: string) => string) {
  const { ctx, bbox } = plot;
  const scale = devicePixelRatio;
  ctx.save();
  ctx.font = nameFont(unit, scale, token);
  ctx.textAlign = 'left';
  ctx.textBaseline = 'middle';
  const left = bbox.left + bbox.width + NAME.gap * unit * scale;
  const most = ctx.canvas.width - left;
  const at = names.map(({ value }) => plot.valToPos(value, 'y', true));
  const places = placeNames(names, at, [bbox.top, bbox.top + bbox.height], NAME.line * unit * scale);
  names.forEach(({ name, kind }, i) => {
    const y = places[i];
    if (y === undefined) return;
    ctx.fillStyle = token(INKS[kind]);
    ctx.fillText(
      fitName(name, most, (text) => ctx.measureText(text).width),
      left,
      y,
    );
  });
  ctx.restore();
}
