enable subgroups;

// WGSL leaves open which invocations of a workgroup make a subgroup. One flag each: 1 where this one stands in a full subgroup as it
// stands in the workgroup, and its quad are its neighbours.
@group(0) @binding(0) var<storage, read_write> in_order: array<u32>;

@compute @workgroup_size(256)
fn main(
  @builtin(local_invocation_index) local: u32,
  @builtin(subgroup_invocation_id) lane: u32,
  @builtin(subgroup_size) size: u32,
) {
  let full = subgroupAdd(1u) == size;
  let across = quadSwapX(local) == (local ^ 1u);
  let down = quadSwapY(local) == (local ^ 2u);
  in_order[local] = u32(full && across && down && lane == local % size);
}
