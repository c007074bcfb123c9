import { Empty } from '../../components/index.ts';
import { Facts } from '../../components/sections.tsx';
import { formatBytes, formatCount } from '../../format.ts';
import { useSession } from '../../studio.tsx';
import { EngineChoice } from './EngineChoice.tsx';

export function DeviceTable() {
  const device = useSession((s) => s.device);
  if (!device) return <Empty>What computes here, and its limits, will stand here once it is open.</Empty>;
  const { engine, vendor, architecture, description, software, features, limits } = device;
  if (engine === 'onnx')
    return (
      <div className="device">
        <Facts
          facts={[
            ['Engine', 'ONNX Runtime on the processor'],
            ['Threads', description],
          ]}
        />
        <EngineChoice />
      </div>
    );
  const yes = (has: boolean, use: string) => (has ? `yes: ${use}` : 'no');
  return (
    <div className="device">
      <Facts
        facts={[
          ['Adapter', description || 'not named'],
          ['Vendor and architecture', [vendor, architecture].filter(Boolean).join(', ') || 'not named'],
          ['Kind', software ? 'software: right, but slow' : 'graphics processor'],
          ['f16', yes(features.shaderF16, '16-bit arithmetic')],
          ['Subgroups', yes(features.subgroups, 'lanes that add up together')],
          ['Timestamps', yes(features.timestamps, 'each kernel can be timed')],
        ]}
      />
      <Facts
        facts={[
          ['Largest buffer', formatBytes(limits.bufferBytes)],
          ['Largest part of it a kernel sees', formatBytes(limits.bindingBytes)],
          ['Buffers for one kernel', formatCount(limits.storageBuffers)],
          ['Shared memory of a workgroup', formatBytes(limits.workgroupBytes)],
          ['Invocations of a workgroup', formatCount(limits.invocations)],
        ]}
      />
      <EngineChoice />
    </div>
  );
}
