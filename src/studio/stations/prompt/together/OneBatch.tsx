import type { TogetherReport } from '../../../../worker/protocol.ts';
import { Bar, Button, TextField } from '../../../components/index.ts';
import { Section } from '../../../components/sections.tsx';
import { formatBytes, formatCount, formatNumber, formatPercent, plural } from '../../../format.ts';
import { refKey } from '../../../stores/results.ts';
import { useSession, useStudio } from '../../../studio.tsx';
import { bytesOf } from './numbers.ts';
import { togetherOf, useTogether } from './stores.ts';

/** Texts of several tasks in one forward pass, each behind its own prompt. */
export function OneBatch() {
  const studio = useStudio();
  const chosen = useTogether((s) => s.chosen);
  const texts = useTogether((s) => s.texts);
  const report = useTogether((s) => s.report);
  const reading = useTogether((s) => s.reading);
  const { setText, read } = togetherOf(studio).getState();
  const lacking = chosen.filter(({ prompt }) => !texts[refKey(prompt)]?.text.trim());
  return (
    <Section
      title="One batch that mixes tasks"
      note="Each text is read behind its own prompt, with its own template and its own labels, and all of them in one forward pass of the one model (Lester et al. 2021, figure 2)."
    >
      <ul className="together-texts">
        {chosen.map(({ prompt, name, length, template, labels, examples }, i) => {
          const key = refKey(prompt);
          const own = texts[key] ?? { text: '' };
          const answer = report?.answers[i];
          const known = examples.find(({ text, text2 }) => text === own.text && text2 === own.text2);
          return (
            <li key={key}>
              <div className="together-text">
                <TextField
                  label={`${name}: ${labels.length > 4 ? plural(labels.length, 'label') : labels.join(' or ')}`}
                  value={own.text}
                  placeholder="Write a text for this task."
                  onChange={(text) => setText(key, text, own.text2)}
                />
                {template.includes('{text2}') && (
                  <TextField
                    label="Second text"
                    value={own.text2 ?? ''}
                    onChange={(text2) => setText(key, own.text, text2)}
                  />
                )}
                <p className="small muted">
                  {plural(length, 'virtual token')}
                  {known && `; one of its dev rows, the right answer is ${known.label}`}
                </p>
              </div>
              <dl className="together-scores" aria-label={`Answer to the text of ${name}`}>
                {(answer?.scores ?? labels.map((label) => ({ label, probability: undefined }))).map(
                  ({ label, probability }) => (
                    <div key={label} data-best={label === answer?.label || undefined}>
                      <dt title={label}>{label}</dt>
                      <Bar share={probability ?? 0} tone="warm" />
                      <dd>{probability === undefined ? '–' : formatPercent(probability, 0)}</dd>
                    </div>
                  ),
                )}
              </dl>
            </li>
          );
        })}
      </ul>
      <div className="together-press">
        <Button isDisabled={reading || chosen.length === 0 || lacking.length > 0} onPress={() => void read()}>
          Read all in one pass
        </Button>
        {lacking.length > 0 && (
          <span className="small muted">
            Still without a text: {lacking.map(({ name }) => name).join(', ')}.
          </span>
        )}
      </div>
      {report && (
        <p role="status">
          {plural(report.passes.length, 'forward pass', 'forward passes')} of the frozen model read{' '}
          {plural(report.answers.length, 'text')} behind {plural(chosen.length, 'prompt')}:{' '}
          {report.passes.map(({ rows }) => `${formatCount(rows)} rows`).join(' and ')}, no padding,{' '}
          {formatNumber(Math.max(1, Math.round(report.milliseconds)))} ms. Read one by one, no probability is
          off by more than {report.difference < 1e-6 ? 'a millionth' : formatNumber(report.difference)}.
        </p>
      )}
      {report && <Strip report={report} />}
      <Sizes />
    </Section>
  );
}

/** The batch as it was packed: for each text its virtual tokens, then the text's own. */
function Strip({ report }: { report: TogetherReport }) {
  const chosen = useTogether((s) => s.chosen);
  const parts = report.answers.map(({ tokens }, i) => ({
    name: chosen[i]?.name ?? '',
    virtual: chosen[i]?.length ?? 0,
    tokens,
  }));
  const words = parts.map(
    ({ name, virtual, tokens }) => `${name}: ${virtual} virtual tokens, ${tokens} of the text`,
  );
  return (
    <figure className="strip" aria-label={`The batch, text after text. ${words.join('; ')}.`}>
      <div aria-hidden>
        {parts.map(({ name, virtual, tokens }, i) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a text is its place in the batch
          <span key={i} style={{ flexGrow: virtual + tokens }} title={words[i]}>
            <span className="strip-cells">
              <i data-learned style={{ flexGrow: virtual }} />
              <i style={{ flexGrow: tokens }} />
            </span>
            <small>{name}</small>
          </span>
        ))}
      </div>
      <figcaption className="small muted">
        What the encoder, or the decoder of a model without one, reads in this pass: warm what was learned,
        cool the texts.
      </figcaption>
    </figure>
  );
}

/** The paper's point in bytes. */
function Sizes() {
  const chosen = useTogether((s) => s.chosen);
  const model = useSession((s) => s.model);
  if (!model || chosen.length === 0) return null;
  const { together, copies } = bytesOf(model.weightBytes, chosen);
  const prompts = together - model.weightBytes;
  return (
    <figure className="together-bytes" aria-label="Bytes for these tasks">
      <div>
        <span>one frozen model and {plural(chosen.length, 'prompt')}</span>
        <span className="byte-bar" aria-hidden>
          <i data-frozen style={{ width: `${(100 * model.weightBytes) / copies}%` }} />
          <i data-learned style={{ width: `max(2px, ${(100 * prompts) / copies}%)` }} />
        </span>
        <b>{formatBytes(together)}</b>
      </div>
      <div>
        <span>{plural(chosen.length, 'tuned model')}, one a task</span>
        <span className="byte-bar" aria-hidden>
          {chosen.map(({ prompt }) => (
            <i key={refKey(prompt)} data-copy style={{ width: `${100 / chosen.length}%` }} />
          ))}
        </span>
        <b>{formatBytes(copies)}</b>
      </div>
      <figcaption className="small muted">
        A task more costs {formatBytes(prompts / chosen.length)} as a prompt, {formatBytes(model.weightBytes)}{' '}
        as a tuned model: {formatCount(Math.round(model.weightBytes / (prompts / chosen.length)))} times as
        much.
      </figcaption>
    </figure>
  );
}
