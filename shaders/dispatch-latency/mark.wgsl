// As little as a dispatch can do and still prove that it ran.
@group(0) @binding(0) var<storage, read_write> mark: array<u32, 1>;

@compute @workgroup_size(1)
fn main() {
    mark[0] = MARK;
}
