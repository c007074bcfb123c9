import { useId } from 'react';
import type { RatePoint, RateSweep } from '../../../worker/protocol.ts';
import { formatNumber, formatSetting } from '../../format.ts';
import { useSize } from '../../useSize.ts';
import { decades, lossSpan } from './rateScale.ts';

const HEIGHT = 230;
const PLOT = { left: 46, right: 14, top: 22, bottom: 40 };

/** Loss against the rate on a logarithmic axis: each step a dot, the smoothed line, the rate now and the one suggested. */
export function RateChart({
  points,
  sweep,
  now,
  range,
}: {
  points: readonly RatePoint[];
  sweep: RateSweep | undefined;
  now: number;
  range: { from: number; to: number };
}) {
  const id = useId();
  const [plot, size] = useSize<HTMLDivElement>();
  const width = size ? size.width / size.unit : 600;
  const [low, high] = lossSpan(points);
  const x = (rate: number) =>
    PLOT.left +
    (Math.log(rate / range.from) / Math.log(range.to / range.from)) * (width - PLOT.left - PLOT.right);
  const y = (loss: number) =>
    HEIGHT -
    PLOT.bottom -
    ((Math.min(high, Math.max(low, loss)) - low) / (high - low)) * (HEIGHT - PLOT.top - PLOT.bottom);
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((part) => low + part * (high - low));
  const finite = points.filter(({ loss }) => Number.isFinite(loss));
  const smoothed = sweep?.smoothed.map((loss, i) => [finite[i]!.rate, loss] as const) ?? [];
  const smoothAt = new Map(smoothed);
  const inRange = now >= range.from && now <= range.to;
  return (
    <figure className="rate-chart" aria-labelledby={id}>
      <figcaption id={id}>
        Loss by learning rate <span>logarithmic axis</span>
      </figcaption>
      <div ref={plot}>
        <svg viewBox={`0 0 ${width} ${HEIGHT}`} aria-hidden>
          {points.length > 0 &&
            ticks.map((loss) => (
              <g key={loss}>
                <line x1={PLOT.left} x2={width - PLOT.right} y1={y(loss)} y2={y(loss)} className="grid" />
                <text x={PLOT.left - 8} y={y(loss) + 4} textAnchor="end">
                  {loss.toFixed(2)}
                </text>
              </g>
            ))}
          {decades(range.from, range.to).map((rate) => (
            <g key={rate}>
              <line x1={x(rate)} x2={x(rate)} y1={PLOT.top} y2={HEIGHT - PLOT.bottom} className="grid" />
              <text x={x(rate)} y={HEIGHT - PLOT.bottom + 17} textAnchor="middle">
                {formatSetting(rate)}
              </text>
            </g>
          ))}
          <text x={width - PLOT.right} y={HEIGHT - 4} textAnchor="end">
            learning rate
          </text>
          {inRange && (
            <g>
              <line
                x1={x(now)}
                x2={x(now)}
                y1={PLOT.top}
                y2={HEIGHT - PLOT.bottom}
                className="now"
                strokeDasharray="4 4"
              />
              <text x={x(now)} y={PLOT.top - 8} textAnchor="middle">
                now {formatSetting(now)}
              </text>
            </g>
          )}
          {points.map(
            ({ rate, loss }) =>
              Number.isFinite(loss) && (
                <circle key={rate} cx={x(rate)} cy={y(loss)} r={2.5} className="dot" />
              ),
          )}
          {smoothed.length > 1 && (
            <path
              d={smoothed.map(([rate, loss], i) => `${i ? 'L' : 'M'}${x(rate)} ${y(loss)}`).join('')}
              className="line"
            />
          )}
          {sweep?.suggested !== undefined && (
            <g>
              <line
                x1={x(sweep.suggested)}
                x2={x(sweep.suggested)}
                y1={PLOT.top}
                y2={HEIGHT - PLOT.bottom}
                className="suggested"
              />
              <text x={x(sweep.suggested)} y={HEIGHT - PLOT.bottom - 6} className="suggested-name" dx={6}>
                {formatSetting(sweep.suggested)}
              </text>
            </g>
          )}
        </svg>
      </div>
      <div className="sr-only">
        <table>
          <caption>Loss by learning rate</caption>
          <thead>
            <tr>
              <th scope="col">rate</th>
              <th scope="col">loss</th>
              <th scope="col">smoothed</th>
            </tr>
          </thead>
          <tbody>
            {points.map(({ rate, loss }) => (
              <tr key={rate}>
                <th scope="row">{formatNumber(rate)}</th>
                <td>{formatNumber(loss)}</td>
                <td>{smoothAt.has(rate) ? formatNumber(smoothAt.get(rate)!) : ''}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </figure>
  );
}
