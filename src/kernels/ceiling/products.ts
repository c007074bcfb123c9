/**
 * What the adapter gives at f32 products: hand-written kernels without bounds checks or epilogues, the fastest of which is the
 * ceiling that the engine's kernels are held against. left [m, k] x b [k, n], as vec4; blocks must divide the shape.
 */
import type { Kernel, Tensor } from '../kernel.ts';

const range = (n: number) => Array.from({ length: n }, (_, i) => i);

const bindings = `
struct Uniforms { unused: u32 }
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> a: array<vec4f>;
@group(0) @binding(2) var<storage, read> b: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> c: array<vec4f>;
`;

interface Variant {
  name: string;
  /** Among the fastest on software adapters. */
  quick?: boolean;
  /** Rows and columns of a workgroup. */
  block: [number, number];
  code(k: number, n: number): string;
}

function direct(rows: number, quads: number, wgX: number, wgY: number): Variant {
  const cells = range(rows).flatMap((i) => range(quads).map((j) => [i, j]));
  const step = (t: number, n: number) =>
    [
      ...range(quads).map((j) => `let b${t}_${j} = b[(4u * p + ${t}u) * ${n / 4}u + col + ${j}u];`),
      ...cells.map(([i, j]) => `s${i}_${j} = fma(vec4f(a${i}[${t}]), b${t}_${j}, s${i}_${j});`),
    ].join(' ');
  return {
    name: `direct ${rows}x${4 * quads}, workgroup ${wgX}x${wgY}`,
    block: [rows * wgY, 4 * quads * wgX],
    code: (k, n) => `${bindings}
@compute @workgroup_size(${wgX}, ${wgY}) fn main(@builtin(global_invocation_id) id: vec3u) {
  let row = id.y * ${rows}u;
  let col = id.x * ${quads}u;
  ${cells.map(([i, j]) => `var s${i}_${j} = vec4f();`).join(' ')}
  for (var p = 0u; p < ${k / 4}u; p++) {
    ${range(rows)
      .map((i) => `let a${i} = a[(row + ${i}u) * ${k / 4}u + p];`)
      .join(' ')}
    ${range(4)
      .map((t) => step(t, n))
      .join('\n    ')}
  }
  ${cells.map(([i, j]) => `c[(row + ${i}u) * ${n / 4}u + col + ${j}u] = s${i}_${j};`).join(' ')}
}`,
  };
}

const staged: Variant = {
  name: 'staged 64x64x16',
  block: [64, 64],
  code: (k, n) => `${bindings}
var<workgroup> ta: array<array<f32, 64>, 16>;
var<workgroup> tb: array<array<vec4f, 16>, 16>;
@compute @workgroup_size(16, 16) fn main(@builtin(workgroup_id) wg: vec3u, @builtin(local_invocation_id) id: vec3u) {
  let t = id.y * 16u + id.x;
  let row = wg.y * 64u;
  let col = wg.x * 16u;
  ${range(4)
    .map((i) => `var s${i} = vec4f();`)
    .join(' ')}
  for (var p = 0u; p < ${k}u; p += 16u) {
    let av = a[((row + t / 4u) * ${k}u + p) / 4u + t % 4u];
    let depth = (t % 4u) * 4u;
    ${range(4)
      .map((i) => `ta[depth + ${i}u][t / 4u] = av[${i}];`)
      .join(' ')}
    tb[t / 16u][t % 16u] = b[(p + t / 16u) * ${n / 4}u + col + t % 16u];
    workgroupBarrier();
    for (var d = 0u; d < 16u; d++) {
      let bv = tb[d][id.x];
      ${range(4)
        .map((i) => `s${i} = fma(vec4f(ta[d][id.y * 4u + ${i}u]), bv, s${i});`)
        .join(' ')}
    }
    workgroupBarrier();
  }
  ${range(4)
    .map((i) => `c[(row + id.y * 4u + ${i}u) * ${n / 4}u + col + id.x] = s${i};`)
    .join(' ')}
}`,
};

const variants: Variant[] = [
  direct(4, 1, 8, 8),
  direct(8, 1, 8, 8),
  direct(4, 2, 8, 8),
  direct(8, 2, 8, 8),
  direct(4, 1, 16, 4),
  direct(8, 1, 4, 4),
  { ...direct(8, 4, 8, 8), quick: true },
  { ...direct(8, 4, 4, 8), quick: true },
  staged,
];

/** All variants whose blocks divide the shape. a [m, k], b [k, n], c [m, n]. `quick`: a few of them. */
export function ceilingKernels(m: number, a: Tensor, b: Tensor, c: Tensor, { quick = false } = {}): Kernel[] {
  const [k, n] = [a.cols, c.cols];
  return variants
    .filter((variant) => !quick || variant.quick)
    .filter(({ block: [rows, cols] }) => m % rows === 0 && n % cols === 0 && k % 16 === 0)
    .map(({ name, block: [rows, cols], code }) => ({
      name,
      code: code(k, n),
      buffers: [
        { tensor: a, access: 'read' as const },
        { tensor: b, access: 'read' as const },
        { tensor: c, access: 'read_write' as const },
      ],
      uniforms: [],
      workgroups: () => [n / cols, m / rows, 1],
      cost: () => ({ flops: 2 * m * n * k, bytes: 4 * (m * k + k * n + m * n) }),
    }));
}
