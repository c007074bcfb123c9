import 'uplot/dist/uPlot.min.css';
import { useEffect, useId, useRef } from 'react';
import uPlot from 'uplot';
import { align, type Band, type Flat, type Line, tableOf } from './chartData.ts';
import { SaveFigure } from './SaveFigure.tsx';
import { useSize } from './useSize.ts';

export interface ChartProps {
  title: string;
  note?: string;
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
  const shape = lines.map((line) => `${line.id}${line.warm}`).join();

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
      <figcaption id={id}>
        {title} {note && <span>{note}</span>}
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
  const { lines } = latest.current;
  return new uPlot(
    {
      width,
      height,
      legend: { show: false },
      cursor: { show: false },
      padding: [8, 20 * unit, 0, 0],
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
          (self) => drawFlats(self, latest.current.flats, unit, token),
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

/** Dashed lines with their names over them; names that would touch are pushed apart. */
function drawFlats(plot: uPlot, flats: readonly Flat[], unit: number, token: (name: string) => string) {
  const { ctx, bbox } = plot;
  const pixel = devicePixelRatio;
  const line = 14 * unit * pixel;
  ctx.save();
  ctx.font = `${11.5 * unit * pixel}px ${token('--ui')}`;
  ctx.textAlign = 'right';
  ctx.strokeStyle = token('--ink3');
  ctx.lineWidth = pixel;
  const placed = [...flats]
    .map((flat) => ({ ...flat, y: Math.round(plot.valToPos(flat.value, 'y', true)) }))
    .sort((a, b) => a.y - b.y);
  ctx.setLineDash([4 * pixel, 4 * pixel]);
  for (const { y } of placed) {
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
  }
  const right = bbox.left + bbox.width;
  const floor = bbox.top + bbox.height - 3 * pixel;
  let ceiling = bbox.top + line - 4 * pixel;
  const names = placed.map(({ name, y }, i) => {
    // The last name may stand under its line, where the one above it leaves no room.
    const below = i === placed.length - 1 && i > 0 && y - 5 * pixel < ceiling;
    const at = Math.min(below ? Math.max(y + line, ceiling) : Math.max(y - 5 * pixel, ceiling), floor);
    ceiling = at + line;
    return { name, at };
  });
  ctx.fillStyle = token('--bg');
  for (const { name, at } of names) {
    const width = ctx.measureText(name).width + 4 * pixel;
    ctx.fillRect(right - width, at - line + 4 * pixel, width, line - pixel);
  }
  ctx.fillStyle = token('--ink3');
  for (const { name, at } of names) ctx.fillText(name, right, at);
  ctx.restore();
}
