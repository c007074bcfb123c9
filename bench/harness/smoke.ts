/** The smallest entry module: one kernel on a real device, one served file. Run by scripts/harness.test.ts in both runtimes. */
import {
  createBuffers,
  createPipelines,
  openGpu,
  prepareDispatches,
  readBuffer,
  UNIFORM_STRIDE,
} from '../../src/gpu/index.ts';
import { packUniforms, type Tensor } from '../../src/kernels/index.ts';
import { rmsNormForward } from '../../src/kernels/rms_norm/rms_norm.ts';
import type { GpuContext } from './types.ts';

const EPS = 1e-6;

/** `args`: { x: one row of numbers, fail?: true }. Returns its RMS norm and what it saw of the served folder. */
export default async function smoke({ gpu, args, fetchBytes, list, send, runtime }: GpuContext) {
  const { x, fail, hang } = args as { x: number[]; fail?: boolean; hang?: boolean };
  send({ line: `running in ${runtime}` });
  if (fail) throw new Error('asked to fail');
  if (hang) await new Promise(() => {});
  const device = await openGpu({ gpu });
  const tensor = (id: number, name: string, kind: Tensor['kind']): Tensor => ({
    id,
    name,
    rows: 1,
    cols: x.length,
    dtype: 'f32',
    kind,
  });
  const kernel = rmsNormForward(
    { rowLanes: 1 },
    tensor(1, 'x', 'input'),
    tensor(2, 'weight', 'weight'),
    tensor(3, 'y', 'activation'),
    EPS,
  );
  const pool = createBuffers(device);
  const [input, weight, output] = kernel.buffers.map(({ tensor }) => pool.make(x.length * 4, tensor.name));
  device.queue.writeBuffer(input, 0, Float32Array.from(x));
  device.queue.writeBuffer(weight, 0, new Float32Array(x.length).fill(1));
  const uniforms = device.device.createBuffer({
    size: UNIFORM_STRIDE,
    usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
  });
  device.queue.writeBuffer(uniforms, 0, packUniforms([kernel], {}));
  const [dispatch] = await prepareDispatches(
    device,
    createPipelines(device),
    [
      {
        name: kernel.name,
        code: kernel.code,
        access: kernel.buffers.map(({ access }) => access),
        buffers: [input, weight, output],
      },
    ],
    uniforms,
  );
  const encoder = device.device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(dispatch.pipeline);
  pass.setBindGroup(0, dispatch.group, [dispatch.uniformOffset]);
  pass.dispatchWorkgroups(...kernel.workgroups({}));
  pass.end();
  device.queue.submit([encoder.finish()]);
  const y = [...new Float32Array(await readBuffer(device, output, x.length * 4))];
  device.close();
  const files = await list('/folder');
  const text = new TextDecoder().decode(await fetchBytes(`/folder/${files[0]}`));
  return { y, files, text };
}
