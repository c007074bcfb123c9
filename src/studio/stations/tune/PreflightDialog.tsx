import { useEffect } from 'react';
import { Link } from 'wouter';
import type { DeviceReport, ProbeReport, RunPlan } from '../../../worker/protocol.ts';
import { Button, Dialog, ProgressLine } from '../../components/index.ts';
import { Facts } from '../../components/sections.tsx';
import { deviceName } from '../../deviceName.ts';
import { formatBytes, formatCount, formatRate, formatSeconds, plural } from '../../format.ts';
import { liveRun } from '../../stores/runs.ts';
import { runSeconds } from '../../stores/trials.ts';
import { useRecipe, useRuns, useSession, useStudio } from '../../studio.tsx';
import './preflight.css';
import { endsAt } from './endsAt.ts';
import { useTrain } from './useTrain.ts';
import { useProbe, useTrials, useTrialsStore } from './useTrials.ts';

/** What a run will need and take, before it starts: device, memory, and time from a few real steps. */
export function PreflightDialog({ onClose }: { onClose: () => void }) {
  const device = useSession((s) => s.device);
  const plan = useRuns((s) => s.plan);
  const planError = useRuns((s) => s.planError);
  const recipe = useRecipe((s) => s.recipe);
  const live = useRuns((s) => liveRun(s) !== undefined || s.starting);
  const probing = useTrials((s) => s.probing);
  const progress = useTrials((s) => s.progress);
  const store = useTrialsStore();
  const probe = useProbe();
  const { runs } = useStudio();
  const { canTrain } = useTrain();
  const { measure, stop } = store.getState();

  // Opening it is the question; what was measured already is the answer.
  useEffect(() => {
    if (!live && canTrain && !store.probeFor(recipe)) void measure(recipe);
  }, [live, canTrain, store, measure, recipe]);

  const train = () => {
    onClose();
    void runs.getState().start(recipe);
  };
  const close = () => {
    if (probing) void stop();
    onClose();
  };
  return (
    <Dialog title="Preflight" isOpen onClose={close} width={640}>
      <div className="preflight">
        <p aria-live="polite">
          {planError ? (
            <>
              <strong>{planError.message}</strong> {planError.remedy}
            </>
          ) : probe ? (
            <>
              A run of {plural(recipe.steps, 'step')} takes about{' '}
              <strong>{formatSeconds(runSeconds(probe, recipe))}</strong> and would end{' '}
              <strong>{endsAt(runSeconds(probe, recipe), new Date())}</strong>.
            </>
          ) : probing ? (
            'A few real steps are timed on a prompt that is thrown away afterwards.'
          ) : live ? (
            'A run goes; the time of a step stands beside its buttons.'
          ) : (
            'The time of a step has not been measured for this recipe.'
          )}
        </p>
        {probing && (
          <ProgressLine
            progress={progress ?? { what: 'Making the probe ready', done: 0, total: 0, unit: 'steps' }}
            onStop={() => void stop()}
          />
        )}
        <Part title="Time">
          <Facts facts={timeFacts(probe, recipe.steps, recipe.evalEvery)} />
        </Part>
        {plan && (
          <Part title="Memory">
            <Facts facts={memoryFacts(plan, recipe.batchSize, device?.engine === 'onnx')} />
          </Part>
        )}
        {device && (
          <Part title="Device">
            <Facts facts={deviceFacts(device)} />
            {device.engine === 'webgpu' && (
              <p className="small">
                <Link href="/kernels">What a step costs, kernel by kernel</Link>
              </p>
            )}
            {device.software && device.engine === 'webgpu' && (
              <p className="small muted">
                This adapter is software: correct, but slow. Choose the smallest model, a short prompt and a
                small batch; the Model station can also move the work to the processor.
              </p>
            )}
          </Part>
        )}
      </div>
      <div className="dialog-actions">
        <Button isDisabled={probing || live || !canTrain} onPress={() => void measure(recipe)}>
          {probe ? 'Measure again' : 'Measure'}
        </Button>
        <Button variant="primary" isDisabled={live || !canTrain} onPress={train}>
          Train
        </Button>
      </div>
    </Dialog>
  );
}

function Part({ title, children }: { title: string; children: React.ReactNode }) {
  return (
    <section aria-label={title}>
      <h3>{title}</h3>
      {children}
    </section>
  );
}

type Fact = [name: string, value: string];

function timeFacts(probe: ProbeReport | undefined, steps: number, evalEvery: number): Fact[] {
  if (!probe) return [['A step', 'not measured yet']];
  const { seconds, tokensPerStep } = probe;
  const readings = Math.ceil(steps / evalEvery);
  return [
    [
      'A step',
      `${formatSeconds(seconds.step)}${seconds.step < 0.1 ? ` (${Math.round(seconds.step * 1000)} ms)` : ''}, ${formatRate(1 / seconds.step)} steps/s, ${formatCount(tokensPerStep / seconds.step)} tokens/s`,
    ],
    ['Steps', `${formatCount(steps)}, ${formatSeconds(steps * seconds.step)}`],
    ['Reading dev', `${plural(readings, 'time')}, ${formatSeconds(seconds.dev)} each`],
    ['Compiling shaders', `${formatSeconds(seconds.compile)}, done`],
  ];
}

function memoryFacts(
  { bytes, budget, microBatch, largestBatch }: RunPlan,
  batch: number,
  ram: boolean,
): Fact[] {
  return [
    [
      'Needed',
      `${formatBytes(bytes.total)}: ${formatBytes(bytes.weights)} weights, ${formatBytes(bytes.activations)} to work in`,
    ],
    [
      'There',
      ram
        ? `a tab’s memory; a run keeps to ${formatBytes(budget.activations)} to work in`
        : `WebGPU does not tell how much; a run keeps to ${formatBytes(budget.activations)} to work in`,
    ],
    ...(Number.isFinite(budget.buffer) && !ram
      ? [['Largest buffer', `${formatBytes(bytes.largest)} of ${formatBytes(budget.buffer)} allowed`] as Fact]
      : []),
    ['Largest batch that fits', plural(largestBatch, 'row')],
    [
      'Your batch',
      microBatch >= batch
        ? `${plural(batch, 'row')} at once`
        : `${plural(batch, 'row')}, ${formatCount(microBatch)} at a time; the gradient is gathered over them`,
    ],
  ];
}

function deviceFacts(device: DeviceReport): Fact[] {
  const { engine, features, limits } = device;
  const yes = (there: boolean) => (there ? 'yes' : 'no');
  if (engine === 'onnx') return [['Adapter', `the processor, ${device.description}`]];
  return [
    ['Adapter', `${deviceName(device)}${device.software ? ', software' : ''}`],
    ['Half precision (f16)', yes(features.shaderF16)],
    ['Subgroups', yes(features.subgroups)],
    ['Timestamps', yes(features.timestamps)],
    [
      'Limits',
      `${limits.storageBuffers} storage buffers a stage, ${formatBytes(limits.workgroupBytes)} of workgroup memory, ${limits.invocations} invocations`,
    ],
  ];
}
