Shader disassembly is not supported in the current configuration, falling back to print_program.

After lowering to hw instructions:
ACO shader stage: SW (CS), HW (COMPUTE_SHADER)
BB0
/* logical preds: / linear preds: / kind: top-level, branch, */
	 v1: %6:v[1] = v_and_b32 15, %44:v[0]
	 v1: %9:v[0] = v_lshrrev_b32 10, %44:v[0]
	s_delay_alu valu_dep_2 skip_1 valu_dep_1
	 v1: %7:v[1] = v_lshl_add_u32 %45:s[117], 4, %6:v[1]
	 v1: %11:v[0] = v_lshl_add_u32 (is16bit)%46:s[115], 4, %9:v[0]
	 v1: %13:v[2] = v_max_u32 %11:v[0], %7:v[1]
	s_delay_alu valu_dep_1
	 s2: %0:exec = v_cmpx_gt_u32 0x400, %13:v[2]
	s_cbranch_execz block:BB11
BB1
/* logical preds: BB0, / linear preds: BB0, / kind: uniform, loop-preheader, */
	 s1: %0:s[3] = s_movk_i32 imm:-32768
	s_clause imm:1
	 s4: %19:s[4-7] = s_load_dwordx4 %17:s[2-3], 0
	 s4: %21:s[8-11] = s_load_dwordx4 %17:s[2-3], 16
	 v1: %23:v[0] = v_lshlrev_b32 10, (is24bit)%11:v[0]
	 v1: %0:v[2] = v_mov_b32 0
	 s1: %0:s[0] = s_mov_b32 0
BB2
/* logical preds: BB1, BB2, / linear preds: BB1, BB2, / kind: uniform, loop-header, */
	s_delay_alu valu_dep_2 salu_cycle_1
	 v1: %28:v[3] = v_add_lshl_u32 %25:s[0], %23:v[0], 2
	s_wait_kmcnt imm:0
	 v1: %29:v[3] = buffer_load_dword %19:s[4-7], %28:v[3], 0 offen storage:buffer semantics:private,reorder
	 v1: %31:v[4] = v_lshl_add_u32 %25:s[0], 10, %7:v[1]
	s_delay_alu valu_dep_1
	 v1: %32:v[4] = v_lshlrev_b32 2, %31:v[4]
	 v1: %33:v[4] = buffer_load_dword %21:s[8-11], %32:v[4], 0 offen storage:buffer semantics:private,reorder
	 s1: %35:s[0],  s1: %62:scc = s_add_u32 %25:s[0], 1
	s_waitcnt_depctr sa_sdst(0)
	 s1: %63:scc = s_cmp_ge_u32 %35:s[0], 0x400
	s_wait_loadcnt imm:0
	 v1: %34:v[2] = v_fmac_f32 %29:v[3], %33:v[4], %26:v[2]
	s_cbranch_scc0 block:BB2
BB6
/* logical preds: BB2, / linear preds: BB2, / kind: uniform, loop-exit, */
	 s4: %40:s[0-3] = s_load_dwordx4 %17:s[2-3], 32
	 v1: %41:v[0] = v_add_lshl_u32 %23:v[0], %7:v[1], 2
	s_wait_kmcnt imm:0
	buffer_store_dword %40:s[0-3], %41:v[0], 0, %37:v[2] offen disable_wqm storage:buffer
BB11
/* logical preds: BB6, BB0, / linear preds: BB6, BB0, / kind: uniform, top-level, merge, */
	s_nop
	s_sendmsg sendmsg(dealloc_vgprs)
	s_endpgm

