import { ZoomIn, ZoomOut } from 'lucide-react';
import { useEffect, useMemo, useRef, useState } from 'react';
import type { PromptTrail, VocabularyMap } from '../../../../worker/protocol.ts';
import { Button, IconButton, TextField, tokenText } from '../../../components/index.ts';
import { Section } from '../../../components/sections.tsx';
import { formatCount, formatNumber, formatPercent } from '../../../format.ts';
import { useSize } from '../../../useSize.ts';
import { drawMap } from './drawMap.ts';
import { type Bounds, boundsOf, findWord, median, pointAt, viewOf, zoomed } from './mapView.ts';
import { useInside } from './stores.ts';

/** The words of the model on a plane, and the prompt's way over it. */
export function MapView() {
  const map = useInside((s) => s.map);
  const trail = useInside((s) => s.trail);
  const at = useInside((s) => s.at);
  return (
    <Section
      title="A map of words, and the prompt’s way"
      note={map && trail && <About map={map} trail={trail} at={at} />}
    >
      {map && trail ? (
        <Plane map={map} trail={trail} at={at} />
      ) : (
        <p className="small muted">Laying the words out.</p>
      )}
    </Section>
  );
}

function About({ map, trail, at }: { map: VocabularyMap; trail: PromptTrail; at: number }) {
  const P = trail.length;
  const norm = median(trail.norms.subarray(at * P, (at + 1) * P));
  const usual = median(map.norms);
  return (
    <>
      {formatCount(map.words.length)} of {formatCount(map.of)} words on the two directions in which they
      differ most (PCA). The plane shows {formatPercent(map.explained[0] + map.explained[1])} of the words’
      differences and {formatPercent(trail.shown[at] ?? 0)} of the prompt’s distance from their middle:
      neighbours here may be far apart.{' '}
      {norm > 1.5 * usual &&
        `The prompt lies far outside of the words: its vectors are ${formatNumber(norm / usual)} times as long as a usual word’s, at this step.`}
    </>
  );
}

type Fit = 'all' | 'words';

function Plane({ map, trail, at }: { map: VocabularyMap; trail: PromptTrail; at: number }) {
  const tile = useInside((s) => s.tile);
  const [ref, size] = useSize<HTMLDivElement>();
  const canvas = useRef<HTMLCanvasElement>(null);
  const [fit, setFit] = useState<Fit>('all');
  const [zoom, setZoom] = useState(1);
  const [hovered, setHovered] = useState<number>();
  const [asked, setAsked] = useState('');
  const [theme, setTheme] = useState(0);
  const P = trail.length;
  const found = useMemo(() => findWord(map.words, asked), [map, asked]);
  const marked = hovered ?? found;

  const now = useMemo(() => trail.xy.subarray(at * P * 2, (at + 1) * P * 2), [trail, at, P]);
  const bounds = useMemo((): Bounds => {
    const whole = fit === 'words' ? boundsOf(map.xy) : boundsOf(map.xy, trail.xy);
    if (zoom === 1) return whole;
    const own = tile === undefined ? [...now] : [now[2 * tile]!, now[2 * tile + 1]!];
    const around: [number, number] =
      fit === 'words'
        ? [(whole.x0 + whole.x1) / 2, (whole.y0 + whole.y1) / 2]
        : [median(own.filter((_, i) => i % 2 === 0)), median(own.filter((_, i) => i % 2 === 1))];
    return zoomed(whole, zoom, around);
  }, [map, trail, fit, zoom, tile, now]);
  const view = useMemo(() => size && viewOf(bounds, size.width, size.height), [bounds, size]);

  useEffect(() => {
    const observer = new MutationObserver(() => setTheme((n) => n + 1));
    observer.observe(document.documentElement, { attributeFilter: ['data-theme'] });
    return () => observer.disconnect();
  }, []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another theme has other colours
  useEffect(() => {
    if (canvas.current && size && view)
      drawMap(canvas.current, size, view, { map, trail, at, tile, hovered: marked });
  }, [size, view, map, trail, at, tile, marked, theme]);

  return (
    <figure className="map" aria-label="Map of words and virtual tokens">
      <div className="map-tools">
        <Button onPress={() => setFit(fit === 'all' ? 'words' : 'all')}>
          {fit === 'all' ? 'Fit the words' : 'Fit the trails'}
        </Button>
        <IconButton label="Nearer" onPress={() => setZoom(Math.min(64, zoom * 2))}>
          <ZoomIn size={16} aria-hidden />
        </IconButton>
        <IconButton label="Farther" isDisabled={zoom === 1} onPress={() => setZoom(Math.max(1, zoom / 2))}>
          <ZoomOut size={16} aria-hidden />
        </IconButton>
        <div className="map-find">
          <TextField
            hideLabel
            label="Find a word"
            placeholder="Find a word"
            value={asked}
            onChange={setAsked}
          />
          <span className="sr-only" role="status">
            {found !== undefined
              ? `${tokenText(map.words[found]!)} lies at ${formatNumber(map.xy[2 * found]!)}, ${formatNumber(map.xy[2 * found + 1]!)}.`
              : asked.trim() && 'Not among the words of the map.'}
          </span>
        </div>
      </div>
      <div
        className="map-plane"
        ref={ref}
        aria-hidden
        onPointerMove={(event) => {
          const box = event.currentTarget.getBoundingClientRect();
          setHovered(view && pointAt(map.xy, view, [event.clientX - box.left, event.clientY - box.top], 14));
        }}
        onPointerLeave={() => setHovered(undefined)}
      >
        <canvas ref={canvas} />
      </div>
      <figcaption className="map-legend">
        <span>
          <i data-kind="word" /> word
        </span>
        <span>
          <i data-kind="label" /> word of a label
        </span>
        <span>
          <i data-kind="start" /> where a virtual token started
        </span>
        <span>
          <i data-kind="now" /> where it is at this step
        </span>
      </figcaption>
      <Behind map={map} trail={trail} at={at} />
    </figure>
  );
}

/** The map in numbers. */
function Behind({ map, trail, at }: { map: VocabularyMap; trail: PromptTrail; at: number }) {
  const P = trail.length;
  const place = (step: number, p: number) =>
    [0, 1].map((axis) => formatNumber(trail.xy[(step * P + p) * 2 + axis]!)).join(', ');
  return (
    <div className="sr-only">
      <table>
        <caption>Places on the map: first and second direction</caption>
        <thead>
          <tr>
            <th scope="col">what</th>
            <th scope="col">at the start</th>
            <th scope="col">at step {trail.steps[at]}</th>
          </tr>
        </thead>
        <tbody>
          {map.labels.map(({ label, word, x, y }) => (
            <tr key={label}>
              <th scope="row">
                {word}, word of the label {label}
              </th>
              <td colSpan={2}>
                {formatNumber(x)}, {formatNumber(y)}
              </td>
            </tr>
          ))}
          {Array.from({ length: P }, (_, p) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a virtual token is its place
            <tr key={p}>
              <th scope="row">virtual token {p + 1}</th>
              <td>{place(0, p)}</td>
              <td>{place(at, p)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
