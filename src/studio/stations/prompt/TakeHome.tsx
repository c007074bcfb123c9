import { Check, Copy, Download } from 'lucide-react';
import { type ReactNode, useEffect, useState } from 'react';
import type { ExportedFile, ExportFormat, PromptRef } from '../../../worker/protocol.ts';
import { Button, Tabs } from '../../components/index.ts';
import { saveFile } from '../../download.ts';
import { formatBytes, plural } from '../../format.ts';
import { libraryOf, type PromptChoice, useLibrary } from '../../prompts.ts';
import { refKey } from '../../stores/results.ts';
import { type Studio, useRuns, useSession, useStudio } from '../../studio.tsx';

const FORMS: { format: ExportFormat; title: string; use: string }[] = [
  {
    format: 'peft',
    title: 'PEFT adapter (.zip)',
    use: 'For Hugging Face: PeftModel.from_pretrained reads it unpacked; its README ranks the labels as done here.',
  },
  {
    format: 'npy',
    title: 'NumPy (.npy)',
    use: 'The bare numbers, as the paper’s authors release theirs.',
  },
  {
    format: 'json',
    title: 'JSON',
    use: 'With the recipe, the task, the figures and the model’s fingerprint: the one to come back with.',
  },
];

/** Three forms of one prompt, each with what it is for and the script that predicts with it. */
export function TakeHome({ choice }: { choice: PromptChoice }) {
  const studio = useStudio();
  const saved = useLibrary((s) => s.prompts);
  const runs = useRuns((s) => s.runs);
  const model = useSession((s) => s.model);
  const [busy, setBusy] = useState<ExportFormat>();

  const { prompt } = choice;
  const kept = prompt.kind === 'saved' ? saved?.find(({ id }) => id === prompt.id) : undefined;
  const run = prompt.kind === 'run' ? runs.find(({ id }) => id === prompt.run) : undefined;
  const length = kept?.length ?? run?.recipe.promptLength ?? 0;
  const width = kept?.width ?? model?.width ?? 0;

  const download = async (format: ExportFormat) => {
    setBusy(format);
    const file = await libraryOf(studio).getState().exportFile(prompt, format);
    setBusy(undefined);
    if (file) save(studio, file);
  };

  return (
    <>
      <p className="warm">
        {plural(length, 'virtual token')} of {width} numbers: {plural(length * width, 'number')},{' '}
        {formatBytes(length * width * 4)} as float32.
      </p>
      <ul className="forms">
        {FORMS.map(({ format, title, use }) => (
          <li key={format} className="form">
            <h3>{title}</h3>
            <p>{use}</p>
            <Button
              isDisabled={busy !== undefined}
              aria-label={`Download ${title}`}
              onPress={() => void download(format)}
            >
              <Download size={15} aria-hidden /> Download
            </Button>
          </li>
        ))}
      </ul>
      <Tabs
        label="Python that predicts"
        tabs={FORMS.map(({ format, title }) => ({
          id: format,
          title,
          content: <Script prompt={prompt} name={kept?.name} format={format} />,
        }))}
      />
    </>
  );
}

function save(studio: Studio, file: ExportedFile): void {
  saveFile(file);
  studio.notices.getState().toast(`Saved ${file.name}, ${formatBytes(file.bytes.length)}.`);
}

/** @param name of a kept prompt, which its files are named after: another one, another script */
function Script({ prompt, name, format }: { prompt: PromptRef; name?: string; format: ExportFormat }) {
  const studio = useStudio();
  const task = useSession((s) => s.task);
  const [script, setScript] = useState<ExportedFile>();
  const key = refKey(prompt);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `key` names the prompt; a run's template and labels are the task's
  useEffect(() => {
    let over = false;
    void libraryOf(studio)
      .getState()
      .exportScript(prompt, format)
      .then((found) => !over && setScript(found));
    return () => {
      over = true;
    };
  }, [key, name, format, task]);
  if (!script) return null;
  return (
    <Lines text={new TextDecoder().decode(script.bytes).trimEnd()}>
      {format === 'peft' ? (
        <span className="muted">The zip holds it as predict.py.</span>
      ) : (
        <Button onPress={() => save(studio, script)}>
          <Download size={15} aria-hidden /> Download the script
        </Button>
      )}
    </Lines>
  );
}

function Lines({ text, children }: { text: string; children: ReactNode }) {
  const { notices } = useStudio();
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 2000);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setCopied(true);
      notices.getState().announce('Copied.');
    } catch {
      notices.getState().toast('This browser did not allow copying. Mark the lines and copy them by hand.');
    }
  };
  return (
    <div className="lines">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: long lines are scrolled by key */}
      <section className="lines-scroll" tabIndex={0} aria-label="The script">
        <pre>{text}</pre>
      </section>
      <div className="lines-actions">
        <Button onPress={() => void copy()}>
          {copied ? <Check size={15} aria-hidden /> : <Copy size={15} aria-hidden />}
          {copied ? 'Copied' : 'Copy'}
        </Button>
        {children}
      </div>
    </div>
  );
}
