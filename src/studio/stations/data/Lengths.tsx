import { useId } from 'react';
import type { TaskSettings } from '../../../worker/protocol.ts';
import { Empty, NumberField } from '../../components/index.ts';
import { Pair, Section } from '../../components/sections.tsx';
import { formatCount, formatPercent, plural } from '../../format.ts';
import { useSession } from '../../studio.tsx';
import { useSize } from '../../useSize.ts';
import { layHistogram } from './histogram.ts';
import { useDraft } from './stores.ts';

const LONGEST_INPUT = 4096;

/** How long the rows are in tokens, and where they are cut. */
export function Lengths({ draft, isDisabled }: { draft: TaskSettings; isDisabled: boolean }) {
  const task = useSession((s) => s.task);
  const change = useDraft((s) => s.change);
  return (
    <Section title="Length">
      <Pair
        controls={
          <NumberField
            label="Tokens of a row at most"
            help="Longer rows are cut at their end. Memory and time grow with this number."
            value={draft.maxTokens}
            min={1}
            max={LONGEST_INPUT}
            step={1}
            isDisabled={isDisabled}
            onChange={(maxTokens) => change((settings) => ({ ...settings, maxTokens }))}
          />
        }
        effect={
          task ? (
            <Histogram lengths={task.lengths} limit={task.settings.maxTokens} total={task.counts.examples} />
          ) : (
            <Empty>How many rows have how many tokens will stand here.</Empty>
          )
        }
      />
    </Section>
  );
}

/** Height of the tallest bar, and room above and below for words, in rem. */
const BARS = 8;
const ABOVE = 1.4;
const BELOW = 1.8;

function Histogram({
  lengths,
  limit,
  total,
}: {
  lengths: { binWidth: number; counts: number[]; longest: number; truncated: number };
  limit: number;
  total: number;
}) {
  const hatch = useId();
  const [frame, size] = useSize<HTMLDivElement>();
  const rem = 14 * (size?.unit ?? 1);
  const width = size?.width ?? 0;
  const height = BARS * rem;
  const { bars, ticks, limitX } = layHistogram(lengths, limit, width, height);
  const { longest, truncated } = lengths;
  const says =
    truncated === 0
      ? `No row is cut: the longest has ${plural(longest, 'token')}.`
      : `${plural(truncated, 'row')} (${formatPercent(truncated / Math.max(1, total))}) ${truncated === 1 ? 'is' : 'are'} cut; the longest has ${plural(longest, 'token')}.`;
  return (
    <figure className="histogram">
      <div ref={frame} className="histogram-frame" style={{ height: `${BARS + ABOVE + BELOW}rem` }}>
        <svg
          viewBox={`0 ${-ABOVE * rem} ${width} ${height + (ABOVE + BELOW) * rem}`}
          role="img"
          aria-label={`Rows by their tokens. ${says}`}
        >
          <defs>
            <pattern
              id={hatch}
              width="6"
              height="6"
              patternUnits="userSpaceOnUse"
              patternTransform="rotate(45)"
            >
              <rect width="6" height="6" fill="var(--grid)" />
              <rect width="2.4" height="6" fill="var(--ink3)" />
            </pattern>
          </defs>
          {bars.map((bar) => (
            <g key={bar.from}>
              <rect
                x={bar.x + 0.5}
                y={height - bar.height}
                width={Math.max(0.5, bar.width * (1 - bar.beyond) - 1)}
                height={bar.beyond < 1 ? bar.height : 0}
                fill="var(--ice-strong)"
              />
              {bar.beyond > 0 && (
                <rect
                  x={bar.x + bar.width * (1 - bar.beyond) + 0.5}
                  y={height - bar.height}
                  width={Math.max(0.5, bar.width * bar.beyond - 1)}
                  height={bar.height}
                  fill={`url(#${hatch})`}
                />
              )}
            </g>
          ))}
          <line x1="0" x2={width} y1={height} y2={height} stroke="var(--line-strong)" />
          {ticks.map(({ x, value }) => (
            <text
              key={value}
              x={x}
              y={height + 1.2 * rem}
              textAnchor={x < 8 ? 'start' : x > width - 20 ? 'end' : 'middle'}
            >
              {formatCount(value)}
            </text>
          ))}
          {limitX !== undefined && (
            <>
              <line x1={limitX} x2={limitX} y1={-4} y2={height} stroke="var(--ink)" strokeDasharray="4 4" />
              <text
                x={limitX}
                y={-0.5 * rem}
                textAnchor={limitX > width - 60 ? 'end' : limitX < 60 ? 'start' : 'middle'}
                className="limit"
              >
                cut at {formatCount(limit)}
              </text>
            </>
          )}
        </svg>
      </div>
      <figcaption>
        {says} <span className="muted">Tokens of a row along, rows upwards.</span>
      </figcaption>
      <details>
        <summary>As a table</summary>
        <div className="histogram-table">
          <table className="table">
            <thead>
              <tr>
                <th scope="col">Tokens</th>
                <th scope="col" data-align="end">
                  Rows
                </th>
              </tr>
            </thead>
            <tbody>
              {bars
                .filter((bar) => bar.count > 0)
                .map((bar) => (
                  <tr key={bar.from}>
                    <td>
                      {formatCount(bar.from)} to {formatCount(bar.to)}
                    </td>
                    <td data-align="end">{formatCount(bar.count)}</td>
                  </tr>
                ))}
            </tbody>
          </table>
        </div>
      </details>
    </figure>
  );
}
