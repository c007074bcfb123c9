import type { ErrorReport } from '../../errors.ts';
import { Button } from '../components/index.ts';
import { SwitchOn } from './SwitchOn.tsx';

const TITLES: Record<string, string> = {
  'no-webgpu': 'This browser has no WebGPU',
  'no-adapter': 'WebGPU is here, but it finds no graphics adapter',
  'limit-too-small': 'The graphics adapter allows too little',
};

/** The page for a browser in which nothing can be trained: which of the three it is, and how to mend it here. */
export function NoDevice({
  report,
  onRetry,
  onProcessor,
}: {
  report: ErrorReport;
  onRetry: () => void;
  /** Goes on without a graphics device. */
  onProcessor: () => void;
}) {
  return (
    <main className="no-device" id="main">
      <h1>{TITLES[report.code] ?? 'No device to train on'}</h1>
      <p>
        Prelude trains on this computer's own graphics processor, through WebGPU. {report.message}{' '}
        {report.remedy}
      </p>
      {report.where && <p className="muted">Where: {report.where}</p>}
      <p>
        It also runs on the processor alone, through ONNX Runtime: the same lessons and the same prompts,
        slower than on a graphics processor.
      </p>
      <div className="no-device-ways">
        <Button onPress={onProcessor}>Go on with the processor</Button>
        <Button onPress={onRetry}>Look again</Button>
      </div>
      <SwitchOn level="h2" />
    </main>
  );
}
