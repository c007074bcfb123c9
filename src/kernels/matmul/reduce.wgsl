// The second pass of a split depth: left [rows, parts * cols] holds the parts of each row side by side; sums them in order.
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let at = (group.y * 65535u + group.x) * 64u + local;
  if at >= u.rows * u.columns { return; }
  let row = at / u.columns;
  let column = at % u.columns;
  var sum = $O();
  for (var part = 0u; part < u.parts; part++) {
    sum += left[(row * u.parts + part) * u.columns + column];
  }
  finish(sum, row, column, 0u);
}
