// Each key row's share, summed over the query rows that see it and over the query heads that share its head:
// dv = sum of p * dout,  dk = scale * sum of ds * q,  with p = exp(score - lse) and ds = p * (dout . v - delta).
@compute @workgroup_size($(LANES * TILES))
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let lane = local % $(LANES)u;
  let first = (group.x * $(TILES)u + local / $(LANES)u) * $(R)u;
  let k_column = u.k_column + group.y * $(WIDTH)u + lane * $(SLICE)u;
  let v_column = u.v_column + group.y * $(WIDTH)u + lane * $(SLICE)u;
  var united = vec2u(0xffffffffu, 0u);
//# for i in R
  let row$i = min(first + $(i)u, u.rows - 1u);
  let range$i = ranges[row$i];
  united = unite(united, range$i);
  let from$i = range$i.x;
  let count$i = select(0u, range$i.y - range$i.x, range$i.y > range$i.x);
//# if BIAS
  let shift$i = bitcast<i32>(range$i.z) + i32(range$i.x);
//# end
//# for d in SLICE
  let k$(i)_$d = $K[row$i * u.k_stride + k_column + $(d)u] * u.scale;
//# if DK
  let v$(i)_$d = $VALUE[row$i * u.v_stride + v_column + $(d)u];
  var dk$(i)_$d = $V();
//# end
//# if DV
  var dv$(i)_$d = $V();
//# end
//# end
//# end
//# if LANES > 1
  if local == 0u {
    var all = vec2u(0xffffffffu, 0u);
    for (var i = group.x * $(TILES * R)u; i < min((group.x + 1u) * $(TILES * R)u, u.rows); i++) {
      all = unite(all, ranges[i]);
    }
    bounds = all;
  }
  united = workgroupUniformLoad(&bounds);
//# end
  for (var head = group.y * u.group; head < (group.y + 1u) * u.group; head++) {
    let q_column = u.q_column + head * $(WIDTH)u + lane * $(SLICE)u;
    for (var j = united.x; j < united.y; j += $(BLOCK)u) {
//# for b in BLOCK
      let query$b = min(j + $(b)u, united.y - 1u);
      let q$b = query$b * u.q_stride + q_column;
      let g$b = (query$b * u.heads + head) * $(WIDTH)u + lane * $(SLICE)u;
      let stats$b = stats[query$b * u.heads + head];
//# for i in R
      var s$(i)_$b = 0.0;
//# if DK
      var t$(i)_$b = 0.0;
//# end
//# end
//# for d in SLICE
      let q$(b)_$d = $Q[q$b + $(d)u];
      let g$(b)_$d = dout[g$b + $(d)u];
//# for i in R
      s$(i)_$b += product(k$(i)_$d, q$(b)_$d);
//# if DK
      t$(i)_$b += product(v$(i)_$d, g$(b)_$d);
//# end
//# end
//# end
//# end
//# if QUADS
//# for i in R
//# for b in BLOCK
      s$(i)_$b = over_lanes(s$(i)_$b);
//# if DK
      t$(i)_$b = over_lanes(t$(i)_$b);
//# end
//# end
//# end
//# else
//# if LANES > 1
//# for i in R
//# for b in BLOCK
      sums[$(2 * (i * BLOCK + b) * LANES * TILES)u + local] = s$(i)_$b;
//# if DK
      sums[$((2 * i * BLOCK + 2 * b + 1) * LANES * TILES)u + local] = t$(i)_$b;
//# end
//# end
//# end
      workgroupBarrier();
//# for i in R
//# for b in BLOCK
      s$(i)_$b = 0.0;
//# if DK
      t$(i)_$b = 0.0;
//# end
//# for n in LANES
      s$(i)_$b += sums[$(2 * (i * BLOCK + b) * LANES * TILES + n)u + local - lane];
//# if DK
      t$(i)_$b += sums[$((2 * i * BLOCK + 2 * b + 1) * LANES * TILES + n)u + local - lane];
//# end
//# end
//# end
//# end
      workgroupBarrier();
//# end
//# end
//# for i in R
//# for b in BLOCK
//# if CAP
      s$(i)_$b = capped(s$(i)_$b);
//# end
//# if BIAS
      s$(i)_$b += bias_at(head, shift$i - i32(query$b));
//# end
      let p$(i)_$b = select(0.0, exp(s$(i)_$b - stats$b.x), j + $(b)u - from$i < count$i);
//# if DK
      var ds$(i)_$b = p$(i)_$b * (t$(i)_$b - stats$b.y);
//# if CAP
      ds$(i)_$b *= cap_slope(s$(i)_$b);
//# end
//# end
//# for d in SLICE
//# if DV
      dv$(i)_$d += p$(i)_$b * g$(b)_$d;
//# end
//# if DK
      dk$(i)_$d += ds$(i)_$b * q$(b)_$d;
//# end
//# end
//# end
//# end
    }
  }
//# for i in R
  if first + $(i)u < u.rows {
//# for d in SLICE
//# if DK
    $DK_OUT[row$i * u.k_stride + k_column + $(d)u] = dk$(i)_$d * u.scale;
//# end
//# if DV
    $DV_OUT[row$i * u.v_stride + v_column + $(d)u] = dv$(i)_$d;
//# end
//# end
  }
//# end
}
