import { Link } from 'wouter';
import { Bar, Empty, Token } from '../../components/index.ts';
import { formatCount, plural } from '../../format.ts';
import { useControl, useRecipe, useSession, useTryIt } from '../../studio.tsx';
import { Fold } from './Fold.tsx';
import { RecipePanel } from './RecipePanel.tsx';
import { YouCouldTry } from './YouCouldTry.tsx';

/** Left: what goes in. Labels and their counts, one text as the model reads it, the recipe. */
export function GoesIn() {
  const ideas = !useControl('ideas').hidden;
  return (
    <section className="tune-in" aria-label="What goes in">
      <Labels />
      <Reading />
      <Fold title="Recipe: prompt length, start, learning rate">
        <RecipePanel />
      </Fold>
      {ideas && <YouCouldTry />}
    </section>
  );
}

/** More labels than this stand in two columns without bars. */
const WITH_BARS = 3;
/** More than this are counted, not named. */
const NAMED = 8;

function Labels() {
  const data = useSession((s) => s.data);
  const task = useSession((s) => s.task);
  const phase = useSession((s) => s.phase);
  const open = !useControl('data').hidden;
  if (!data || !task)
    return (
      <div>
        <div className="panel-head">
          <h2>Data</h2>
          <Link href="/data">choose data</Link>
        </div>
        <Empty>
          {phase === 'waiting' || phase === 'ready'
            ? 'The labels of your rows and their counts stand here.'
            : 'A sample is on its way.'}
        </Empty>
      </div>
    );
  const { labels, counts, mended } = task;
  const most = Math.max(...labels.map((label) => label.count));
  return (
    <div>
      <div className="panel-head">
        <h2>{data.name}</h2>
        {open && <Link href="/data">change data</Link>}
      </div>
      <dl className={labels.length > WITH_BARS ? 'label-counts label-grid' : 'label-counts'}>
        {labels.slice(0, NAMED).map((label) => (
          <div key={label.label}>
            <dt title={label.label}>{label.label}</dt>
            {labels.length <= WITH_BARS && <Bar share={label.count / most} />}
            <dd>{formatCount(label.count)}</dd>
          </div>
        ))}
        {labels.length > NAMED && (
          <div>
            <dt>{plural(labels.length - NAMED, 'more label')}</dt>
            <dd />
          </div>
        )}
      </dl>
      <p className="small muted">
        {plural(counts.examples, 'row')}: {formatCount(counts.train)} train, {formatCount(counts.dev)} dev,{' '}
        {formatCount(counts.test)} test.
        {counts.leftOut > 0 &&
          ` ${formatCount(counts.leftOut)} left out${mended.length ? ' on your word' : ''}.`}
      </p>
    </div>
  );
}

function Reading() {
  const reading = useTryIt((s) => s.reading);
  const promptLength = useRecipe((s) => s.recipe.promptLength);
  return (
    <div>
      <div className="panel-head">
        <h2>What the model reads</h2>
      </div>
      <div className="tune-reads">
        <div
          className="tune-reads-tiles"
          role="img"
          aria-label={`${plural(promptLength, 'virtual token')} before the text`}
          style={{ gap: promptLength > 40 ? 0.5 : 2 }}
        >
          {Array.from({ length: promptLength }, (_, i) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: tiles have no identity but their place
            <i key={i} />
          ))}
        </div>
        <p>
          {reading ? (
            reading.tokens.map((token, i) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: the same token may stand twice
              <Token key={i} text={token} />
            ))
          ) : (
            <span className="muted small">Your text stands here, token by token.</span>
          )}
          {reading?.truncated && <span className="small muted"> cut here</span>}
        </p>
      </div>
    </div>
  );
}
