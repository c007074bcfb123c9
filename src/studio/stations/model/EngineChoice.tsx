import { Button, Table } from '../../components/index.ts';
import { formatMilliseconds } from '../../format.ts';
import { SwitchOn } from '../../shell/SwitchOn.tsx';
import { liveRun } from '../../stores/runs.ts';
import { useRuns, useSession, useStudio } from '../../studio.tsx';

const NAMES = { webgpu: 'WebGPU', onnx: 'Processor (ONNX Runtime)' } as const;

/** Which engine computes, why, what both took for a step, and the press that changes it. */
export function EngineChoice() {
  const { session, recipe } = useStudio();
  const device = useSession((s) => s.device);
  const comparing = useSession((s) => s.comparing);
  const ready = useSession((s) => s.phase === 'ready');
  const busy = useRuns((s) => liveRun(s) !== undefined);
  if (!device) return null;
  const { engine, choice } = device;
  const { switchEngine, compareEngines } = session.getState();
  return (
    <div className="engine-choice">
      <p>
        {choice.why}
        {comparing && ' Both are being measured on your task now.'}
      </p>
      {choice.times.length > 0 && (
        <Table
          caption={`What a step takes with ${choice.examples} of your own rows`}
          columns={[
            { id: 'engine', title: 'Engine', cell: ({ engine: name }) => NAMES[name] },
            {
              id: 'step',
              title: `A step of ${choice.examples} of your rows`,
              align: 'end',
              cell: ({ step, problem }) =>
                step === undefined ? `none: ${problem}` : formatMilliseconds(step),
            },
            { id: 'steps', title: 'Steps taken', align: 'end', cell: ({ steps }) => steps },
          ]}
          rows={choice.times}
          rowId={({ engine: name }) => name}
        />
      )}
      <div className="engine-ways">
        <Button
          isDisabled={busy || comparing}
          onPress={() => void switchEngine(engine === 'onnx' ? 'webgpu' : 'onnx')}
        >
          {engine === 'onnx' ? 'Use the graphics device' : 'Use the processor'}
        </Button>
        {device.software && choice.reason !== 'no-webgpu' && (
          <Button
            isDisabled={busy || comparing || !ready}
            onPress={() => void compareEngines(recipe.getState().recipe)}
          >
            {choice.times.length > 0 ? 'Compare both again' : 'Compare both on your task'}
          </Button>
        )}
      </div>
      {choice.reason === 'no-webgpu' && (
        <details className="switch-on">
          <summary>How to switch WebGPU on</summary>
          <SwitchOn level="h4" />
        </details>
      )}
    </div>
  );
}
