import { Check, Copy, Download } from 'lucide-react';
import { useEffect, useState } from 'react';
import type { ExportFormat } from '../../../worker/protocol.ts';
import { Button, Tabs } from '../../components/index.ts';
import { saveFile } from '../../download.ts';
import { formatBytes, plural } from '../../format.ts';
import { libraryOf, type PromptChoice, useLibrary } from '../../prompts.ts';
import { useRuns, useSession, useStudio } from '../../studio.tsx';
import { pythonLines } from './python.ts';

const FORMS: { format: ExportFormat; title: string; use: string; ending: string }[] = [
  {
    format: 'peft',
    title: 'PEFT adapter (.zip)',
    use: 'For Hugging Face: PeftModel.from_pretrained reads it unpacked; its README ranks the labels as done here.',
    ending: '-peft.zip',
  },
  {
    format: 'npy',
    title: 'NumPy (.npy)',
    use: 'The bare numbers, as the paper’s authors release theirs.',
    ending: '.npy',
  },
  {
    format: 'json',
    title: 'JSON',
    use: 'With the recipe, the task, the figures and the model’s fingerprint: the one to come back with.',
    ending: '.prelude.json',
  },
];

/** Three forms of one prompt, each with what it is for and the lines that load it. */
export function TakeHome({ choice }: { choice: PromptChoice }) {
  const studio = useStudio();
  const saved = useLibrary((s) => s.prompts);
  const runs = useRuns((s) => s.runs);
  const model = useSession((s) => s.model);
  const template = useSession((s) => s.task?.settings.template ?? '{text}');
  const [names, setNames] = useState<Partial<Record<ExportFormat, string>>>({});
  const [busy, setBusy] = useState<ExportFormat>();

  const { prompt } = choice;
  const kept = prompt.kind === 'saved' ? saved?.find(({ id }) => id === prompt.id) : undefined;
  const run = prompt.kind === 'run' ? runs.find(({ id }) => id === prompt.run) : undefined;
  const length = kept?.length ?? run?.recipe.promptLength ?? 0;
  const width = kept?.width ?? model?.width ?? 0;
  // As the engine will name it; once a file is saved its own name stands there.
  const stem = `${
    choice.name
      .toLowerCase()
      .match(/[\p{L}\p{M}\p{N}]+/gu)
      ?.join('-') ?? 'prompt'
  }-p${length}`;

  const download = async (format: ExportFormat) => {
    setBusy(format);
    const file = await libraryOf(studio).getState().exportFile(prompt, format);
    setBusy(undefined);
    if (!file) return;
    saveFile(file);
    setNames((before) => ({ ...before, [format]: file.name }));
    studio.notices.getState().toast(`Saved ${file.name}, ${formatBytes(file.bytes.length)}.`);
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
        label="Python lines"
        tabs={FORMS.map(({ format, title, ending }) => ({
          id: format,
          title,
          content: (
            <Lines
              text={pythonLines(format, {
                file: names[format] ?? `${stem}${ending}`,
                length,
                width,
                causal: model !== undefined && model.layers[0] === 0,
                model: kept?.modelName ?? run?.modelTitle ?? model?.title ?? 'the model',
                template,
              })}
            />
          ),
        }))}
      />
    </>
  );
}

function Lines({ text }: { text: string }) {
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
      <section className="lines-scroll" tabIndex={0} aria-label="Python lines">
        <pre>{text}</pre>
      </section>
      <Button onPress={() => void copy()}>
        {copied ? <Check size={15} aria-hidden /> : <Copy size={15} aria-hidden />}
        {copied ? 'Copied' : 'Copy'}
      </Button>
    </div>
  );
}
