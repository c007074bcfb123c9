import { Token, tokenText } from '../../../components/index.ts';
import { Section } from '../../../components/sections.tsx';
import { formatNumber } from '../../../format.ts';
import { useStudio } from '../../../studio.tsx';
import { insideOf, useInside } from './stores.ts';

/** The words nearest to each virtual token at the step one looks at. */
export function Words() {
  const studio = useStudio();
  const words = useInside((s) => s.words);
  const tile = useInside((s) => s.tile);
  const { setTile } = insideOf(studio).getState();
  // A kept prompt knows nothing of where it started.
  const isRun = useInside((s) => s.prompt?.kind === 'run');
  const p95 = words?.random.p95 ?? 0;
  const far = words?.tokens.filter((token) => (token.words[0]?.cosine ?? 0) <= p95).length ?? 0;
  return (
    <Section
      title="Nearest words"
      note={
        words ? (
          <>
            By cosine, 1 at most. Of random vectors 95 in 100 find no word nearer than {p95.toFixed(2)}; words
            no nearer than that are grey, since they say nothing: {far} of {words.tokens.length} virtual
            tokens have no other. That is no fault. A prompt is free to lie anywhere that makes the model
            answer right, and prompts that do may read as nonsense or even as another task (Khashabi et al.
            2022, “prompt waywardness”).
          </>
        ) : (
          'Looking for the nearest words.'
        )
      }
    >
      {words && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a long list is scrolled by key
        <section className="inside-words" tabIndex={0} aria-label="Nearest words, a list">
          <table className="table">
            <caption className="sr-only">Nearest words of each virtual token</caption>
            <thead>
              <tr>
                <th scope="col">token</th>
                <th scope="col">nearest words and their cosine</th>
                {isRun && <th scope="col">started as</th>}
                {isRun && (
                  <th scope="col" data-align="end">
                    moved
                  </th>
                )}
              </tr>
            </thead>
            <tbody>
              {words.tokens.map((token, i) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: a virtual token is its place
                <tr key={i} data-selected={i === tile || undefined}>
                  <th scope="row">
                    <button
                      type="button"
                      className="tile-button"
                      aria-pressed={i === tile}
                      aria-label={`Virtual token ${i + 1}`}
                      onClick={() => setTile(i === tile ? undefined : i)}
                    >
                      {i + 1}
                    </button>
                  </th>
                  <td>
                    <span className="word-list">
                      {token.words.map(({ word, cosine }) => (
                        <span key={word} data-far={cosine <= p95 || undefined}>
                          <Token text={word} /> {cosine.toFixed(2)}
                          {cosine <= p95 && <span className="sr-only"> no nearer than by chance</span>}
                        </span>
                      ))}
                    </span>
                  </td>
                  {isRun && (
                    <td>
                      {token.startedFrom ? tokenText(token.startedFrom) : <span className="muted">–</span>}
                    </td>
                  )}
                  {isRun && <td data-align="end">{formatNumber(token.moved)}</td>}
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </Section>
  );
}
