import { expect, test } from 'vitest';
import { type OpenOptions, openGpu, readBuffer } from '../gpu/index.ts';
import { add } from '../kernels/index.ts';
import { buildProgram, createGraph, createSession, makeTensor } from './index.ts';

test.each<[string, OpenOptions]>([
  ['by the device, where it has a clock', {}],
  ['by submissions, where it has none', { without: ['timestamp-query'] }],
])('dispatches are timed in order, %s', async (_, options) => {
  const gpu = await openGpu(options);
  const session = createSession(gpu);
  const rows = 4096;
  const x = makeTensor('input', 'x', 'M', 256);
  const graph = createGraph({ rowLanes: 1 });
  const twice = add(graph, x, x, 'twice');
  const fourTimes = add(graph, twice, twice, 'four times');
  const program = await buildProgram(session, graph.nodes, { capacity: { M: rows }, kept: [fourTimes] });
  program.write(x, new Float32Array(rows * 256).fill(3));
  const times = await program.profile({ M: rows });

  expect(times.map(({ node }) => node.outputs[0]!.name)).toEqual(['twice', 'four times']);
  const [first, second] = times as [(typeof times)[0], (typeof times)[0]];
  expect(first.startNs).toBe(0);
  expect(second.startNs).toBeGreaterThanOrEqual(first.nanoseconds);
  // A million additions take a while on any device; browsers round to a tenth of a millisecond at worst.
  expect(first.nanoseconds + second.nanoseconds).toBeGreaterThan(0);
  expect(first.nanoseconds).toBeLessThan(10e9);
  const values = new Float32Array(await readBuffer(gpu, program.buffer(fourTimes), 4 * rows * 256));
  expect(values.every((value) => value === 12)).toBe(true);
  program.destroy();
  gpu.close();
});
