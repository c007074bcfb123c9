import { ZoomIn, ZoomOut } from 'lucide-react';
import { type KeyboardEvent, type PointerEvent, useEffect, useRef, useState } from 'react';
import type { StepProfile } from '../../worker/protocol.ts';
import { IconButton } from '../components/index.ts';
import { formatMicroseconds, PART_NAMES, timeline } from './profileView.ts';

const LANE = 34;
const AXIS = 24;
const ZOOMS = [1, 2, 4, 8, 16, 32];
const TICKS = 4;

/**
 * The dispatches over time, a lane for each part of the step. One listbox: hundreds of buttons would be no help to a
 * keyboard; the arrows go from dispatch to dispatch.
 */
export function Timeline({
  profile,
  selected,
  onSelect,
}: {
  profile: StepProfile;
  selected: number;
  onSelect: (index: number) => void;
}) {
  const { lanes, bars } = timeline(profile);
  const [zoom, setZoom] = useState(0);
  const scroller = useRef<HTMLDivElement>(null);
  const scale = ZOOMS[zoom]!;
  const height = lanes.length * LANE + AXIS;
  const chosen = bars[selected];

  // What is chosen by keyboard or from the table comes into view.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the zoom moves it as well
  useEffect(() => {
    const element = scroller.current;
    if (!element || !chosen) return;
    const at = chosen.left * element.scrollWidth;
    if (at < element.scrollLeft || at > element.scrollLeft + element.clientWidth)
      element.scrollLeft = at - element.clientWidth / 2;
  }, [chosen?.left, zoom]);

  const onKeyDown = (event: KeyboardEvent) => {
    const moves: Record<string, number> = {
      ArrowRight: selected + 1,
      ArrowLeft: selected - 1,
      Home: 0,
      End: bars.length - 1,
      PageDown: selected + 10,
      PageUp: selected - 10,
    };
    const next = moves[event.key];
    if (next === undefined) return;
    event.preventDefault();
    onSelect(next);
  };
  /** The bar under the pointer, or the nearest one of its lane: most are narrower than a finger. */
  const onPointerDown = (event: PointerEvent<HTMLDivElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    const x = (event.clientX - box.left) / box.width;
    const lane = Math.floor((event.clientY - box.top) / LANE);
    const away = (bar: (typeof bars)[number]) => Math.max(bar.left - x, x - bar.left - bar.width, 0);
    const [nearest] = bars.filter((bar) => bar.lane === lane).sort((a, b) => away(a) - away(b));
    if (nearest) onSelect(nearest.index);
  };
  const dispatch = profile.dispatches[selected];
  return (
    <div className="timeline">
      <div className="timeline-names" aria-hidden>
        {lanes.map((part) => (
          <span key={part} style={{ height: LANE }}>
            {PART_NAMES[part]}
          </span>
        ))}
      </div>
      <div ref={scroller} className="timeline-scroll">
        <div
          className="timeline-bars"
          style={{ width: `${scale * 100}%` }}
          role="slider"
          tabIndex={0}
          aria-label="Dispatches of the step"
          aria-valuemin={1}
          aria-valuemax={bars.length}
          aria-valuenow={selected + 1}
          aria-valuetext={
            dispatch &&
            `${selected + 1} of ${bars.length}: ${dispatch.kernel}, ${dispatch.node}, ${PART_NAMES[dispatch.part]}, ${formatMicroseconds(dispatch.durationUs)}`
          }
          onKeyDown={onKeyDown}
          onPointerDown={onPointerDown}
        >
          <svg height={height} viewBox={`0 0 1000 ${height}`} preserveAspectRatio="none" aria-hidden>
            {lanes.map((part, i) => (
              <rect
                key={part}
                x={0}
                y={i * LANE + 4}
                width={1000}
                height={LANE - 8}
                className="timeline-lane"
              />
            ))}
            {bars.map(({ index, left, width, lane }) => (
              <rect
                key={index}
                x={left * 1000}
                y={lane * LANE + 4}
                // Never so narrow that it vanishes.
                width={Math.max(width * 1000, 0.6 / scale)}
                height={LANE - 8}
                className="timeline-bar"
                data-part={profile.dispatches[index]!.part}
              />
            ))}
            {chosen && (
              <rect
                x={chosen.left * 1000}
                y={chosen.lane * LANE + 1}
                width={Math.max(chosen.width * 1000, 3 / scale)}
                height={LANE - 2}
                className="timeline-chosen"
                vectorEffect="non-scaling-stroke"
              />
            )}
          </svg>
        </div>
        <div className="timeline-axis" style={{ width: `${scale * 100}%` }} aria-hidden>
          {Array.from({ length: TICKS * scale + 1 }, (_, i) => i / (TICKS * scale)).map((part) => (
            <span key={part} style={{ left: `${part * 100}%` }}>
              {formatMicroseconds(part * profile.spanUs)}
            </span>
          ))}
        </div>
      </div>
      <div className="timeline-zoom">
        <IconButton label="Zoom out" isDisabled={zoom === 0} onPress={() => setZoom(zoom - 1)}>
          <ZoomOut size={16} aria-hidden />
        </IconButton>
        <IconButton label="Zoom in" isDisabled={zoom === ZOOMS.length - 1} onPress={() => setZoom(zoom + 1)}>
          <ZoomIn size={16} aria-hidden />
        </IconButton>
      </div>
    </div>
  );
}
