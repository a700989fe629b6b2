BB0:
	v_and_b32_e32 v1, 15, v0                                    ; 3602008f
	v_lshrrev_b32_e32 v0, 10, v0                                ; 3200008a
	s_delay_alu instid0(VALU_DEP_2) | instskip(SKIP_1) | instid1(VALU_DEP_1) ; bf8700a2
	v_lshl_add_u32 v1, s3, 4, v1                                ; d6460001 04050803
	v_lshl_add_u32 v0, s4, 4, v0                                ; d6460000 04010804
	v_max_u32_e32 v2, v0, v1                                    ; 28040300
	s_delay_alu instid0(VALU_DEP_1)                             ; bf870001
	v_cmpx_gt_u32_e32 0x400, v2                                 ; 7d9804ff 00000400
	s_cbranch_execz BB11                                        ; bfa50023
BB1:
	s_movk_i32 s3, 0x8000                                       ; b0038000
	s_clause 0x1                                                ; bf850001
	s_load_b128 s[4:7], s[2:3], null                            ; f4080101 f8000000
	s_load_b128 s[8:11], s[2:3], 0x10                           ; f4080201 f8000010
	v_lshlrev_b32_e32 v0, 10, v0                                ; 3000008a
	v_mov_b32_e32 v2, 0                                         ; 7e040280
	s_mov_b32 s0, 0                                             ; be800080
	s_set_inst_prefetch_distance 0x2                            ; bf840002
BB2:
	s_delay_alu instid0(VALU_DEP_2) | instid1(SALU_CYCLE_1)     ; bf870482
	v_add_lshl_u32 v3, s0, v0, 2                                ; d6470003 020a0000
	s_waitcnt lgkmcnt(0)                                        ; bf89fc07
	buffer_load_b32 v3, v3, s[4:7], 0 offen                     ; e0500000 80410303
	v_lshl_add_u32 v4, s0, 10, v1                               ; d6460004 04051400
	s_delay_alu instid0(VALU_DEP_1) | instskip(SKIP_2) | instid1(SALU_CYCLE_1) ; bf8704b1
	v_lshlrev_b32_e32 v4, 2, v4                                 ; 30080882
	buffer_load_b32 v4, v4, s[8:11], 0 offen                    ; e0500000 80420404
	s_add_u32 s0, s0, 1                                         ; 80008100
	s_cmpk_ge_u32 s0, 0x400                                     ; b6000400
	s_waitcnt vmcnt(0)                                          ; bf8903f7
	v_fmac_f32_e32 v2, v3, v4                                   ; 56040903
	s_cbranch_scc0 BB2                                          ; bfa1ffef
BB6:
	s_set_inst_prefetch_distance 0x3                            ; bf840003
	s_load_b128 s[0:3], s[2:3], 0x20                            ; f4080001 f8000020
	v_add_lshl_u32 v0, v0, v1, 2                                ; d6470000 020a0300
	s_waitcnt lgkmcnt(0)                                        ; bf89fc07
	buffer_store_b32 v2, v0, s[0:3], 0 offen                    ; e0680000 80400200
BB11:
	s_nop 0                                                     ; bf800000
	s_sendmsg sendmsg(MSG_DEALLOC_VGPRS)                        ; bfb60003
	s_endpgm                                                    ; bfb00000
