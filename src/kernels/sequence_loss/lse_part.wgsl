// Log-sum-exp of a chunk of CHUNK columns of a row, as (m, log sum exp(x - m)) with m the largest x: kept apart because their
// sum has no room for the second where logits are large. Online: one pass.
// Chunk c of a row goes to place `first + c` of its `places`.
struct Uniforms { rows: u32, places: u32, first: u32 }
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> logits: array<$V>;
@group(0) @binding(2) var<storage, read_write> lse: array<vec2f>;

//# if LANES > 1
var<workgroup> part: array<vec2f, $(UNITS * LANES)>;
//# end

fn join(a: vec2f, b: vec2f) -> vec2f {
  let m = max(a.x, b.x);
  return vec2f(m, a.y * exp(a.x - m) + b.y * exp(b.x - m));
}

@compute @workgroup_size($(UNITS * LANES))
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let unit = (group.y * 65535u + group.x) * $(UNITS)u + local / $(LANES)u;
  let lane = local % $(LANES)u;
  let row = unit / $(CHUNKS)u;
  let live = row < u.rows;
  let first = (unit % $(CHUNKS)u) * $(CHUNK)u;
  let end = min(first + $(CHUNK)u, $(WIDTH)u);
  // (m, sum of exp(x - m)); below any logit at first, yet far enough from infinity to subtract.
  var state = vec2f(-1e30, 0.0);
  if live {
    for (var i = first + lane; i < end; i += $(LANES)u) {
      let v = logits[row * $(WIDTH)u + i];
//# if VECTOR
      let m = max(max(state.x, max(v.x, v.y)), max(v.z, v.w));
      state = vec2f(m, state.y * exp(state.x - m) + dot(exp(v - m), vec4f(1.0)));
//# else
      let m = max(state.x, v);
      state = vec2f(m, state.y * exp(state.x - m) + exp(v - m));
//# end
    }
  }
//# if LANES > 1
  part[local] = state;
  workgroupBarrier();
  for (var half = $(LANES / 2)u; half > 0u; half >>= 1u) {
    if lane < half { part[local] = join(part[local], part[local + half]); }
    workgroupBarrier();
  }
  state = part[local - lane];
//# end
  if live && lane == 0u { lse[row * u.places + u.first + unit % $(CHUNKS)u] = vec2f(state.x, log(state.y)); }
}
