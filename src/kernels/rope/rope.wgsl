// Pairs (i, i + HALF) of each head turn by the angle of the row's position, forwards or, where BACK, backwards. In place.
// table: cos of the HALF angles of a position, then their sin. HALF, WIDTH, STRIDE and COLUMN in units of V.
struct Uniforms { rows: u32 }
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read_write> x: array<$V>;
@group(0) @binding(2) var<storage, read> positions: array<u32>;
@group(0) @binding(3) var<storage, read> table: array<$V>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let index = (group.y * 65535u + group.x) * 64u + local;
  let row = index / $(HEADS * HALF)u;
  if row >= u.rows { return; }
  let head = index / $(HALF)u % $(HEADS)u;
  let i = index % $(HALF)u;
  let angle = positions[row] * $(2 * HALF)u + i;
  let c = table[angle];
//# if BACK
  let s = -table[angle + $(HALF)u];
//# else
  let s = table[angle + $(HALF)u];
//# end
  let at = row * $(STRIDE)u + $(COLUMN)u + head * $(WIDTH)u + i;
  let a = x[at];
  let b = x[at + $(HALF)u];
  x[at] = a * c - b * s;
  x[at + $(HALF)u] = b * c + a * s;
}
