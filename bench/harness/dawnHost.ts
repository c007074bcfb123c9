/** The Dawn process: waits for its job, runs it, answers, ends. Started by `dawn.ts` only. */
import { create, globals } from 'webgpu';
import type { DawnReply } from './dawn.ts';
import { serveFolders } from './files.ts';
import type { GpuContext, GpuEntry, Job } from './types.ts';
import { createModuleServer } from './vite.ts';

const reply = (message: DawnReply) =>
  new Promise<void>((resolve) => process.send?.(message, () => resolve()));

async function run(job: Job): Promise<unknown> {
  Object.assign(globalThis, globals);
  const gpu = create([]);
  Object.defineProperty(globalThis, 'navigator', {
    value: { ...globalThis.navigator, gpu },
    configurable: true,
  });
  const { fetchBytes, list } = serveFolders(job.folders);
  const modules = await createModuleServer(job.entry, false);
  try {
    const module = (await modules.vite.ssrLoadModule(`/${job.entry}`)) as { default: GpuEntry };
    const context: GpuContext = {
      gpu,
      runtime: 'dawn',
      args: job.args,
      fetchBytes,
      list,
      send: (message) => void reply({ kind: 'message', message }),
    };
    return await module.default(context);
  } finally {
    await modules.close();
  }
}

process.once('disconnect', () => process.exit(1));
process.once('message', async (job: Job) => {
  try {
    await reply({ kind: 'result', result: await run(job) });
  } catch (error) {
    await reply({ kind: 'error', error: (error as Error).stack ?? String(error) });
  }
  process.exit(0);
});
