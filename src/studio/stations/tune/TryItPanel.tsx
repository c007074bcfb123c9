import { Circle, Diamond, X } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import type { LabelScore } from '../../../worker/protocol.ts';
import { Bar, Button, IconButton, TextArea } from '../../components/index.ts';
import { formatPercentShort } from '../../format.ts';
import { currentRun, isLive } from '../../stores/runs.ts';
import type { Pin } from '../../stores/tryIt.ts';
import { useLive, useSession, useStudio, useTryIt } from '../../studio.tsx';
import { breakingsFor } from './breakings.ts';
import { TileInside } from './TileInside.tsx';

/** Right: what comes out. */
export function TryItPanel() {
  /** The text that is to be answered otherwise, as it stood before anything was changed. */
  const [broken, setBroken] = useState<{ text: string; label: string }>();
  return (
    <section className="tune-out" aria-label="What comes out">
      <Text broken={broken} onDone={() => setBroken(undefined)} />
      <Answers />
      <Watching onBreak={(text, label) => setBroken({ text, label })} />
      <TileInside />
    </section>
  );
}

function Text({
  broken,
  onDone,
}: {
  broken: { text: string; label: string } | undefined;
  onDone: () => void;
}) {
  const text = useTryIt((s) => s.text);
  const text2 = useTryIt((s) => s.text2);
  const isPair = useSession((s) => s.task?.settings.roles.text2 !== undefined);
  const { setText, pin } = useStudio().tryIt.getState();
  return (
    <div className="try-text">
      <div className="panel-head">
        <h2>Try it</h2>
        <Button variant="link" isDisabled={!text.trim()} onPress={() => pin({ text, text2 })}>
          pin this
        </Button>
      </div>
      <TextArea
        hideLabel
        label="Your text"
        rows={isPair ? 1 : 2}
        value={text}
        placeholder="Write a text to see what the model answers."
        onChange={(next) => setText(next, text2)}
      />
      {isPair && (
        <TextArea
          hideLabel
          label="Your second text"
          rows={1}
          value={text2 ?? ''}
          onChange={(next) => setText(text, next)}
        />
      )}
      {broken && (
        <fieldset className="breakings">
          <legend className="sr-only">Now break it</legend>
          <p className="small">
            It says <b>{broken.label}</b>. Change as few words as you can until it does not, or press:
          </p>
          {breakingsFor(broken.text).map(({ id, label, apply }) => (
            <Button key={id} onPress={() => setText(apply(broken.text), text2)}>
              {label}
            </Button>
          ))}
          <Button
            variant="quiet"
            onPress={() => {
              setText(broken.text, text2);
              onDone();
            }}
          >
            as it was
          </Button>
        </fieldset>
      )}
    </div>
  );
}

/** More labels than this stand in one table of three columns. */
const APART = 2;

function Answers() {
  const none = useTryIt((s) => s.none);
  const written = useTryIt((s) => s.written);
  const soft = useTryIt((s) => s.softScores);
  const labels = useSession((s) => s.task?.labels);
  const writtenPrompt = useSession((s) => s.task?.settings.writtenPrompt);
  const ofRun = useLive(softName);
  const isSaved = useTryIt((s) => s.soft?.kind === 'saved');
  const softTitle = isSaved ? 'Soft prompt, saved' : ofRun;
  if (!labels) return <p className="small muted">The labels’ probabilities stand here once there is data.</p>;
  const names = labels.map((label) => label.label);
  if (names.length > APART)
    return (
      <table className="answers-table">
        <caption className="sr-only">Probability of each label in percent</caption>
        <thead>
          <tr>
            <td />
            <th scope="col" title="no prompt">
              none
            </th>
            <th scope="col" title={writtenPrompt}>
              written
            </th>
            <th scope="col" className="warm" title={softTitle}>
              {softTitle === 'Soft prompt' ? 'soft' : softTitle.replace(/^Soft prompt, (best,)?/, '')}
            </th>
          </tr>
        </thead>
        <tbody>
          {names.map((name) => (
            <tr key={name}>
              <th scope="row" title={name}>
                {name}
              </th>
              <Cell scores={none} label={name} />
              <Cell scores={written} label={name} />
              <Cell scores={soft} label={name} warm />
            </tr>
          ))}
        </tbody>
      </table>
    );
  return (
    <>
      <ScoreList title="No prompt" labels={names} scores={none} />
      <ScoreList
        title="Written prompt"
        labels={names}
        scores={written}
        note={writtenPrompt && `“${writtenPrompt.replace(/\s*:?\s*\{text2?\}\s*/g, ' ').trim()}”`}
      />
      <ScoreList title={softTitle} labels={names} scores={soft} warm />
    </>
  );
}

function softName(state: Parameters<typeof currentRun>[0]): string {
  const run = currentRun(state);
  if (!run || run.state === 'starting') return 'Soft prompt';
  return isLive(run.state)
    ? `Soft prompt, step ${run.step}`
    : `Soft prompt, best${run.bestStep === undefined ? '' : `, step ${run.bestStep}`}`;
}

function ScoreList({
  title,
  note,
  labels,
  scores,
  warm = false,
}: {
  title: string;
  note?: ReactNode;
  labels: string[];
  scores: LabelScore[] | undefined;
  warm?: boolean;
}) {
  return (
    <div className="scores">
      <h3 className={warm ? 'warm' : undefined}>
        {title} {note && <span className="muted">{note}</span>}
      </h3>
      <dl>
        {labels.map((label) => {
          const share = probability(scores, label);
          return (
            <div key={label}>
              <dt title={label}>{label}</dt>
              <Bar share={share ?? 0} tone={warm ? 'warm' : 'plain'} />
              <dd>{share === undefined ? '–' : formatPercentShort(share)}</dd>
            </div>
          );
        })}
      </dl>
    </div>
  );
}

function Cell({
  scores,
  label,
  warm = false,
}: {
  scores: LabelScore[] | undefined;
  label: string;
  warm?: boolean;
}) {
  const share = probability(scores, label);
  return (
    <td>
      <span>{share === undefined ? '–' : formatPercentShort(share)}</span>
      <Bar share={share ?? 0} tone={warm ? 'warm' : 'plain'} />
    </td>
  );
}

function probability(scores: LabelScore[] | undefined, label: string): number | undefined {
  return scores?.find((score) => score.label === label)?.probability;
}

/** Pinned rows: right is a teal circle, wrong a violet diamond; the number is the right label's probability. */
function Watching({ onBreak }: { onBreak: (text: string, label: string) => void }) {
  const pins = useTryIt((s) => s.pins);
  const { tryIt, notices } = useStudio();
  /** Takes the row that is answered most surely and right, for the person to turn with as few words as can be. */
  const breakIt = () => {
    const right = pins.filter((pin) => pin.label !== undefined && pin.prediction?.label === pin.label);
    const surest = right.reduce<Pin | undefined>(
      (best, pin) => (!best || sureness(pin) > sureness(best) ? pin : best),
      undefined,
    );
    if (!surest) return notices.getState().toast('No watched row is answered right yet. Train first.');
    tryIt.getState().setText(surest.text, surest.text2);
    onBreak(surest.text, surest.label ?? '');
    document.querySelector<HTMLTextAreaElement>('.try-text textarea')?.focus();
  };
  return (
    <div className="watching">
      <div className="panel-head">
        <h2>Watching</h2>
        {pins.length > 0 && (
          <Button variant="link" onPress={breakIt}>
            now break it
          </Button>
        )}
      </div>
      {pins.length === 0 ? (
        <p className="small muted">Pin a text to see its answer change while the prompt learns.</p>
      ) : (
        <ul className="pins">
          {pins.map((pin) => (
            <PinRow key={pin.id} pin={pin} />
          ))}
        </ul>
      )}
    </div>
  );
}

function sureness(pin: Pin): number {
  return probability(pin.prediction?.scores, pin.label ?? pin.prediction?.label ?? '') ?? 0;
}

function PinRow({ pin }: { pin: Pin }) {
  const { unpin, setText } = useStudio().tryIt.getState();
  const { prediction, label } = pin;
  const right = prediction && label !== undefined ? prediction.label === label : undefined;
  return (
    <li>
      {right === undefined ? (
        <Circle
          size={12}
          className="pin-open"
          aria-label={prediction ? `answer: ${prediction.label}` : 'no answer yet'}
        />
      ) : right ? (
        <Circle size={12} fill="currentColor" className="pin-right" aria-label="right" />
      ) : (
        <Diamond
          size={13}
          fill="currentColor"
          className="pin-wrong"
          aria-label={`wrong: ${prediction!.label}`}
        />
      )}
      <Button variant="link" onPress={() => setText(pin.text, pin.text2)}>
        {pin.text2 ? `${pin.text} / ${pin.text2}` : pin.text}
      </Button>
      <span title={label ? `probability of ${label}` : 'probability of the answer'}>
        {prediction ? formatPercentShort(sureness(pin)) : '–'}
      </span>
      <IconButton label="Stop watching" onPress={() => unpin(pin.id)}>
        <X size={13} aria-hidden />
      </IconButton>
    </li>
  );
}
