import probe from './subgroups.wgsl?raw';

const INVOCATIONS = 256;

/**
 * Whether a device with subgroups lays them out as the kernels take them: full, and invocations in the order of a one-dimensional
 * workgroup. WGSL does not promise it, and another order would give wrong sums without an error; so it is asked once, in a few
 * milliseconds, and a device that says no takes the plain kernels.
 */
export async function subgroupsAreInOrder(device: GPUDevice, code = probe): Promise<boolean> {
  const bytes = 4 * INVOCATIONS;
  const flags = device.createBuffer({ size: bytes, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC });
  const read = device.createBuffer({ size: bytes, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  try {
    const pipeline = await device.createComputePipelineAsync({
      label: 'subgroups',
      layout: 'auto',
      compute: { module: device.createShaderModule({ code }) },
    });
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(
      0,
      device.createBindGroup({
        layout: pipeline.getBindGroupLayout(0),
        entries: [{ binding: 0, resource: { buffer: flags } }],
      }),
    );
    pass.dispatchWorkgroups(1);
    pass.end();
    encoder.copyBufferToBuffer(flags, 0, read, 0, bytes);
    device.queue.submit([encoder.finish()]);
    await read.mapAsync(GPUMapMode.READ);
    return new Uint32Array(read.getMappedRange()).every((flag) => flag === 1);
  } catch {
    // A driver that cannot compile or run it shall not run kernels like it; a lost device is told by its own promise.
    return false;
  } finally {
    flags.destroy();
    read.destroy();
  }
}
