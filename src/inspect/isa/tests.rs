//! Small listings whose loops can be counted by hand, and captured ones in every form.

use super::*;
use crate::record::LoopSummary;

fn hottest(text: &str) -> LoopSummary {
    loops(text).unwrap().swap_remove(0)
}

/// A loop that comes first in the text and runs seldom, then one that holds another.
const NESTED: &str = "
BB0:
	s_mov_b32 s0, 0
BB1:
	ds_read_b32 v1, v0
	ds_read_b32 v2, v0
	ds_read_b32 v3, v0
	ds_read_b32 v4, v0
	v_add_u32_e32 v9, 0x100, v9
	v_cmp_gt_u32_e32 vcc, 0x200, v9
	s_cbranch_vccnz BB1
BB2:
	s_waitcnt lgkmcnt(0)
	s_mov_b32 s1, 0
BB3:
	v_fmac_f32_e32 v5, v1, v2
	v_fma_f32 v6, v1, v2, v6
	v_mul_f32_e32 v7, v1, v2
	s_add_i32 s1, s1, 4
	s_cmp_lt_u32 s1, 16
	s_cbranch_scc1 BB3
BB4:
	s_add_i32 s0, s0, 16
	s_cmpk_lt_u32 s0, 0x400
	s_cbranch_scc1 BB2
BB5:
	s_endpgm
";

#[test]
fn the_hottest_loop_is_found_by_control_flow_and_not_by_its_place() {
    let hottest = hottest(NESTED);
    assert_eq!(hottest.label, "BB3");
    assert_eq!((hottest.depth, hottest.trips), (2, Some(4)));
    let mix = hottest.mix;
    assert_eq!((mix.instructions, mix.fma, mix.vector), (6, 2, 1));
    assert_eq!((mix.scalar, mix.branch), (2, 1));
    // Six instructions, four trips, inside 64 trips.
    assert!((hottest.weight - 6.0 * 4.0 * 64.0).abs() < 1e-9);
}

#[test]
fn a_loop_does_not_count_what_is_in_the_loops_inside_it() {
    let all = loops(NESTED).unwrap();
    let outer = all.iter().find(|l| l.label == "BB2").unwrap();
    assert_eq!((outer.depth, outer.trips), (1, Some(64)));
    assert_eq!((outer.mix.instructions, outer.mix.fma), (5, 0));
    assert_eq!(all.len(), 3);
}

#[test]
fn an_address_that_is_computed_anew_in_every_trip_is_no_counter() {
    let address = "BB0:\n\ts_mov_b32 s0, 0\nBB1:\n\tv_add_nc_u32_e32 v14, s0, v8\n\
         \tv_cmpx_gt_u32_e32 0x130, v14\n\tv_add_nc_u32_e32 v14, 0x1084, v14\n\
         \tbuffer_load_b32 v13, v14, s[12:15], 0 offen\n\ts_add_u32 s0, s0, 64\n\
         \ts_cmpk_lt_u32 s0, 0x130\n\ts_cbranch_scc1 BB1\nBB2:\n\ts_endpgm\n";
    assert_eq!(hottest(address).trips, Some(5));
}

#[test]
fn work_that_was_unrolled_into_an_outer_loop_outweighs_a_short_inner_one() {
    let work = "\tv_fmac_f32_e32 v5, v1, v2\n".repeat(100);
    let text = format!(
        "BB0:\n\ts_mov_b32 s0, 0\nBB1:\n\tds_write_b32 v0, v1\nBB2:\n\tglobal_load_dword v1, v[2:3], off\n\
         \tv_add_nc_u32_e32 v9, 64, v9\n\tv_cmpx_gt_u32_e32 0x80, v9\n\ts_cbranch_execnz BB2\nBB3:\n{work}\
         \ts_add_u32 s0, s0, 8\n\ts_cmp_ge_u32 s0, s3\n\ts_cbranch_scc0 BB1\nBB4:\n\ts_endpgm\n"
    );
    let hottest = hottest(&text);
    assert_eq!((hottest.label.as_str(), hottest.trips), ("BB1", None));
    assert_eq!(hottest.mix.fma, 100);
}

#[test]
fn a_branch_back_to_a_block_that_does_not_dominate_is_no_loop() {
    // The `else` of a condition, laid out before its `then`.
    let text = "BB0:\n\ts_cbranch_scc0 BB2\n\ts_branch BB3\nBB2:\n\tv_mov_b32 v0, 1\n\ts_branch BB4\nBB3:\n\
                \tv_mov_b32 v0, 2\n\ts_branch BB2\nBB4:\n\ts_endpgm\n";
    assert_eq!(loops(text).unwrap(), []);
}

#[test]
fn a_loop_with_two_ways_back_is_one_loop() {
    let text = "BB0:\n\ts_nop 0\nBB1:\n\tv_fmac_f32 v0, v1, v2\n\ts_cbranch_scc0 BB1\nBB2:\n\ts_cbranch_vccnz BB1\n\
                BB3:\n\ts_endpgm\n";
    let all = loops(text).unwrap();
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].mix.instructions, 3);
}

#[test]
fn both_halves_of_a_dual_issued_pair_count() {
    let text = "
BB1:
	v_dual_fmac_f32 v1, v2, v3 :: v_dual_fmac_f32 v4, v5, v6   ; c8000503 01040d06
	v_dual_mov_b32 v1, 0 :: v_dual_fmac_f32 v4, v5, v6
	v_fmac_f32_e32 v1, v2, v3
	s_cbranch_scc0 BB1
BB2:
	s_endpgm
";
    let mix = hottest(text).mix;
    assert_eq!((mix.instructions, mix.operations), (4, 6));
    assert_eq!(
        (mix.fma, mix.fma_dual, mix.vector, mix.branch),
        (4, 3, 1, 1)
    );
}

#[test]
fn instructions_are_known_by_what_they_do() {
    use Class::*;
    for (mnemonic, class) in [
        ("v_fma_f32", Fma),
        ("v_fmac_f32_e32", Fma),
        ("v_dual_fmaak_f32", Fma),
        ("v_mac_f32_e32", Fma),
        ("v_mad_f32", Fma),
        ("v_mad_u32_u24", Vector),
        ("v_mad_i64_i32", Vector),
        ("v_pk_fma_f16", Fma),
        ("v_pk_fma_f32", Fma),
        ("v_pk_mad_u16", Vector),
        ("v_fma_mix_f32", Fma),
        ("v_fma_mixlo_f16", Fma),
        ("v_wmma_f32_16x16x16_f16", Matrix),
        ("v_swmmac_f32_16x16x32_f16", Matrix),
        ("v_mfma_f32_32x32x8_f16", Matrix),
        ("v_dot4_i32_iu8", Dot),
        ("v_dot2_f32_f16", Dot),
        ("v_cmp_gt_u32_e32", Vector),
        ("v_accvgpr_read_b32", Vector),
        ("ds_load_b128", Lds),
        ("ds_read2_b32", Lds),
        ("buffer_load_b128", Global),
        ("global_store_dwordx4", Global),
        ("scratch_load_b32", Scratch),
        ("s_load_b128", ScalarMemory),
        ("s_buffer_load_dword", ScalarMemory),
        ("s_add_u32", Scalar),
        ("s_cmp_ge_u32", Scalar),
        ("s_cbranch_scc0", Branch),
        ("s_waitcnt", Wait),
        ("s_wait_loadcnt", Wait),
        ("s_delay_alu", Wait),
        ("s_barrier", Wait),
        ("s_barrier_signal", Wait),
        ("s_set_inst_prefetch_distance", Wait),
        ("export", Other),
    ] {
        assert_eq!(classify(mnemonic), class, "{mnemonic}");
    }
}

const CAPTURED: [(&str, &str); 4] = [
    ("navi31-mesa25", include_str!("captured/navi31-mesa25.s")),
    ("mi200-mesa25", include_str!("captured/mi200-mesa25.s")),
    ("gfx1201-mesa25", include_str!("captured/gfx1201-mesa25.s")),
    ("navi33-mesa22", include_str!("captured/navi33-mesa22.s")),
];

/// `matmul/naive.wgsl` at 1024³: one loop of 1024 trips with two loads and one multiply-add.
#[test]
fn every_captured_form_tells_the_same_of_the_same_kernel() {
    for (name, text) in CAPTURED {
        let all = loops(text).unwrap();
        assert_eq!(all.len(), 1, "{name}");
        let only = &all[0];
        assert_eq!((only.depth, only.trips), (1, Some(1024)), "{name}");
        assert_eq!((only.mix.fma, only.mix.global), (1, 2), "{name}");
        assert_eq!(only.mix.other, 0, "{name}");
    }
}

#[test]
fn the_kinds_sum_up_to_the_operations() {
    for (name, text) in CAPTURED.into_iter().chain([("nested", NESTED)]) {
        for l in loops(text).unwrap() {
            let m = l.mix;
            let kinds = m.fma + m.matrix + m.dot + m.vector + m.lds + m.global + m.scratch;
            let kinds = kinds + m.scalar_memory + m.scalar + m.branch + m.wait + m.other;
            assert_eq!(kinds, m.operations, "{name} {}", l.label);
        }
    }
}

#[test]
fn a_run_that_was_shortened_counts_in_full() {
    let text = "BB1:\n\tv_fmac_f32 v0, v1, v2\n\t(then repeated 9 times)\n\ts_cbranch_scc0 BB1\n";
    assert_eq!(hottest(text).mix.fma, 10);
}

#[test]
fn text_that_is_not_understood_is_an_error_and_no_zero() {
    assert!(loops("").is_err());
    assert!(loops("define void @main() {\n  ret void\n}\n").is_err());
    let gone = loops("BB0:\n\tv_mov_b32 v0, 0\n\ts_branch BB7\n").unwrap_err();
    assert!(gone.contains("BB7"), "{gone}");
}

#[test]
fn operands_lose_the_compilers_notes() {
    let add = loops(
        "BB0\n\t s1: %1:s[0] = s_mov_b32 0\nBB1\n\t v1: %2:v[3] = v_fmac_f32 (kill)%4:v[1], %5:v[2], %6:v[3]\n\
         \t s1: %7:s[0],  s1: %8:scc = s_add_u32 (is16bit)%9:s[0], 2\n\t s1: %8:scc = s_cmp_ge_u32 %7:s[0], 10\n\
         \ts_cbranch_scc0 block:BB1\nBB2\n\ts_endpgm\n",
    )
    .unwrap();
    assert_eq!(add[0].trips, Some(5));
}

#[test]
fn instructions_that_the_disassembler_does_not_know_are_counted_or_the_shares_are_withheld() {
    let few = "BB0:\n".to_owned()
        + &"\tv_fma_f32 v6, v1, v2, v6\n".repeat(38)
        + "(invalid instruction)    ; 7e5a39ac\n\ts_cbranch_scc1 BB0\n";
    let mix = hottest(&few).mix;
    assert_eq!((mix.instructions, mix.fma, mix.other), (40, 38, 1));
    let many = few.replace(
        "v_fma_f32 v6, v1, v2, v6",
        "(invalid instruction)    ; 2c4c",
    );
    let reason = loops(&many).unwrap_err();
    assert!(reason.contains("39 of 40"), "{reason}");
}
