import type { StepProfile } from '../../worker/protocol.ts';
import { formatNumber, formatSetting } from '../format.ts';
import { useSize } from '../useSize.ts';
import { groupDispatches, PART_NAMES, rates, roofAt } from './profileView.ts';

const HEIGHT = 300;
const PLOT = { left: 58, right: 16, top: 16, bottom: 42 };

const powers = (low: number, high: number) =>
  Array.from({ length: high - low + 1 }, (_, i) => Number(`1e${low + i}`));

/** Each kernel by its intensity and speed, under the two roofs of the device; both axes logarithmic. The table above has the numbers. */
export function Roofline({ profile, selected }: { profile: StepProfile; selected: number }) {
  const { ceiling } = profile;
  const [plot, size] = useSize<HTMLElement>();
  const width = size ? size.width / size.unit : 760;
  const dots = groupDispatches(profile, 'kernel').flatMap((group) => {
    const reached = rates(group);
    return reached && group.flops > 0 && group.bytes > 0
      ? [{ ...group, intensity: group.flops / group.bytes, gflops: reached.gflops }]
      : [];
  });
  const ridge = ceiling.gflops / ceiling.gbytesPerSecond;
  const log = Math.log10;
  const xs = [...dots.map((dot) => log(dot.intensity)), log(ridge)];
  const ys = [...dots.map((dot) => log(dot.gflops)), log(ceiling.gflops)];
  const [x0, x1] = [Math.floor(Math.min(...xs)), Math.ceil(Math.max(...xs) + 0.2)];
  const [y0, y1] = [Math.floor(Math.min(...ys)), Math.ceil(Math.max(...ys) + 0.05)];
  const x = (intensity: number) =>
    PLOT.left + ((log(intensity) - x0) / (x1 - x0)) * (width - PLOT.left - PLOT.right);
  const y = (gflops: number) =>
    HEIGHT - PLOT.bottom - ((log(gflops) - y0) / (y1 - y0)) * (HEIGHT - PLOT.top - PLOT.bottom);
  const low = Math.max(10 ** x0, 10 ** y0 / ceiling.gbytesPerSecond);
  const roof = [low, ridge, 10 ** x1]
    .map((intensity) => `${x(intensity)},${y(roofAt(intensity, ceiling))}`)
    .join(' ');
  return (
    <figure className="roofline" ref={plot}>
      <svg
        viewBox={`0 0 ${width} ${HEIGHT}`}
        role="img"
        aria-label={`Roofline: arithmetic ${formatNumber(ceiling.gflops)} GFLOP/s, memory ${formatNumber(ceiling.gbytesPerSecond)} GB/s, and ${dots.length} kernels under them`}
      >
        {powers(x0, x1).map((value) => (
          <g key={value}>
            <line x1={x(value)} x2={x(value)} y1={PLOT.top} y2={HEIGHT - PLOT.bottom} className="grid" />
            <text x={x(value)} y={HEIGHT - PLOT.bottom + 17} textAnchor="middle">
              {formatSetting(value)}
            </text>
          </g>
        ))}
        {powers(y0, y1).map((value) => (
          <g key={value}>
            <line x1={PLOT.left} x2={width - PLOT.right} y1={y(value)} y2={y(value)} className="grid" />
            <text x={PLOT.left - 8} y={y(value) + 4} textAnchor="end">
              {formatSetting(value)}
            </text>
          </g>
        ))}
        <text x={width - PLOT.right} y={HEIGHT - 6} textAnchor="end">
          FLOP for each byte
        </text>
        <text x={PLOT.left + 6} y={PLOT.top + 12}>
          GFLOP/s
        </text>
        <polyline points={roof} className="roof" />
        {dots.map((dot) => (
          <circle
            key={dot.id}
            cx={x(dot.intensity)}
            cy={y(dot.gflops)}
            r={3 + 16 * Math.sqrt(dot.share)}
            className="roofline-dot"
            data-part={dot.part}
            data-current={dot.members.includes(selected) || undefined}
          >
            <title>{`${dot.name}, ${PART_NAMES[dot.part]}: ${formatNumber(dot.gflops)} GFLOP/s`}</title>
          </circle>
        ))}
      </svg>
    </figure>
  );
}
