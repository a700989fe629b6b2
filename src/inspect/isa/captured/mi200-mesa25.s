BB0:
	v_lshl_add_u32 v0, s3, 4, v0                                ; d1fd0000 04010803
	v_lshl_add_u32 v1, s4, 4, v1                                ; d1fd0001 04050804
	v_max_u32_e32 v2, v1, v0                                    ; 1e040101
	v_cmpx_gt_u32_e32 vcc, 0x400, v2                            ; 7db804ff 00000400
	s_cbranch_execz BB11                                        ; bf88001e
BB1:
	s_movk_i32 s3, 0x8000                                       ; b0038000
	s_load_dwordx4 s[4:7], s[2:3], 0x0                          ; c00a0101 00000000
	s_load_dwordx4 s[8:11], s[2:3], 0x10                        ; c00a0201 00000010
	v_lshlrev_b32_e32 v1, 10, v1                                ; 2402028a
	v_mov_b32_e32 v2, 0                                         ; 7e040280
	s_mov_b32 s0, 0                                             ; be800080
BB2:
	v_add_lshl_u32 v3, s0, v1, 2                                ; d1fe0003 020a0200
	s_waitcnt lgkmcnt(0)                                        ; bf8cc07f
	buffer_load_dword v3, v3, s[4:7], 0 offen                   ; e0501000 80010303
	v_lshl_add_u32 v4, s0, 10, v0                               ; d1fd0004 04011400
	v_lshlrev_b32_e32 v4, 2, v4                                 ; 24080882
	buffer_load_dword v4, v4, s[8:11], 0 offen                  ; e0501000 80020404
	s_add_u32 s0, s0, 1                                         ; 80008100
	s_cmpk_ge_u32 s0, 0x400                                     ; b5800400
	s_waitcnt vmcnt(0)                                          ; bf8c3f70
	v_mac_f32_e32 v2, v3, v4                                    ; 2c040903
	s_cbranch_scc0 BB2                                          ; bf84fff1
BB6:
	s_load_dwordx4 s[0:3], s[2:3], 0x20                         ; c00a0001 00000020
	v_add_lshl_u32 v1, v1, v0, 2                                ; d1fe0001 020a0101
	s_waitcnt lgkmcnt(0)                                        ; bf8cc07f
	buffer_store_dword v2, v1, s[0:3], 0 offen                  ; e0701000 80000201
BB11:
	s_endpgm                                                    ; bf810000
