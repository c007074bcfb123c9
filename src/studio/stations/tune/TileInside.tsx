import { Link } from 'wouter';
import { Token, tokenText } from '../../components/index.ts';
import { formatNumber } from '../../format.ts';
import { useTryIt } from '../../studio.tsx';

/** Inside the virtual token that one touched: the words nearest to it, against what a random vector would find. */
export function TileInside() {
  const tile = useTryIt((s) => s.tile);
  const hasPrompt = useTryIt((s) => s.soft !== undefined);
  const neighbours = useTryIt((s) => s.neighbours);
  const inside = tile === undefined ? undefined : neighbours?.tokens[tile];
  if (tile === undefined || !inside || !neighbours)
    return (
      <div>
        <div className="panel-head">
          <h2>{tile === undefined ? 'Inside a tile' : `Inside tile ${tile + 1}`}</h2>
        </div>
        <p className="small muted">
          {hasPrompt && tile !== undefined
            ? 'Looking for the nearest words.'
            : 'Touch a tile in the picture: the words nearest to that virtual token stand here once a prompt has begun to learn.'}
        </p>
      </div>
    );
  const { random } = neighbours;
  const best = inside.words[0]?.cosine ?? 0;
  return (
    <div className="inside">
      <div className="panel-head">
        <h2>Inside tile {tile + 1}</h2>
      </div>
      <p className={best > random.p95 ? undefined : 'inside-random'}>
        {inside.words.map(({ word }) => (
          <Token key={word} text={word} />
        ))}
      </p>
      <p className="small muted">
        cosine {inside.words.map(({ cosine }) => cosine.toFixed(2)).join(', ')}; a random vector’s best is{' '}
        {random.mean.toFixed(2)}
        {best <= random.p95 && ', so these words say nothing'}. Moved {formatNumber(inside.moved)} from its
        start
        {inside.startedFrom && <>, the word “{tokenText(inside.startedFrom)}”</>}.{' '}
        <Link href="/prompt/inside">All of them, on a map</Link>
      </p>
    </div>
  );
}
