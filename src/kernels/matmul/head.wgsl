// What all products share: out [rows, COLS] = ALPHA * left [rows, DEPTH] x w (+ bias) (+ addend). COLUMNS is COLS in units of O.
// With SPLIT > 1 the workgroups of one z sum one part of DEPTH, and out is [rows, SPLIT * COLS]: parts side by side, still bare.
struct Uniforms { rows: u32 }
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
//# if SPLIT > 1
  out[(row * $(SPLIT)u + part) * $(COLUMNS)u + column] = value;
//# else
  let at = row * $(COLUMNS)u + column;
  out[at] = value
//# if SCALED
    * $ALPHA
//# end
//# if BIAS
    + bias[column]
//# end
//# if ADDEND
    + addend[at]
//# end
  ;
//# end
}
