import { Cpu, X } from 'lucide-react';
import { useState } from 'react';
import { useLocation } from 'wouter';
import { Button, IconButton } from '../components/index.ts';
import { noticeIsRead, noticeWasRead } from '../stores/engineMemory.ts';
import { liveRun } from '../stores/runs.ts';
import { useControl, useRuns, useSession, useStudio } from '../studio.tsx';

/** Says which engine computes and why, where that is not simply a graphics processor or the person's own choice. */
export function EngineNotice() {
  const { session } = useStudio();
  const [, go] = useLocation();
  const device = useSession((s) => s.device);
  const comparing = useSession((s) => s.comparing);
  const busy = useRuns((s) => liveRun(s) !== undefined);
  const modelHidden = useControl('model').hidden;
  const [readNow, setReadNow] = useState<string>();
  const choice = device?.choice;
  if (!choice || choice.reason === 'gpu' || choice.reason === 'wanted') return null;
  if (readNow === choice.reason || noticeWasRead(choice)) return null;
  const other = choice.engine === 'onnx' ? 'webgpu' : 'onnx';
  return (
    <section className="engine-notice" aria-label="Engine">
      <Cpu size={16} aria-hidden />
      <p>
        {choice.why}
        {comparing && ' Both are being measured on your task now.'}
      </p>
      <div className="banner-actions">
        {choice.reason === 'no-webgpu'
          ? !modelHidden && <Button onPress={() => go('/model')}>How to switch WebGPU on</Button>
          : !comparing && (
              <Button isDisabled={busy} onPress={() => void session.getState().switchEngine(other)}>
                {other === 'webgpu' ? 'Use WebGPU' : 'Use the processor'}
              </Button>
            )}
        <IconButton
          label="Dismiss"
          onPress={() => {
            noticeIsRead(choice);
            setReadNow(choice.reason);
          }}
        >
          <X size={16} aria-hidden />
        </IconButton>
      </div>
    </section>
  );
}
