// With h = (x - mean) * r and g = dy * weight:  dx = r * (g - mean(g) - h * mean(g * h))  (+ addend).
struct Uniforms { rows: u32 }
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> x: array<$V>;
@group(0) @binding(2) var<storage, read> weight: array<$V>;
@group(0) @binding(3) var<storage, read> dy: array<$V>;
@group(0) @binding(4) var<storage, read_write> dx: array<$V>;
//# if ADDEND
@group(0) @binding(5) var<storage, read> addend: array<$V>;
//# end

//# if LANES > 1
var<workgroup> part: array<vec3f, $(ROWS * LANES)>;
//# end

@compute @workgroup_size($(ROWS * LANES))
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let row = (group.y * 65535u + group.x) * $(ROWS)u + local / $(LANES)u;
  let lane = local % $(LANES)u;
  let live = row < u.rows;
  let base = row * $(WIDTH)u;
  var first = vec3f();
  if live {
    for (var i = lane; i < $(WIDTH)u; i += $(LANES)u) {
      first += vec3f(total(x[base + i]), total(dy[base + i] * weight[i]), 0.0);
    }
  }
//# if LANES > 1
  part[local] = first;
  workgroupBarrier();
  for (var half = $(LANES / 2)u; half > 0u; half >>= 1u) {
    if lane < half { part[local] += part[local + half]; }
    workgroupBarrier();
  }
  first = part[local - lane];
  workgroupBarrier();
//# end
  let mean = first / $(COLUMNS).0;
  // Sums of (x - mean)^2 and of g * (x - mean).
  var second = vec3f();
  if live {
    for (var i = lane; i < $(WIDTH)u; i += $(LANES)u) {
      let v = x[base + i] - mean.x;
      second += vec3f(total(v * v), total(dy[base + i] * weight[i] * v), 0.0);
    }
  }
//# if LANES > 1
  part[local] = second;
  workgroupBarrier();
  for (var half = $(LANES / 2)u; half > 0u; half >>= 1u) {
    if lane < half { part[local] += part[local + half]; }
    workgroupBarrier();
  }
  second = part[local - lane];
//# end
  if live {
    let r = inverseSqrt(second.x / $(COLUMNS).0 + $EPS);
    let shrink = r * r * second.y / $(COLUMNS).0;
    for (var i = lane; i < $(WIDTH)u; i += $(LANES)u) {
      dx[base + i] = r * (dy[base + i] * weight[i] - mean.y - (x[base + i] - mean.x) * shrink)
//# if ADDEND
        + addend[base + i]
//# end
      ;
    }
  }
}
