import { expandWgsl } from '../../gpu/index.ts';
import { grid, type Kernel, size, type Tensor, u32 } from '../kernel.ts';
import type { Builder } from '../op.ts';
import activationWgsl from './activation.wgsl?raw';
import backwardWgsl from './backward.wgsl?raw';
import forwardWgsl from './forward.wgsl?raw';
import { gateBackwardOnnx, gateOnnx } from './onnx.ts';

/**
 * Activation functions under their names in transformers. `gelu` is x times the normal distribution function (erf form);
 * `gelu_new` its tanh form, 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) (Hendrycks and Gimpel 2016; T5 1.1, GPT-2,
 * there also `gelu_pytorch_tanh`); `silu` is x sigmoid(x).
 */
export const ACTIVATIONS = ['relu', 'silu', 'gelu', 'gelu_new', 'tanh'] as const;
export type Activation = (typeof ACTIVATIONS)[number];

/**
 * Gated activation (Shazeer 2020, "GLU variants"), y being the fused output of the gate's and the value's projections.
 *
 *     h = act(y[:, :f]) * y[:, f:]
 *     dy[:, :f] = dh * y[:, f:] * act'(y[:, :f]),   dy[:, f:] = dh * act(y[:, :f])
 *
 * y [M, 2f]; h [M, f].
 */
export function gate(b: Builder, y: Tensor, activation: Activation): Tensor {
  if (y.cols % 2) throw new Error(`gate: ${y.name} has ${y.cols} columns, an odd number`);
  return recordGate(b, y, activation, true);
}

/** h = act(y), dy = dh * act'(y); y, h [M, f]. */
export function activate(b: Builder, y: Tensor, activation: Activation): Tensor {
  return recordGate(b, y, activation, false);
}

function recordGate(b: Builder, y: Tensor, activation: Activation, gated: boolean): Tensor {
  const h = b.tensor(`${y.name}.${activation}`, y.rows, gated ? y.cols / 2 : y.cols);
  b.record({
    op: 'gate',
    inputs: [y],
    outputs: [h],
    kernels: [gateForward(y, h, activation)],
    onnx: (e) => gateOnnx(e, y, h, activation),
    vjp(back) {
      const dh = back.grad(h);
      if (!dh || !back.wants(y)) return;
      back.contribute(y, {
        kind: 'add',
        make(addend) {
          const dy = back.tensor(`d ${y.name}`, y.rows, y.cols);
          back.record({
            op: 'gate',
            inputs: addend ? [y, dh, addend] : [y, dh],
            outputs: [dy],
            kernels: [gateBackward(y, dh, dy, activation, addend)],
            onnx: (e) => gateBackwardOnnx(e, y, dh, dy, activation, addend),
          });
          return dy;
        },
      });
    },
  });
  return h;
}

/** Gated where y is twice as wide as h. */
function shape(y: Tensor, h: Tensor, activation: Activation) {
  const vector = h.cols % 4 === 0;
  const V = vector ? 'vec4f' : 'f32';
  const flags = Object.fromEntries(ACTIVATIONS.map((name) => [name.toUpperCase(), name === activation]));
  return {
    width: vector ? h.cols / 4 : h.cols,
    constants: { V, WIDTH: vector ? h.cols / 4 : h.cols, GATED: y.cols === 2 * h.cols },
    functions: expandWgsl(activationWgsl, { V, ...flags }),
  };
}

export function gateForward(y: Tensor, h: Tensor, activation: Activation): Kernel {
  const { width, constants, functions } = shape(y, h, activation);
  return {
    name: 'gate/forward',
    code: `${functions}\n${expandWgsl(forwardWgsl, constants)}`,
    buffers: [
      { tensor: y, access: 'read' },
      { tensor: h, access: 'read_write' },
    ],
    uniforms: [u32(y.rows)],
    workgroups: (dims) => grid(size(dims, y.rows) * width, 64),
    cost: (dims) => ({
      flops: 10 * size(dims, y.rows) * h.cols,
      bytes: 4 * size(dims, y.rows) * (y.cols + h.cols),
    }),
  };
}

export function gateBackward(
  y: Tensor,
  dh: Tensor,
  dy: Tensor,
  activation: Activation,
  addend?: Tensor,
): Kernel {
  const { width, constants, functions } = shape(y, dh, activation);
  return {
    name: 'gate/backward',
    code: `${functions}\n${expandWgsl(backwardWgsl, { ...constants, ADDEND: addend !== undefined })}`,
    buffers: [
      { tensor: y, access: 'read' },
      { tensor: dh, access: 'read' },
      { tensor: dy, access: 'read_write' },
      ...(addend ? [{ tensor: addend, access: 'read' as const }] : []),
    ],
    uniforms: [u32(y.rows)],
    workgroups: (dims) => grid(size(dims, y.rows) * width, 64),
    cost: (dims) => ({
      flops: 20 * size(dims, y.rows) * dh.cols,
      bytes: 4 * size(dims, y.rows) * ((addend ? 3 : 2) * y.cols + dh.cols),
    }),
  };
}
