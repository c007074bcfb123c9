import { useStudio } from '../../../studio.tsx';
import { useSize } from '../../../useSize.ts';
import { insideOf, useInside } from './stores.ts';

export interface TokenBar {
  value: number;
  /** Ends of an interval around the value. */
  low?: number;
  high?: number;
  /** Its sign is not sure. */
  unsure?: boolean;
}

/** One bar for each virtual token, up from zero and down. A press chooses the token; the table behind it is the caller's. */
export function TokenBars({
  bars,
  format,
  even,
}: {
  bars: readonly TokenBar[];
  format: (value: number) => string;
  /** A dashed line to compare with. */
  even?: { value: number; name: string };
}) {
  const studio = useStudio();
  const tile = useInside((s) => s.tile);
  const { setTile } = insideOf(studio).getState();
  const [ref, size] = useSize<HTMLDivElement>();
  const draw = () => {
    if (!size) return null;
    const { width, height, unit } = size;
    const low = Math.min(0, ...bars.map((bar) => bar.low ?? bar.value));
    const high = Math.max(1e-9, even?.value ?? 0, ...bars.map((bar) => bar.high ?? bar.value));
    const left = 60 * unit;
    const [top, bottom] = [8 * unit, height - 20 * unit];
    const y = (value: number) => top + ((high - value) / (high - low)) * (bottom - top);
    const step = (width - left) / bars.length;
    const every = Math.ceil((26 * unit) / step);
    const axis = [high, 0, ...(low < -0.15 * high ? [low] : [])];
    return (
      <svg width={width} height={height} aria-hidden>
        {axis.map((value) => (
          <g key={value}>
            <line x1={left} x2={width} y1={y(value)} y2={y(value)} className="norm-grid" />
            <text x={left - 6 * unit} y={y(value) + 4 * unit} textAnchor="end" className="norm-tick">
              {value === 0 ? '0' : format(value)}
            </text>
          </g>
        ))}
        {bars.map(({ value, low: from, high: to, unsure }, p) => {
          const x = left + p * step;
          const wide = Math.max(1, step * 0.72);
          return (
            // biome-ignore lint/a11y/noStaticElementInteractions: the list of tokens does the same by key
            <g
              // biome-ignore lint/suspicious/noArrayIndexKey: a virtual token is its place
              key={p}
              className="token-bar"
              data-unsure={unsure || undefined}
              data-faint={(tile !== undefined && tile !== p) || undefined}
              onClick={() => setTile(p === tile ? undefined : p)}
            >
              <rect x={x} width={step} y={0} height={height} className="token-bar-reach" />
              <rect
                x={x + (step - wide) / 2}
                width={wide}
                y={Math.min(y(0), y(value))}
                height={Math.max(1, Math.abs(y(value) - y(0)))}
              />
              {from !== undefined && to !== undefined && (
                <line x1={x + step / 2} x2={x + step / 2} y1={y(from)} y2={y(to)} />
              )}
              {(p % every === 0 || p === tile) && (
                <text x={x + step / 2} y={height - 5 * unit} textAnchor="middle" className="norm-tick">
                  {p + 1}
                </text>
              )}
            </g>
          );
        })}
        {even && (
          <g>
            <line x1={left} x2={width} y1={y(even.value)} y2={y(even.value)} className="token-even" />
            <text x={width} y={y(even.value) - 4 * unit} textAnchor="end" className="norm-tick">
              {even.name}
            </text>
          </g>
        )}
      </svg>
    );
  };
  return (
    <div className="token-bars" ref={ref}>
      {draw()}
    </div>
  );
}
