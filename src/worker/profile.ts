/** What a step costs, kernel by kernel: a learner of its own on the person's batch, timed and put away. */
import { PreludeError } from '../errors.ts';
import type { KernelTime } from '../graph/index.ts';
import { type Ceilings, type Dims, type Node, size } from '../kernels/index.ts';
import type { LearnerProfile, Recipe } from '../tuning/index.ts';
import type { DeviceDesk } from './device.ts';
import type { PreparedTask } from './preparedTask.ts';
import type { ProfiledDispatch, StepPart, StepProfile } from './protocol.ts';
import { withTrialLearner } from './runPlan.ts';

/** @throws PreludeError `no-webgpu` where ONNX Runtime trains, which has no kernels of ours to time */
export async function profileStep(
  device: DeviceDesk,
  task: PreparedTask,
  recipe: Recipe,
): Promise<StepProfile> {
  const place = device.place();
  const resident = device.need();
  const refuse = () =>
    new PreludeError('no-webgpu', 'ONNX Runtime trains here, which does not tell what its kernels cost.', {
      remedy: 'Open the page in a browser with WebGPU and a graphics device.',
    });
  if (!place.ceilings) throw refuse();
  const { ceilings } = place;
  return withTrialLearner(
    recipe,
    device,
    task,
    () => {},
    async (learner, batchOf) => {
      if (!learner.profile) throw refuse();
      const batch = batchOf(1);
      // Drivers finish compiling when a pipeline is first used.
      await learner.step(1, batch, { scene: false });
      const began = performance.now();
      await learner.step(2, batch, { scene: false });
      const stepMs = performance.now() - began;
      const profile = await learner.profile(batch);
      const { vendor, architecture, description } = place.report;
      return {
        adapter: [vendor, architecture, description].filter(Boolean).join(' '),
        stepMs,
        ...tableOf(profile, await ceilings(), resident.model.info.layers[0]),
        batch: {
          examples: batch.length,
          timed: profile.examples,
          tokens: profile.tokens,
          sizes: { ...profile.dims },
        },
      };
    },
  );
}

const partOf = ({ backOf, again }: Node): StepPart => (backOf ? 'backward' : again ? 'recompute' : 'forward');

type Table = Pick<StepProfile, 'clock' | 'ceiling' | 'spanUs' | 'busyUs' | 'dispatches' | 'sources'>;

/** @param encoderLayers layers are counted through both stacks. */
function tableOf(profile: LearnerProfile, ceilings: Ceilings, encoderLayers: number): Table {
  const sources: StepProfile['sources'] = [];
  const sourceOf = new Map<string, number>();
  const trainingEnd = Math.max(0, ...profile.training.map((t) => t.startNs + t.nanoseconds));

  const row = (time: KernelTime, part: StepPart, dims: Dims, offset: number): ProfiledDispatch => {
    const { node, kernel, nanoseconds, flops, bytes } = time;
    let source = sourceOf.get(kernel.code);
    if (source === undefined) {
      source = sources.push({ kernels: [], code: kernel.code }) - 1;
      sourceOf.set(kernel.code, source);
    }
    const { kernels } = sources[source]!;
    if (!kernels.includes(kernel.name)) kernels.push(kernel.name);
    const layer = part === 'update' ? undefined : profile.layerOf(node);
    const computeNs = flops / ceilings.gflops;
    const memoryNs = bytes / ceilings.gbytes;
    return {
      kernel: kernel.name,
      node: (node.backOf ?? node.again ?? node).outputs[0]?.name ?? node.op,
      layer:
        layer === undefined
          ? undefined
          : layer < encoderLayers
            ? { stack: 'encoder', index: layer }
            : { stack: 'decoder', index: layer - encoderLayers },
      part,
      tensors: kernel.buffers.map(({ tensor, access }) => ({
        name: tensor.name,
        shape: [size(dims, tensor.rows), tensor.cols],
        dtype: tensor.dtype,
        kind: tensor.kind,
        written: access === 'read_write',
      })),
      workgroups: time.workgroups,
      source,
      startUs: (offset + time.startNs) / 1000,
      durationUs: nanoseconds / 1000,
      flops,
      bytes,
      roof: computeNs >= memoryNs ? 'compute' : 'memory',
      roofShare: nanoseconds > 0 ? Math.max(computeNs, memoryNs) / nanoseconds : undefined,
    };
  };
  const dispatches = [
    ...profile.training.map((time) => row(time, partOf(time.node), profile.dims, 0)),
    ...profile.update.map((time) => row(time, 'update', profile.dims, trainingEnd)),
  ];
  return {
    clock: profile.clock,
    ceiling: { gflops: ceilings.gflops, gbytesPerSecond: ceilings.gbytes },
    spanUs: Math.max(0, ...dispatches.map((d) => d.startUs + d.durationUs)),
    busyUs: dispatches.reduce((sum, { durationUs }) => sum + durationUs, 0),
    dispatches,
    sources,
  };
}
