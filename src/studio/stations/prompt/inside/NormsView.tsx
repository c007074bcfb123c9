import { useMemo } from 'react';
import { Section } from '../../../components/sections.tsx';
import { formatNumber } from '../../../format.ts';
import { useStudio } from '../../../studio.tsx';
import { useSize } from '../../../useSize.ts';
import { median } from './mapView.ts';
import { histogram, logAxis } from './norms.ts';
import { insideOf, useInside } from './stores.ts';

const BINS = 64;
const SIDE = 16;

/** How long the virtual tokens are, beside the words: one axis of logarithms for all steps, so that nothing jumps. */
export function NormsView() {
  const studio = useStudio();
  const map = useInside((s) => s.map);
  const trail = useInside((s) => s.trail);
  const at = useInside((s) => s.at);
  const tile = useInside((s) => s.tile);
  const { setTile } = insideOf(studio).getState();
  const [ref, size] = useSize<HTMLDivElement>();
  const axis = useMemo(() => map && trail && logAxis(map.norms, trail.norms), [map, trail]);
  const shares = useMemo(() => (map && axis ? histogram(map.norms, axis, BINS) : []), [map, axis]);
  const most = Math.max(...shares, 1e-9);
  const P = trail?.length ?? 0;
  const norms = trail?.norms.subarray(at * P, (at + 1) * P);

  const draw = () => {
    if (!axis || !norms || !size) return null;
    const { width, height, unit } = size;
    const x = (value: number) => SIDE * unit + axis.at(value) * (width - 2 * SIDE * unit);
    const floor = height - 22 * unit;
    const middle = floor * 0.56;
    const bin = (width - 2 * SIDE * unit) / BINS;
    return (
      <svg width={width} height={height} aria-hidden>
        {axis.ticks.map((tick) => (
          <g key={tick}>
            <line x1={x(tick)} x2={x(tick)} y1={0} y2={floor} className="norm-grid" />
            <text x={x(tick)} y={height - 6 * unit} textAnchor="middle" className="norm-tick">
              {formatNumber(tick)}
            </text>
          </g>
        ))}
        {shares.map((share, i) => (
          <rect
            // biome-ignore lint/suspicious/noArrayIndexKey: a bar is its place
            key={i}
            x={SIDE * unit + i * bin}
            width={Math.max(1, bin - 1)}
            y={middle - (share / most) * (middle - 4 * unit)}
            height={(share / most) * (middle - 4 * unit)}
            className="norm-word"
          />
        ))}
        <line x1={0} x2={width} y1={middle} y2={middle} className="norm-line" />
        {Array.from(norms, (norm, p) => (
          // biome-ignore lint/a11y/noStaticElementInteractions: the list of tokens does the same by key
          <circle
            // biome-ignore lint/suspicious/noArrayIndexKey: a virtual token is its place
            key={p}
            cx={x(norm)}
            cy={middle + ((p + 0.5) / P) * (floor - middle)}
            r={(p === tile ? 5 : 3.2) * unit}
            className="norm-token"
            data-faint={(tile !== undefined && p !== tile) || undefined}
            onClick={() => setTile(p === tile ? undefined : p)}
          />
        ))}
      </svg>
    );
  };

  return (
    <Section
      title="How long they are"
      note={
        norms &&
        map &&
        `L2 norms on an axis of logarithms: the words above, in the middle ${formatNumber(median(map.norms))}; the virtual tokens below, first to last, in the middle ${formatNumber(median(norms))}. Long vectors are no error: the model’s norms scale them down again, and only their direction is left beside the words.`
      }
    >
      <figure className="norms">
        <div className="norms-plot" ref={ref}>
          {draw()}
        </div>
        {norms && (
          <div className="sr-only">
            <table>
              <caption>Norm of each virtual token at step {trail!.steps[at]}</caption>
              <tbody>
                {Array.from(norms, (norm, p) => (
                  // biome-ignore lint/suspicious/noArrayIndexKey: a virtual token is its place
                  <tr key={p}>
                    <th scope="row">virtual token {p + 1}</th>
                    <td>{formatNumber(norm)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </figure>
    </Section>
  );
}
