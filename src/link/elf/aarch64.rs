//! ELF relocations of A64 (AAELF64, "Relocation types") as edges.
//!
//! Only ELF64 codes are here: those below 256 but 0 belong to the ILP32 variant, which is another architecture.
//! - `PLT32` computes the distance to *a way into* a function, so it is a branch edge although it is data.
//! - Local dynamic accesses (`TLSLD`) of variables at constant offsets are rewritten to use the thread pointer in the place of the
//!   module's memory, so `DTPREL` counts from there, as `TPREL` does.
//! - Types that store a signed pointer or load one through a signed GOT entry (`AUTH_*`, PAuth ABI extension) are refused:
//!   storing the bare pointer instead would fail at run time, far from the cause.

use super::relocation::Translation::{self, Edge, InModule, Nothing, Unsupported};
use super::relocation::{ElfArch, relocations};
use crate::link::arch::aarch64::kind;

/// The relocation types of A64.
#[derive(Debug)]
pub struct ElfAarch64;

impl ElfArch for ElfAarch64 {
    fn translate(&self, r_type: u32) -> Translation {
        relocation(r_type).map_or(Unsupported, |(_, meaning)| meaning)
    }

    fn name(&self, r_type: u32) -> Option<&'static str> {
        relocation(r_type).map(|(name, _)| name)
    }
}

relocations! { "R_AARCH64_";
    0 "NONE" Nothing;
    256 "NONE" Nothing;
    257 "ABS64" Edge(kind::POINTER64);
    258 "ABS32" Edge(kind::POINTER32);
    259 "ABS16" Edge(kind::POINTER16);
    260 "PREL64" Edge(kind::DELTA64);
    261 "PREL32" Edge(kind::DELTA32);
    262 "PREL16" Edge(kind::DELTA16);
    263 "MOVW_UABS_G0" Edge(kind::MOVE_WIDE_G0);
    264 "MOVW_UABS_G0_NC" Edge(kind::MOVE_WIDE_G0_NC);
    265 "MOVW_UABS_G1" Edge(kind::MOVE_WIDE_G1);
    266 "MOVW_UABS_G1_NC" Edge(kind::MOVE_WIDE_G1_NC);
    267 "MOVW_UABS_G2" Edge(kind::MOVE_WIDE_G2);
    268 "MOVW_UABS_G2_NC" Edge(kind::MOVE_WIDE_G2_NC);
    269 "MOVW_UABS_G3" Edge(kind::MOVE_WIDE_G3);
    270 "MOVW_SABS_G0" Edge(kind::MOVE_WIDE_SIGNED_G0);
    271 "MOVW_SABS_G1" Edge(kind::MOVE_WIDE_SIGNED_G1);
    272 "MOVW_SABS_G2" Edge(kind::MOVE_WIDE_SIGNED_G2);
    273 "LD_PREL_LO19" Edge(kind::LDR_LITERAL19);
    274 "ADR_PREL_LO21" Edge(kind::ADR_LITERAL21);
    275 "ADR_PREL_PG_HI21" Edge(kind::PAGE21);
    276 "ADR_PREL_PG_HI21_NC" Edge(kind::PAGE21_NC);
    277 "ADD_ABS_LO12_NC" Edge(kind::PAGE_OFFSET12);
    278 "LDST8_ABS_LO12_NC" Edge(kind::PAGE_OFFSET12_LDST8);
    279 "TSTBR14" Edge(kind::TEST_AND_BRANCH14);
    280 "CONDBR19" Edge(kind::COND_BRANCH19);
    282 "JUMP26" Edge(kind::BRANCH26);
    283 "CALL26" Edge(kind::BRANCH26);
    284 "LDST16_ABS_LO12_NC" Edge(kind::PAGE_OFFSET12_LDST16);
    285 "LDST32_ABS_LO12_NC" Edge(kind::PAGE_OFFSET12_LDST32);
    286 "LDST64_ABS_LO12_NC" Edge(kind::PAGE_OFFSET12_LDST64);
    287 "MOVW_PREL_G0" Edge(kind::MOVE_WIDE_DELTA_G0);
    288 "MOVW_PREL_G0_NC" Edge(kind::MOVE_WIDE_DELTA_G0_NC);
    289 "MOVW_PREL_G1" Edge(kind::MOVE_WIDE_DELTA_G1);
    290 "MOVW_PREL_G1_NC" Edge(kind::MOVE_WIDE_DELTA_G1_NC);
    291 "MOVW_PREL_G2" Edge(kind::MOVE_WIDE_DELTA_G2);
    292 "MOVW_PREL_G2_NC" Edge(kind::MOVE_WIDE_DELTA_G2_NC);
    293 "MOVW_PREL_G3" Edge(kind::MOVE_WIDE_DELTA_G3);
    299 "LDST128_ABS_LO12_NC" Edge(kind::PAGE_OFFSET12_LDST128);
    300 "MOVW_GOTOFF_G0" Edge(kind::REQUEST_GOT_MOVE_WIDE_G0);
    301 "MOVW_GOTOFF_G0_NC" Edge(kind::REQUEST_GOT_MOVE_WIDE_G0_NC);
    302 "MOVW_GOTOFF_G1" Edge(kind::REQUEST_GOT_MOVE_WIDE_G1);
    303 "MOVW_GOTOFF_G1_NC" Edge(kind::REQUEST_GOT_MOVE_WIDE_G1_NC);
    304 "MOVW_GOTOFF_G2" Edge(kind::REQUEST_GOT_MOVE_WIDE_G2);
    305 "MOVW_GOTOFF_G2_NC" Edge(kind::REQUEST_GOT_MOVE_WIDE_G2_NC);
    306 "MOVW_GOTOFF_G3" Edge(kind::REQUEST_GOT_MOVE_WIDE_G3);
    307 "GOTREL64" Edge(kind::DELTA64_FROM_GOT);
    308 "GOTREL32" Edge(kind::DELTA32_FROM_GOT);
    309 "GOT_LD_PREL19" Edge(kind::REQUEST_GOT_LITERAL19);
    310 "LD64_GOTOFF_LO15" Edge(kind::REQUEST_GOT_OFFSET15);
    311 "ADR_GOT_PAGE" Edge(kind::REQUEST_GOT_PAGE21);
    312 "LD64_GOT_LO12_NC" Edge(kind::REQUEST_GOT_PAGE_OFFSET12);
    313 "LD64_GOTPAGE_LO15" Edge(kind::REQUEST_GOT_PAGE_OFFSET15);
    314 "PLT32" Edge(kind::FUNCTION_DELTA32);
    315 "GOTPCREL32" Edge(kind::REQUEST_GOT_DELTA32);
    316 "PATCHINST" Unsupported;
    317 "FUNCINIT64" Unsupported;
    512 "TLSGD_ADR_PREL21" Edge(kind::REQUEST_TLS_INDEX_ADR21);
    513 "TLSGD_ADR_PAGE21" Edge(kind::REQUEST_TLS_INDEX_PAGE21);
    514 "TLSGD_ADD_LO12_NC" Edge(kind::REQUEST_TLS_INDEX_PAGE_OFFSET12);
    515 "TLSGD_MOVW_G1" Edge(kind::REQUEST_TLS_INDEX_MOVE_WIDE_G1);
    516 "TLSGD_MOVW_G0_NC" Edge(kind::REQUEST_TLS_INDEX_MOVE_WIDE_G0_NC);
    517 "TLSLD_ADR_PREL21" Edge(kind::REQUEST_TLS_MODULE_ADR21);
    518 "TLSLD_ADR_PAGE21" Edge(kind::REQUEST_TLS_MODULE_PAGE21);
    519 "TLSLD_ADD_LO12_NC" Edge(kind::REQUEST_TLS_MODULE_PAGE_OFFSET12);
    520 "TLSLD_MOVW_G1" Edge(kind::REQUEST_TLS_MODULE_MOVE_WIDE_G1);
    521 "TLSLD_MOVW_G0_NC" Edge(kind::REQUEST_TLS_MODULE_MOVE_WIDE_G0_NC);
    522 "TLSLD_LD_PREL19" Edge(kind::REQUEST_TLS_MODULE_LITERAL19);
    523 "TLSLD_MOVW_DTPREL_G2" InModule(kind::TLS_OFFSET_MOVE_WIDE_G2);
    524 "TLSLD_MOVW_DTPREL_G1" InModule(kind::TLS_OFFSET_MOVE_WIDE_G1);
    525 "TLSLD_MOVW_DTPREL_G1_NC" InModule(kind::TLS_OFFSET_MOVE_WIDE_G1_NC);
    526 "TLSLD_MOVW_DTPREL_G0" InModule(kind::TLS_OFFSET_MOVE_WIDE_G0);
    527 "TLSLD_MOVW_DTPREL_G0_NC" InModule(kind::TLS_OFFSET_MOVE_WIDE_G0_NC);
    528 "TLSLD_ADD_DTPREL_HI12" InModule(kind::TLS_OFFSET_HIGH12);
    529 "TLSLD_ADD_DTPREL_LO12" InModule(kind::TLS_OFFSET12);
    530 "TLSLD_ADD_DTPREL_LO12_NC" InModule(kind::TLS_OFFSET12_NC);
    531 "TLSLD_LDST8_DTPREL_LO12" InModule(kind::TLS_OFFSET12_LDST8);
    532 "TLSLD_LDST8_DTPREL_LO12_NC" InModule(kind::TLS_OFFSET12_LDST8_NC);
    533 "TLSLD_LDST16_DTPREL_LO12" InModule(kind::TLS_OFFSET12_LDST16);
    534 "TLSLD_LDST16_DTPREL_LO12_NC" InModule(kind::TLS_OFFSET12_LDST16_NC);
    535 "TLSLD_LDST32_DTPREL_LO12" InModule(kind::TLS_OFFSET12_LDST32);
    536 "TLSLD_LDST32_DTPREL_LO12_NC" InModule(kind::TLS_OFFSET12_LDST32_NC);
    537 "TLSLD_LDST64_DTPREL_LO12" InModule(kind::TLS_OFFSET12_LDST64);
    538 "TLSLD_LDST64_DTPREL_LO12_NC" InModule(kind::TLS_OFFSET12_LDST64_NC);
    539 "TLSIE_MOVW_GOTTPREL_G1" Edge(kind::REQUEST_TLS_OFFSET_MOVE_WIDE_G1);
    540 "TLSIE_MOVW_GOTTPREL_G0_NC" Edge(kind::REQUEST_TLS_OFFSET_MOVE_WIDE_G0_NC);
    541 "TLSIE_ADR_GOTTPREL_PAGE21" Edge(kind::REQUEST_TLS_OFFSET_PAGE21);
    542 "TLSIE_LD64_GOTTPREL_LO12_NC" Edge(kind::REQUEST_TLS_OFFSET_PAGE_OFFSET12);
    543 "TLSIE_LD_GOTTPREL_PREL19" Edge(kind::REQUEST_TLS_OFFSET_LITERAL19);
    544 "TLSLE_MOVW_TPREL_G2" Edge(kind::TLS_OFFSET_MOVE_WIDE_G2);
    545 "TLSLE_MOVW_TPREL_G1" Edge(kind::TLS_OFFSET_MOVE_WIDE_G1);
    546 "TLSLE_MOVW_TPREL_G1_NC" Edge(kind::TLS_OFFSET_MOVE_WIDE_G1_NC);
    547 "TLSLE_MOVW_TPREL_G0" Edge(kind::TLS_OFFSET_MOVE_WIDE_G0);
    548 "TLSLE_MOVW_TPREL_G0_NC" Edge(kind::TLS_OFFSET_MOVE_WIDE_G0_NC);
    549 "TLSLE_ADD_TPREL_HI12" Edge(kind::TLS_OFFSET_HIGH12);
    550 "TLSLE_ADD_TPREL_LO12" Edge(kind::TLS_OFFSET12);
    551 "TLSLE_ADD_TPREL_LO12_NC" Edge(kind::TLS_OFFSET12_NC);
    552 "TLSLE_LDST8_TPREL_LO12" Edge(kind::TLS_OFFSET12_LDST8);
    553 "TLSLE_LDST8_TPREL_LO12_NC" Edge(kind::TLS_OFFSET12_LDST8_NC);
    554 "TLSLE_LDST16_TPREL_LO12" Edge(kind::TLS_OFFSET12_LDST16);
    555 "TLSLE_LDST16_TPREL_LO12_NC" Edge(kind::TLS_OFFSET12_LDST16_NC);
    556 "TLSLE_LDST32_TPREL_LO12" Edge(kind::TLS_OFFSET12_LDST32);
    557 "TLSLE_LDST32_TPREL_LO12_NC" Edge(kind::TLS_OFFSET12_LDST32_NC);
    558 "TLSLE_LDST64_TPREL_LO12" Edge(kind::TLS_OFFSET12_LDST64);
    559 "TLSLE_LDST64_TPREL_LO12_NC" Edge(kind::TLS_OFFSET12_LDST64_NC);
    560 "TLSDESC_LD_PREL19" Edge(kind::REQUEST_TLS_DESCRIPTOR_LITERAL19);
    561 "TLSDESC_ADR_PREL21" Edge(kind::REQUEST_TLS_DESCRIPTOR_ADR21);
    562 "TLSDESC_ADR_PAGE21" Edge(kind::REQUEST_TLS_DESCRIPTOR_PAGE21);
    563 "TLSDESC_LD64_LO12" Edge(kind::REQUEST_TLS_DESCRIPTOR_LDST64);
    564 "TLSDESC_ADD_LO12" Edge(kind::REQUEST_TLS_DESCRIPTOR_PAGE_OFFSET12);
    565 "TLSDESC_OFF_G1" Edge(kind::REQUEST_TLS_DESCRIPTOR_MOVE_WIDE_G1);
    566 "TLSDESC_OFF_G0_NC" Edge(kind::REQUEST_TLS_DESCRIPTOR_MOVE_WIDE_G0_NC);
    567 "TLSDESC_LDR" Edge(kind::REQUEST_TLS_DESCRIPTOR_REGISTER);
    568 "TLSDESC_ADD" Edge(kind::REQUEST_TLS_DESCRIPTOR_REGISTER);
    569 "TLSDESC_CALL" Edge(kind::REQUEST_TLS_DESCRIPTOR_CALL);
    570 "TLSLE_LDST128_TPREL_LO12" Edge(kind::TLS_OFFSET12_LDST128);
    571 "TLSLE_LDST128_TPREL_LO12_NC" Edge(kind::TLS_OFFSET12_LDST128_NC);
    572 "TLSLD_LDST128_DTPREL_LO12" InModule(kind::TLS_OFFSET12_LDST128);
    573 "TLSLD_LDST128_DTPREL_LO12_NC" InModule(kind::TLS_OFFSET12_LDST128_NC);
    580 "AUTH_ABS64" Unsupported;
    581 "AUTH_MOVW_GOTOFF_G0" Unsupported;
    582 "AUTH_MOVW_GOTOFF_G0_NC" Unsupported;
    583 "AUTH_MOVW_GOTOFF_G1" Unsupported;
    584 "AUTH_MOVW_GOTOFF_G1_NC" Unsupported;
    585 "AUTH_MOVW_GOTOFF_G2" Unsupported;
    586 "AUTH_MOVW_GOTOFF_G2_NC" Unsupported;
    587 "AUTH_MOVW_GOTOFF_G3" Unsupported;
    588 "AUTH_GOT_LD_PREL19" Unsupported;
    589 "AUTH_LD64_GOTOFF_LO15" Unsupported;
    590 "AUTH_ADR_GOT_PAGE" Unsupported;
    591 "AUTH_LD64_GOT_LO12_NC" Unsupported;
    592 "AUTH_LD64_GOTPAGE_LO15" Unsupported;
    593 "AUTH_GOT_ADD_LO12_NC" Unsupported;
    594 "AUTH_GOT_ADR_PREL_LO21" Unsupported;
    595 "AUTH_TLSDESC_ADR_PAGE21" Unsupported;
    596 "AUTH_TLSDESC_LD64_LO12" Unsupported;
    597 "AUTH_TLSDESC_ADD_LO12" Unsupported;
    1024 "COPY" Unsupported;
    1025 "GLOB_DAT" Unsupported;
    1026 "JUMP_SLOT" Unsupported;
    1027 "RELATIVE" Unsupported;
    1028 "TLS_DTPMOD" Unsupported;
    1029 "TLS_DTPREL" Unsupported;
    1030 "TLS_TPREL" Unsupported;
    1031 "TLSDESC" Unsupported;
    1032 "IRELATIVE" Unsupported;
    1041 "AUTH_RELATIVE" Unsupported;
    1042 "AUTH_GLOB_DAT" Unsupported;
    1043 "AUTH_TLSDESC" Unsupported;
    1044 "AUTH_IRELATIVE" Unsupported;
}
