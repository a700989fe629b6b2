BB0:
	v_bfe_u32 v1, v0, 0, 10                                     ; d6100001 02290100
	v_bfe_u32 v0, v0, 10, 10                                    ; d6100000 02291500
	v_lshl_add_u32 v1, s3, 4, v1                                ; d6460001 04050803
	v_lshl_add_u32 v0, s4, 4, v0                                ; d6460000 04010804
	v_max_u32_e32 v2, v0, v1                                    ; 28040300
	s_mov_b64 s[0:1], exec                                      ; be80017e
	v_cmpx_gt_u32_e32 0x400, v2                                 ; 7d9804ff 00000400
	s_cbranch_execz BB11                                        ; bfa50023
BB1:
	v_mov_b32_e32 v2, 0                                         ; 7e040280
	s_mov_b32 s3, 0                                             ; be830080
BB2:
	s_cmpk_ge_u32 s3, 0x400                                     ; b6030400
	s_cbranch_scc1 BB6                                          ; bfa20016
BB5:
	s_mov_b32 s4, s2                                            ; be840002
	s_movk_i32 s5, 0x8000                                       ; b0058000
	s_clause 0x1                                                ; bf850001
	s_load_b128 s[8:11], s[4:5], null                           ; f4080202 f8000000
	s_load_b128 s[4:7], s[4:5], 0x10                            ; f4080102 f8000010
	v_lshl_add_u32 v3, v0, 10, s3                               ; d6460003 000d1500
	v_lshlrev_b32_e32 v3, 2, v3                                 ; 30060682
	s_waitcnt lgkmcnt(0)                                        ; bf89fc07
	buffer_load_b32 v3, v3, s[8:11], 0 offen                    ; e0500000 80420303
	v_lshl_add_u32 v4, s3, 10, v1                               ; d6460004 04051403
	v_lshlrev_b32_e32 v4, 2, v4                                 ; 30080882
	buffer_load_b32 v4, v4, s[4:7], 0 offen                     ; e0500000 80410404
	s_add_u32 s3, s3, 1                                         ; 80038103
	s_waitcnt vmcnt(0)                                          ; bf8903f7
	v_fmac_f32_e32 v2, v3, v4                                   ; 56040903
	s_branch BB2                                                ; bfa0ffe8
BB6:
	s_movk_i32 s3, 0x8000                                       ; b0038000
	s_load_b128 s[4:7], s[2:3], 0x20                            ; f4080101 f8000020
	v_lshl_add_u32 v0, v0, 10, v1                               ; d6460000 04051500
	v_lshlrev_b32_e32 v0, 2, v0                                 ; 30000082
	s_waitcnt lgkmcnt(0)                                        ; bf89fc07
	buffer_store_b32 v2, v0, s[4:7], 0 offen                    ; e0680000 80410200
BB11:
	s_endpgm                                                    ; bfb00000
