// x[t] = prompt[p] where ids[t] = 0x80000000 | p, else table[ids[t]] (times SCALE).
// With PIECE the table begins at row `first` of its weight and has `count` rows; all others are written by the other pieces.
struct Uniforms { rows: u32, first: u32, count: u32 }
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> ids: array<u32>;
@group(0) @binding(3) var<storage, read_write> x: array<$V>;
//# if PROMPT
@group(0) @binding(4) var<storage, read> prompt: array<$V>;
//# end

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let i = (group.y * 65535u + group.x) * 64u + local;
  let row = i / $(WIDTH)u;
  if row >= u.rows { return; }
  let column = i % $(WIDTH)u;
  let id = ids[row];
//# if PROMPT
  if (id & 0x80000000u) != 0u {
    x[i] = prompt[(id & 0x7fffffffu) * $(WIDTH)u + column];
    return;
  }
//# end
//# if PIECE
  let own = id - u.first;
  if own >= u.count { return; }
//# else
  let own = id;
//# end
  x[i] = $AT(own * $(WIDTH)u + column)
//# if SCALED
    * $SCALE
//# end
  ;
}
