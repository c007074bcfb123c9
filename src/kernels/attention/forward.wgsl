// out = softmax(scale * q k^T + bias) v by online softmax, BLOCK keys at a time; lse is the log of the sum of each row's exp.
@compute @workgroup_size($(LANES * TILES))
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let head = group.y;
  let lane = local % $(LANES)u;
  let first = (group.x * $(TILES)u + local / $(LANES)u) * $(R)u;
  let q_column = u.q_column + head * $(WIDTH)u + lane * $(SLICE)u;
  let k_column = u.k_column + head / u.group * $(WIDTH)u + lane * $(SLICE)u;
  let v_column = u.v_column + head / u.group * $(WIDTH)u + lane * $(SLICE)u;
  var united = vec2u(0xffffffffu, 0u);
//# for i in R
  let row$i = min(first + $(i)u, u.rows - 1u);
  let range$i = ranges[row$i];
  united = unite(united, range$i);
  var from$i = range$i.x;
  var count$i = select(0u, range$i.y - range$i.x, range$i.y > range$i.x);
//# if PREFIX
  var hole$i = range$i.z;
//# end
//# if BIAS
  let shift$i = bitcast<i32>(range$i.z) - i32(range$i.x);
//# end
  var m$i = START;
  var l$i = 0.0;
//# for d in SLICE
  let q$(i)_$d = $Q[row$i * u.q_stride + q_column + $(d)u] * u.scale;
  var o$(i)_$d = $V();
//# end
//# end
//# if LANES > 1
  // Barriers need one loop for all: the whole workgroup walks over what any of its rows sees.
  if local == 0u {
    var all = vec2u(0xffffffffu, 0u);
    for (var i = group.x * $(TILES * R)u; i < min((group.x + 1u) * $(TILES * R)u, u.rows); i++) {
      all = unite(all, ranges[i]);
    }
    bounds = all;
  }
  united = workgroupUniformLoad(&bounds);
//# end
//# if PREFIX
  for (var segment = 0u; segment < 2u; segment++) {
  if segment == 1u {
    united = vec2u(0u, u.prefix);
//# for i in R
    from$i = range$i.w;
    count$i = select(0u, u.prefix - range$i.w, range$i.w < u.prefix);
    hole$i = 0u;
//# end
  }
//# end
  for (var j = united.x; j < united.y; j += $(BLOCK)u) {
//# for b in BLOCK
    let key$b = min(j + $(b)u, united.y - 1u);
    let k$b = key$b * u.k_stride + k_column;
//# for i in R
    var s$(i)_$b = 0.0;
//# end
//# for d in SLICE
    let k$(b)_$d = $K[k$b + $(d)u];
//# for i in R
    s$(i)_$b += product(q$(i)_$d, k$(b)_$d);
//# end
//# end
//# end
//# if QUADS
//# for i in R
//# for b in BLOCK
    s$(i)_$b = over_lanes(s$(i)_$b);
//# end
//# end
//# else
//# if LANES > 1
//# for i in R
//# for b in BLOCK
    sums[$((i * BLOCK + b) * LANES * TILES)u + local] = s$(i)_$b;
//# end
//# end
    workgroupBarrier();
//# for i in R
//# for b in BLOCK
    s$(i)_$b = 0.0;
//# for n in LANES
    s$(i)_$b += sums[$((i * BLOCK + b) * LANES * TILES + n)u + local - lane];
//# end
//# end
//# end
    workgroupBarrier();
//# end
//# end
//# for i in R
    var top$i = m$i;
//# for b in BLOCK
//# if CAP
    s$(i)_$b = capped(s$(i)_$b);
//# end
//# if BIAS
    s$(i)_$b += bias_at(head, shift$i + i32(key$b));
//# end
//# if PREFIX
    let at$(i)_$b = j + $(b)u - from$i;
    let seen$(i)_$b = at$(i)_$b < count$i && at$(i)_$b - (hole$i & 0xffffu) >= hole$i >> 16u;
//# else
    let seen$(i)_$b = j + $(b)u - from$i < count$i;
//# end
    s$(i)_$b = select(NONE, s$(i)_$b, seen$(i)_$b);
    top$i = max(top$i, s$(i)_$b);
//# end
    let shrink$i = exp(m$i - top$i);
    m$i = top$i;
    l$i *= shrink$i;
//# for b in BLOCK
    let p$(i)_$b = exp(s$(i)_$b - top$i);
    l$i += p$(i)_$b;
//# end
//# for d in SLICE
    o$(i)_$d *= shrink$i;
//# end
//# end
//# for b in BLOCK
    let v$b = key$b * u.v_stride + v_column;
//# for d in SLICE
    let v$(b)_$d = $VALUE[v$b + $(d)u];
//# for i in R
    o$(i)_$d += p$(i)_$b * v$(b)_$d;
//# end
//# end
//# end
  }
//# if PREFIX
  }
//# end
//# for i in R
  if first + $(i)u < u.rows {
    let seen = l$i > 0.0;
    let scale = select(0.0, 1.0 / l$i, seen);
    let at = (row$i * u.heads + head) * $(WIDTH)u + lane * $(SLICE)u;
//# for d in SLICE
    out[at + $(d)u] = o$(i)_$d * scale;
//# end
    if lane == 0u { lse[row$i * u.heads + head] = select(0.0, m$i + log(l$i), seen); }
  }
//# end
}
