import { describe, expect, it } from 'vitest';
import { openSafetensors, writeSafetensors } from './safetensors.ts';
import { bytesSource } from './source.ts';

describe('safetensors', () => {
  it('writes what it reads', async () => {
    const data = new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    const file = writeSafetensors([{ name: 'a', dtype: 'F16', shape: [2, 3], data }], { format: 'pt' });
    const opened = await openSafetensors(bytesSource(file));
    expect([...opened.tensors.keys()]).toEqual(['a']);
    expect(opened.metadata).toEqual({ format: 'pt' });
    expect(await opened.read('a')).toEqual(data);
  });
});
