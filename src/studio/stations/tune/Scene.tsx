import { type KeyboardEvent, type PointerEvent, useMemo } from 'react';
import type { LabelScore, SceneFrame } from '../../../worker/protocol.ts';
import { tokenText } from '../../components/index.ts';
import { formatBytes, formatCount, formatNumber, formatPercentShort } from '../../format.ts';
import { useSize } from '../../useSize.ts';
import { layOutScene, type SceneLayout } from './sceneLayout.ts';
import type { Beat } from './useBeats.ts';

export interface SceneProps {
  modelTitle: string;
  layers: readonly [encoder: number, decoder: number];
  promptLength: number;
  frozen: number;
  learned: number;
  /** Bytes of the frozen weights, where they are known. */
  frozenBytes?: number;
  tokens: readonly string[];
  frame?: SceneFrame;
  answers?: readonly LabelScore[];
  /** Says that this is a recording, and of what. */
  recorded?: string;
  tile?: number;
  /** Which part of a single step is shown. */
  beat?: Beat;
  onTile: (tile: number) => void;
}

/** Answers that fit above the decoder. */
const ANSWERS = 3;

/** The frozen network, the virtual tokens before its input, and the gradient on its way back, from a real step's numbers. */
export function Scene(props: SceneProps) {
  const { frame, promptLength, layers, tokens } = props;
  const [ref, size] = useSize<HTMLDivElement>();
  const layout = useMemo(
    () =>
      size &&
      layOutScene({
        width: size.width / size.unit,
        height: size.height / size.unit,
        promptLength,
        layers,
        tokens: tokens.map(tokenText),
        tokenGrad: frame?.tokenGrad,
        tokenMoved: frame?.tokenMoved,
        encoderGrad: frame?.encoderGrad,
        decoderGrad: frame?.decoderGrad,
      }),
    [size, frame, promptLength, layers, tokens],
  );
  return (
    <div className="scene" ref={ref}>
      {size && layout && (
        // biome-ignore lint/a11y/useSemanticElements: an svg cannot be a fieldset
        <svg
          viewBox={`0 0 ${size.width / size.unit} ${size.height / size.unit}`}
          width={size.width}
          height={size.height}
          role="group"
          data-beat={props.beat}
          aria-label={sceneWords(props)}
        >
          <Captions {...props} layout={layout} width={size.width / size.unit} />
          <Ribbons layout={layout} />
          <Stack name="encoder" stack={layout.encoder} withNorm />
          <Stack name="decoder" stack={layout.decoder} withNorm={layout.decoder.width > 150} />
          <Tiles {...props} layout={layout} />
          <Words layout={layout} />
          <Counts {...props} layout={layout} height={size.height / size.unit} />
        </svg>
      )}
    </div>
  );
}

function sceneWords({ modelTitle, layers, promptLength, frame }: SceneProps): string {
  const still = `${modelTitle}, frozen: ${layers[0]} encoder and ${layers[1]} decoder layers. ${promptLength} virtual tokens stand before the text and learn.`;
  if (!frame) return still;
  return `${still} Step ${frame.step}: the gradient's norm is ${formatNumber(frame.encoderGrad[0] ?? 0)} at the first encoder layer.`;
}

function Captions({
  modelTitle,
  recorded,
  answers,
  layout,
  width,
}: SceneProps & { layout: SceneLayout; width: number }) {
  const shown = [...(answers ?? [])].sort((a, b) => b.probability - a.probability).slice(0, ANSWERS);
  const { x } = layout.decoder;
  const labelX = x + (width < 480 ? 0 : 56);
  const barX = labelX + 66;
  const room = Math.max(10, width - 8 - barX);
  return (
    <g aria-hidden>
      <text x={8} y={18} className="scene-title">
        {modelTitle}, frozen
      </text>
      <text x={8} y={37} className={recorded ? 'scene-note warm-text' : 'scene-note'}>
        {recorded
          ? width < 560
            ? 'Recorded; Train makes yours.'
            : recorded
          : width < 560
            ? 'Ribbons: the gradient going back.'
            : 'Ribbons are the gradient on its way back: wider is larger.'}
      </text>
      {width >= 480 && (
        <text x={x} y={12}>
          answer
        </text>
      )}
      <g className="answers">
        {shown.map(({ label, probability }, i) => (
          <g key={label} transform={`translate(0 ${i * 15})`}>
            <text x={labelX} y={12}>
              {label.length > 10 ? `${label.slice(0, 9)}…` : label}
            </text>
            <rect
              x={barX}
              y={3}
              height={8}
              rx={3}
              width={Math.max(1, room * probability)}
              className={i === 0 ? 'fill-warm' : 'fill-grey'}
            >
              <title>{`${label}: ${formatPercentShort(probability)} %`}</title>
            </rect>
          </g>
        ))}
      </g>
    </g>
  );
}

function Ribbons({ layout }: { layout: SceneLayout }) {
  return (
    <g aria-hidden>
      {layout.cross.map((path) => (
        <path key={path} d={path} className={layout.encoderRibbons.length ? 'cross cross-on' : 'cross'} />
      ))}
      {[...layout.encoderRibbons, ...layout.decoderRibbons].map((ribbon) => (
        <rect key={`${ribbon.x > layout.encoder.width}${ribbon.y}`} {...ribbon} className="ribbon" />
      ))}
      {layout.tiles.map((tile) => tile.fan && <path key={tile.x} d={tile.fan} className="fan" />)}
    </g>
  );
}

function Stack({
  name,
  stack,
  withNorm,
}: {
  name: string;
  stack: SceneLayout['encoder'];
  withNorm: boolean;
}) {
  return (
    <g aria-hidden>
      {stack.bars.map((bar) => (
        <g key={bar.layer}>
          <rect
            x={stack.x}
            y={bar.y}
            width={stack.width}
            height={bar.height}
            rx={Math.min(6, bar.height / 3)}
            className="frozen"
          >
            <title>{`${name} ${bar.layer}${bar.norm === undefined ? '' : `: gradient norm ${formatNumber(bar.norm)}`}`}</title>
          </rect>
          {bar.named && (
            <text x={stack.x + 12} y={bar.y + bar.height / 2 + 4} className="frozen-text">
              {name} {bar.layer}
            </text>
          )}
          {bar.named && withNorm && bar.norm !== undefined && bar.norm > 0 && (
            <text
              x={stack.x + stack.width - 12}
              y={bar.y + bar.height / 2 + 4}
              textAnchor="end"
              className="frozen-text"
            >
              |∂| {formatNumber(bar.norm)}
            </text>
          )}
        </g>
      ))}
    </g>
  );
}

function Tiles({ layout, promptLength, frame, tile, onTile }: SceneProps & { layout: SceneLayout }) {
  const { tiles, ground } = layout;
  const left = tiles[0]!.x;
  const last = tiles.at(-1)!;
  const width = last.x + last.width - left;
  const touch = (event: PointerEvent<SVGGElement>) => {
    if (event.type === 'pointermove' && event.buttons === 0) return;
    const box = event.currentTarget.querySelector('[data-touch]')!.getBoundingClientRect();
    const share = (event.clientX - box.left) / box.width;
    onTile(clamp(Math.floor(share * promptLength), promptLength));
  };
  const move = (event: KeyboardEvent) => {
    const now = tile ?? -1;
    const next = {
      ArrowRight: now + 1,
      ArrowUp: now + 1,
      ArrowLeft: now - 1,
      ArrowDown: now - 1,
      Home: 0,
      End: promptLength - 1,
      PageUp: now + 10,
      PageDown: now - 10,
    }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    onTile(clamp(next, promptLength));
  };
  const chosen = tile !== undefined ? tiles[tile] : undefined;
  return (
    <g
      role="slider"
      tabIndex={0}
      className="tiles"
      aria-label="Virtual token to look inside"
      aria-valuemin={1}
      aria-valuemax={promptLength}
      aria-valuenow={(tile ?? 0) + 1}
      aria-valuetext={tileText(tile, frame)}
      onPointerDown={touch}
      onPointerMove={touch}
      onKeyDown={move}
    >
      <rect data-touch x={left} y={ground - 36} width={width} height={40} className="touch" />
      {tiles.map((t) => (
        <rect
          key={t.x}
          x={t.x}
          y={ground - t.height}
          width={t.width}
          height={t.height}
          rx={Math.min(2, t.width / 4)}
          className="tile"
          opacity={0.45 + 0.55 * t.strength}
        />
      ))}
      {chosen && (
        <rect
          x={chosen.x - 1.5}
          y={ground - chosen.height - 1.5}
          width={chosen.width + 3}
          height={chosen.height + 3}
          rx={3}
          className="tile-chosen"
        />
      )}
      <text x={left} y={ground + 17} className="warm-text" aria-hidden>
        {promptLength === 1 ? '1 virtual token learns' : `${promptLength} virtual tokens learn`}
      </text>
      {frame && (
        <text x={left} y={ground + 32} aria-hidden>
          {width < 200 ? 'height: gradient' : 'height: gradient, colour: distance moved'}
        </text>
      )}
    </g>
  );
}

function tileText(tile: number | undefined, frame: SceneFrame | undefined): string {
  if (tile === undefined) return 'none chosen';
  const grad = frame?.tokenGrad[tile];
  const moved = frame?.tokenMoved[tile];
  return grad === undefined || moved === undefined
    ? `token ${tile + 1}`
    : `token ${tile + 1}: gradient norm ${formatNumber(grad)}, moved ${formatNumber(moved)}`;
}

function Words({ layout }: { layout: SceneLayout }) {
  if (layout.words.length === 0) return null;
  return (
    <g aria-hidden>
      {layout.words.map((word) => (
        <g key={word.x}>
          <rect x={word.x} y={layout.ground - 24} width={word.width} height={24} rx={4} className="word" />
          <text x={word.x + word.width / 2} y={layout.ground - 8} textAnchor="middle" className="word-text">
            {word.text}
          </text>
        </g>
      ))}
      <text x={layout.wordsLeft} y={layout.ground + 17}>
        your text
      </text>
    </g>
  );
}

function Counts({
  layout,
  frozen,
  frozenBytes,
  learned,
  height,
}: SceneProps & { layout: SceneLayout; height: number }) {
  const { x, width } = layout.decoder;
  const share = learned / Math.max(1, frozen + learned);
  const y = height - 46;
  if (frozen === 0) return null;
  return (
    <g>
      <text x={x} y={y} className="frozen-text">
        frozen {formatCount(frozen)}
        {width > 150 && frozenBytes !== undefined && `, ${formatBytes(frozenBytes)}`}
      </text>
      <text x={x} y={y + 17} className="warm-text">
        learned {formatCount(learned)}
        {width > 150 && `, ${formatBytes(4 * learned)}, ${(share * 100).toFixed(share < 0.001 ? 3 : 2)} %`}
      </text>
      <rect x={x} y={y + 25} width={width} height={7} rx={3} className="frozen" />
      <rect x={x} y={y + 25} width={Math.max(2, width * share)} height={7} className="fill-warm" />
    </g>
  );
}

function clamp(tile: number, promptLength: number): number {
  return Math.max(0, Math.min(promptLength - 1, tile));
}
