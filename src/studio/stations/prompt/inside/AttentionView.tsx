import { useState } from 'react';
import type { AttentionToPrompt } from '../../../../worker/protocol.ts';
import { Select, TextArea, Token, tokenText } from '../../../components/index.ts';
import { formatPercent } from '../../../format.ts';
import { useSession, useStudio } from '../../../studio.tsx';
import { BLOCK_NAMES, type Block, shareOfRow, sumOf, toTokens } from './attention.ts';
import { insideOf, useInside } from './stores.ts';
import { TokenBars } from './TokenBars.tsx';

/** Attention to the virtual tokens for one's own sentence, by layer and head. */
export function AttentionView() {
  const studio = useStudio();
  const onProcessor = useSession((s) => s.device?.engine === 'onnx');
  const isPair = useSession((s) => s.task?.settings.roles.text2 !== undefined);
  const text = useInside((s) => s.text);
  const text2 = useInside((s) => s.text2);
  const looking = useInside((s) => s.looking);
  const attention = useInside((s) => s.attention);
  const { setText } = insideOf(studio).getState();
  if (onProcessor)
    return (
      <p className="muted">
        The model runs on the processor now (ONNX Runtime), whose graph gives answers and gradients but keeps
        no attention. In a browser with WebGPU, or after switching to the graphics device at the Model
        station, this part shows it.
      </p>
    );
  return (
    <div className="attention">
      <div className="attention-text">
        <TextArea label="Your sentence" rows={2} value={text} onChange={(next) => setText(next, text2)} />
        {isPair && (
          <TextArea
            label="Second text"
            rows={2}
            value={text2 ?? ''}
            onChange={(next) => setText(text, next)}
          />
        )}
      </div>
      {attention ? (
        <Blocks attention={attention} />
      ) : (
        <p className="small muted">
          {looking
            ? 'Reading the sentence.'
            : 'Write a sentence: who looks at which virtual token stands here.'}
        </p>
      )}
    </div>
  );
}

function Blocks({ attention }: { attention: AttentionToPrompt }) {
  const [of, setOf] = useState<Block['of']>();
  const block = attention.blocks.find((b) => b.of === of) ?? attention.blocks[0]!;
  return (
    <>
      {attention.blocks.length > 1 && (
        <div className="attention-who">
          <Select
            label="Who looks"
            choices={attention.blocks.map((b) => ({ id: b.of, ...labelOf(b.of) }))}
            value={block.of}
            onChange={setOf}
          />
        </div>
      )}
      <BlockView key={`${block.of} ${block.tokens.join(' ')}`} attention={attention} block={block} />
    </>
  );
}

const labelOf = (of: Block['of']) => ({ label: BLOCK_NAMES[of].title, note: BLOCK_NAMES[of].who });

function BlockView({ attention, block }: { attention: AttentionToPrompt; block: Block }) {
  const { length, heads, label } = attention;
  const [row, setRow] = useState<number>();
  const [cell, setCell] = useState<[layer: number, head: number]>([0, 0]);
  const [layer, head] = cell;
  const own = block.layers[layer] && toTokens(block.layers[layer], length, heads, head, row);
  const most = Math.max(
    ...block.layers.flatMap((rows) =>
      Array.from({ length: heads }, (_, h) => Math.max(0, ...(toTokens(rows, length, heads, h, row) ?? []))),
    ),
    1e-9,
  );
  const even = length / block.seen;
  const asks = row === undefined ? 'all of these, on average' : `“${tokenText(block.tokens[row]!)}”`;
  return (
    <>
      <fieldset className="attention-rows" aria-label="Tokens that look; choose one">
        <button
          type="button"
          className="row-chip"
          aria-pressed={row === undefined}
          onClick={() => setRow(undefined)}
        >
          all
        </button>
        {block.tokens.map((token, i) => {
          const share = shareOfRow(block, length, heads, i);
          return (
            <button
              // biome-ignore lint/suspicious/noArrayIndexKey: a token is its place
              key={i}
              type="button"
              className="row-chip"
              aria-pressed={row === i}
              aria-label={`${tokenText(token)}: ${formatPercent(share, 0)} to the prompt`}
              style={{ '--share': `${Math.round(100 * share)}%` } as React.CSSProperties}
              onClick={() => setRow(row === i ? undefined : i)}
            >
              <Token text={block.of === 'cross' ? `→${token}` : token} />
              <small>{formatPercent(share, 0)}</small>
            </button>
          );
        })}
      </fieldset>
      <p className="small muted">
        Under each token: the share of its attention that goes to the prompt, mean of all layers and heads.
        Looked at evenly, {length} of {block.seen} rows would get {formatPercent(even, 0)}.
        {block.of === 'cross' && ` The arrow names the token of the answer (${label}) that is being written.`}
      </p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a wide grid is scrolled by key */}
      <section className="attention-scroll" tabIndex={0} aria-label="Layers and heads">
        <table className="attention-grid">
          <caption className="sr-only">
            Share of attention that goes to the prompt, by layer and head, of {asks}
          </caption>
          <thead>
            <tr>
              <td />
              {Array.from({ length: heads }, (_, h) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: a head is its place
                <th key={h} scope="col">
                  head {h + 1}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {block.layers.map((rows, l) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: a layer is its place
              <tr key={l}>
                <th scope="row">layer {l + 1}</th>
                {Array.from({ length: heads }, (_, h) => {
                  const bars = toTokens(rows, length, heads, h, row);
                  return (
                    // biome-ignore lint/suspicious/noArrayIndexKey: a head is its place
                    <td key={h}>
                      {bars ? (
                        <button
                          type="button"
                          className="attention-cell"
                          aria-pressed={l === layer && h === head}
                          aria-label={`Layer ${l + 1}, head ${h + 1}: ${formatPercent(sumOf(bars), 0)} to the prompt`}
                          onClick={() => setCell([l, h])}
                        >
                          <Spark values={bars} most={most} />
                          <span>{formatPercent(sumOf(bars), 0)}</span>
                        </button>
                      ) : (
                        <span className="small muted">does not ask here</span>
                      )}
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      {own && (
        <figure className="which" aria-label="Attention to each virtual token">
          <figcaption className="small">
            Layer {layer + 1}, head {head + 1}, {asks}: {formatPercent(sumOf(own))} of the attention goes to
            the prompt, {formatPercent(1 - sumOf(own))} to the rest.
          </figcaption>
          <TokenBars
            bars={own.map((value) => ({ value }))}
            format={(value) => formatPercent(value)}
            even={{ value: 1 / block.seen, name: 'looked at evenly' }}
          />
          <div className="sr-only">
            <table>
              <caption>
                Attention to each virtual token, layer {layer + 1}, head {head + 1}
              </caption>
              <tbody>
                {own.map((value, p) => (
                  // biome-ignore lint/suspicious/noArrayIndexKey: a virtual token is its place
                  <tr key={p}>
                    <th scope="row">virtual token {p + 1}</th>
                    <td>{formatPercent(value)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </figure>
      )}
    </>
  );
}

/** Small bars, one for each virtual token; all cells of a grid have one scale. */
function Spark({ values, most }: { values: readonly number[]; most: number }) {
  const path = values
    .map((value, p) => {
      const height = Math.min(1, value / most) * 22;
      return `M${p + 0.1} 24v${-Math.max(0.6, height).toFixed(2)}h.8v${Math.max(0.6, height).toFixed(2)}z`;
    })
    .join('');
  return (
    <svg className="spark" viewBox={`0 0 ${values.length} 24`} preserveAspectRatio="none" aria-hidden>
      <path d={path} />
    </svg>
  );
}
