import { Check, Download } from 'lucide-react';
import { useState } from 'react';
import type { DeploymentReport, Progress } from '../../../worker/protocol.ts';
import { Button, ProgressLine } from '../../components/index.ts';
import { Facts, Section } from '../../components/sections.tsx';
import { saveFile } from '../../download.ts';
import { formatBytes, formatMilliseconds, plural } from '../../format.ts';
import type { PromptChoice } from '../../prompts.ts';
import { liveRun } from '../../stores/runs.ts';
import { useRuns, useStudio } from '../../studio.tsx';

/** The way out of the studio: model, prompt and scripts that predict elsewhere; tried out here before they are taken. */
export function Deploy({ choice }: { choice: PromptChoice }) {
  const { engine, notices } = useStudio();
  const running = useRuns((s) => liveRun(s)?.state === 'running');
  const [busy, setBusy] = useState<'check' | 'all' | 'prompt'>();
  const [progress, setProgress] = useState<Progress>();
  const [report, setReport] = useState<DeploymentReport>();

  const work = async (what: NonNullable<typeof busy>, action: () => Promise<void>) => {
    setBusy(what);
    try {
      await action();
    } catch (error) {
      notices.getState().fail(error);
    } finally {
      setBusy(undefined);
      setProgress(undefined);
    }
  };
  const check = () =>
    work('check', async () => setReport(await engine.checkDeployment(choice.prompt, setProgress)));
  const download = (withModel: boolean) =>
    work(withModel ? 'all' : 'prompt', async () => {
      const file = await engine.exportDeployment(choice.prompt, withModel);
      saveFile(file);
      notices.getState().toast(`Saved ${file.name}, ${formatBytes(file.bytes.size)}.`);
    });

  const off = busy !== undefined || running;
  return (
    <Section
      title="Run it elsewhere"
      note="The frozen model as ONNX, your prompt, the tokenizer, and what predicts with them: a small page, a script for Node, one for Python. Nothing of this studio is needed there."
    >
      <div className="deploy-ways">
        <Button isDisabled={off} onPress={() => void check()}>
          {busy === 'check' ? 'Trying it out' : 'Try out what would ship'}
        </Button>
        <Button isDisabled={off} onPress={() => void download(true)}>
          <Download size={15} aria-hidden /> Download with the model
          {report && ` (${formatBytes(report.bytes.all)})`}
        </Button>
        <Button isDisabled={off} onPress={() => void download(false)}>
          <Download size={15} aria-hidden /> Download without the model
          {report && ` (${formatBytes(report.bytes.withoutModel)})`}
        </Button>
      </div>
      <p className="small muted">
        One model file serves every prompt that was learned on it: take it once, later prompts without.
        {running && ' While a run goes on, this waits.'}
      </p>
      {progress && <ProgressLine progress={progress} />}
      {report && <Found report={report} />}
    </Section>
  );
}

function Found({ report }: { report: DeploymentReport }) {
  const { files, milliseconds, threads, rows, agree, largest } = report;
  const size = (wanted: (name: string) => boolean) =>
    formatBytes(files.filter(({ name }) => wanted(name)).reduce((sum, { bytes }) => sum + bytes, 0));
  return (
    <div className="deploy-found" role="status">
      <Facts
        facts={[
          [
            'Speed',
            `${formatMilliseconds(milliseconds)} a text on this computer’s processor, ${plural(threads, 'thread')}`,
          ],
          ['Model', size((name) => name.startsWith('model.onnx'))],
          ['Prompt', size((name) => name === 'prompt.npy')],
          ['Tokenizer', size((name) => name.startsWith('tokenizer'))],
          [
            'Same answer as here',
            <>
              {agree === rows && <Check size={15} aria-hidden />}
              {` on ${agree} of ${plural(rows, 'row')}; probabilities differ by ${largest.toExponential(1)} at most`}
            </>,
          ],
        ]}
      />
    </div>
  );
}
