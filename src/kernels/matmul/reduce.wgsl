// The second pass of a split depth: left [rows, PARTS * COLS] holds the parts of each row side by side; sums them in order.
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let at = (group.y * 65535u + group.x) * 64u + local;
  if at >= u.rows * $(COLUMNS)u { return; }
  let row = at / $(COLUMNS)u;
  let column = at % $(COLUMNS)u;
  var sum = $O();
  for (var part = 0u; part < $(PARTS)u; part++) {
    sum += left[(row * $(PARTS)u + part) * $(COLUMNS)u + column];
  }
  finish(sum, row, column, 0u);
}
