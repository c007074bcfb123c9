// What all products share: out [rows, cols] = alpha * left [rows, depth] x w (+ bias) (+ addend). Sizes are uniforms, so that all
// products of a model share a few pipelines: `columns` is cols in units of O, `depths` the depth in units of L.
// Rows of out and left may be longer than what is written and read of them: a weight in pieces writes and reads columns.
// With PARTED the workgroups of one z sum `chunk` of the depth, and out is [rows, parts * cols]: parts side by side, still bare.
struct Uniforms {
  rows: u32, cols: u32, columns: u32, depths: u32, parts: u32, chunk: u32,
  out_stride: u32, out_first: u32, bias_first: u32, left_stride: u32, left_first: u32, alpha: f32,
}
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> left: array<$L>;
$WEIGHT
@group(0) @binding(3) var<storage, read_write> out: array<$O>;
//# if BIAS
@group(0) @binding(4) var<storage, read> bias: array<$O>;
//# end
//# if ADDEND
@group(0) @binding($(4 + BIAS)) var<storage, read> addend: array<$O>;
//# end

fn finish(value: $O, row: u32, column: u32, part: u32) {
//# if PARTED
  out[(row * u.parts + part) * u.columns + column] = value;
//# else
  let at = row * u.out_stride + u.out_first + column;
  out[at] = u.alpha * value
//# if BIAS
    + bias[u.bias_first + column]
//# end
//# if ADDEND
    + addend[at]
//# end
//# if ACCUMULATE
    + out[at]
//# end
  ;
//# end
}
