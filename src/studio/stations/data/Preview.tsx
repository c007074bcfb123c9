import { ChevronLeft, ChevronRight } from 'lucide-react';
import { useEffect, useState } from 'react';
import type { TokenView } from '../../../worker/protocol.ts';
import { Empty, IconButton, Token } from '../../components/index.ts';
import { formatCount } from '../../format.ts';
import type { DataRow } from '../../stores/rowPages.ts';
import { useRecipe, useSession, useStudio } from '../../studio.tsx';
import { useDraft } from './stores.ts';

interface Shown {
  at: number;
  total: number;
  row: DataRow;
  tokens: TokenView;
}

/** One row as the model really reads it: virtual tokens first, then the template's words and the row's, token by token. */
export function Preview() {
  const { engine, notices } = useStudio();
  const task = useSession((s) => s.task);
  const virtual = useRecipe((s) => s.recipe.promptLength);
  const waiting = useDraft((s) => s.applying || s.pending);
  const [at, setAt] = useState(0);
  const [shown, setShown] = useState<Shown>();

  useEffect(() => {
    if (!task) {
      setShown(undefined);
      return;
    }
    let current = true;
    const ask = async () => {
      const { total, rows } = await engine.rows({ start: at, count: 1 });
      const row = rows[0];
      if (!row) {
        if (current && at > 0) setAt(0);
        return;
      }
      const tokens = await engine.readRow(row.row);
      if (current) setShown({ at, total, row, tokens });
    };
    ask().catch((error) => current && notices.getState().fail(error));
    return () => {
      current = false;
    };
  }, [engine, notices, task, at]);

  if (!task || !shown) return <Empty>One row will stand here, token by token, as the model reads it.</Empty>;
  const answer = task.labels.find((entry) => entry.label === shown.row.label);
  return (
    <div className="preview" aria-busy={waiting}>
      <div className="preview-head">
        <h3>What the model reads</h3>
        <span className="muted small">
          row {formatCount(shown.at + 1)} of {formatCount(shown.total)}
        </span>
        <IconButton label="Row before" isDisabled={at === 0} onPress={() => setAt(at - 1)}>
          <ChevronLeft size={16} aria-hidden />
        </IconButton>
        <IconButton label="Next row" isDisabled={at + 1 >= shown.total} onPress={() => setAt(at + 1)}>
          <ChevronRight size={16} aria-hidden />
        </IconButton>
      </div>
      <div className="reads">
        <p className="virtual" role="img" aria-label={`${virtual} virtual tokens that learn`}>
          {Array.from({ length: virtual }, (_, i) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: virtual tokens have no other name
            <i key={i} />
          ))}
        </p>
        <Tokens tokens={shown.tokens.tokens} />
      </div>
      <p className="small muted">
        {formatCount(shown.tokens.tokens.length)} tokens after {virtual} virtual ones
        {shown.tokens.truncated && '; the rest of this row is cut off'}.{' '}
        {waiting && 'The fields have changed; this is how it is read at present.'}
      </p>
      {answer && (
        <div className="answer">
          <span className="muted">should answer</span>
          <Tokens tokens={answer.tokens} />
          <span className="muted">for “{shown.row.label}”</span>
        </div>
      )}
    </div>
  );
}

export function Tokens({ tokens }: { tokens: readonly string[] }) {
  return (
    <p className="tokens">
      {tokens.map((token, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a token may stand twice
        <Token key={i} text={token} />
      ))}
    </p>
  );
}
