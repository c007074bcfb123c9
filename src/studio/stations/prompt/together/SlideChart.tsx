import type { SlideReport } from '../../../../worker/protocol.ts';
import { formatNumber, formatPercent } from '../../../format.ts';
import { type Size, useSize } from '../../../useSize.ts';

/** Accuracy above, loss below, along the way; a line where the slider stands. */
export function SlideChart({
  slide,
  at,
  names,
}: {
  slide: SlideReport;
  at: number;
  names: [from: string, to: string];
}) {
  const [ref, size] = useSize<HTMLDivElement>();
  const { points } = slide;
  return (
    <figure className="slide-chart" aria-label="Dev accuracy and loss between the two prompts">
      <div className="slide-plot" ref={ref}>
        {size && (
          <svg width={size.width} height={size.height} aria-hidden>
            <Curve
              size={size}
              box={[0, 0.46]}
              name="accuracy on dev"
              values={points.map((point) => [point.at, point.accuracy])}
              at={at}
              format={(value) => formatPercent(value, 0)}
            />
            <Curve
              size={size}
              box={[0.54, 1]}
              name="loss on dev"
              values={points.map((point) => [point.at, point.loss])}
              at={at}
              format={formatNumber}
            />
          </svg>
        )}
      </div>
      <figcaption className="slide-names">
        <span>a = 0: {names[0]}</span>
        <span>a = 1: {names[1]}</span>
      </figcaption>
      <div className="sr-only">
        <table>
          <caption>Dev accuracy and loss by place between the two prompts</caption>
          <thead>
            <tr>
              <th scope="col">a</th>
              <th scope="col">accuracy</th>
              <th scope="col">loss</th>
            </tr>
          </thead>
          <tbody>
            {points.map((point) => (
              <tr key={point.at}>
                <th scope="row">{point.at.toFixed(1)}</th>
                <td>{formatPercent(point.accuracy)}</td>
                <td>{formatNumber(point.loss)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </figure>
  );
}

function Curve({
  size: { width, height, unit },
  box,
  name,
  values,
  at,
  format,
}: {
  size: Size;
  /** Top and bottom, as shares of the height. */
  box: [top: number, bottom: number];
  name: string;
  values: [at: number, value: number][];
  at: number;
  format: (value: number) => string;
}) {
  const left = 56 * unit;
  const right = width - 8 * unit;
  const [top, bottom] = [box[0] * height + 20 * unit, box[1] * height - 6 * unit];
  const all = values.map(([, value]) => value);
  const [low, high] = [Math.min(...all), Math.max(...all)];
  // A flat line stands in the middle, and small differences do not fill the picture.
  const margin = Math.max(0.1 * (high - low), 0.02 * Math.abs(high), 1e-9);
  const x = (value: number) => left + value * (right - left);
  const y = (value: number) => top + ((high + margin - value) / (high - low + 2 * margin)) * (bottom - top);
  const ticks = y(low) - y(high) < 16 * unit ? [high] : [high, low];
  return (
    <g>
      <text x={left} y={top - 7 * unit} className="slide-name">
        {name}
      </text>
      {ticks.map((value) => (
        <g key={value}>
          <line x1={left} x2={right} y1={y(value)} y2={y(value)} className="slide-grid" />
          <text x={left - 6 * unit} y={y(value) + 4 * unit} textAnchor="end" className="slide-tick">
            {format(value)}
          </text>
        </g>
      ))}
      <line x1={x(at)} x2={x(at)} y1={top} y2={bottom} className="slide-here" />
      <polyline points={values.map(([a, value]) => `${x(a)},${y(value)}`).join(' ')} className="slide-line" />
      {values.map(([a, value]) => (
        <circle key={a} cx={x(a)} cy={y(value)} r={3 * unit} className="slide-dot" />
      ))}
    </g>
  );
}
