//! The edge kinds of A64.

use super::super::formula::{Formula, Limits, edge_kinds};
use super::field::{Field, Group};
use super::thread_local::Rewrite;
use crate::link::edge::EdgeClass::{
    self, Address, Got, KeepAlive, LowAddress, ThreadLocal, ThreadLocalDescriptor, ThreadLocalGot, ThreadLocalIndex,
    ThreadLocalModule,
};
use crate::link::edge::EdgeKindInfo;

/// How a kind is applied.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    /// What is computed.
    pub formula: Formula,
    /// What it must fit.
    pub limits: Limits,
    /// Where its bits go.
    pub field: Field,
}

const fn rule(formula: Formula, limits: Limits, field: Field) -> Rule {
    Rule { formula, limits, field }
}

const fn data(formula: Formula, limits: Limits) -> Rule {
    rule(formula, limits, Field::Data)
}

const fn page_offset(shift: u8) -> Rule {
    rule(Formula::Target, ANY, Field::LoadStore { shift })
}

const fn wide(formula: Formula, limits: Limits, group: Group) -> Rule {
    rule(formula, limits, Field::MoveWide(group))
}

const fn signed_wide(formula: Formula, limits: Limits, group: Group) -> Rule {
    rule(formula, limits, Field::MoveWideSigned(group))
}

/// An instruction of an access rewritten to instructions that hold 32 bits of an offset.
const fn tls32(rewrite: Rewrite) -> Rule {
    rule(Formula::Target, Limits::unsigned(32), Field::ThreadLocal(rewrite))
}

/// The same, 24 bits.
const fn tls24(rewrite: Rewrite) -> Rule {
    rule(Formula::Target, Limits::unsigned(24), Field::ThreadLocal(rewrite))
}

/// An instruction rewritten to one without an offset.
const fn tls_any(rewrite: Rewrite) -> Rule {
    rule(Formula::Target, ANY, Field::ThreadLocal(rewrite))
}

const ANY: Limits = Limits::ANY;
const E16: Limits = Limits::either(16);
const E32: Limits = Limits::either(32);
const S32: Limits = Limits::signed(32);
// AAELF64 lets a signed group hold one bit more than its field has: the sign is in the opcode.
const S17: Limits = Limits::signed(17);
const S33: Limits = Limits::signed(33);
const S49: Limits = Limits::signed(49);
const NOTHING: Rule = rule(Formula::Target, ANY, Field::Nothing);

const BRANCH26_STUBBABLE: EdgeClass = EdgeClass::Branch { via_stub: kind::BRANCH26_VIA_STUB };
const BRANCH26_BYPASSABLE: EdgeClass = EdgeClass::BranchViaStub { direct: kind::BRANCH26 };
const FUNCTION32_STUBBABLE: EdgeClass = EdgeClass::Branch { via_stub: kind::FUNCTION_DELTA32_VIA_STUB };
const FUNCTION32_BYPASSABLE: EdgeClass = EdgeClass::BranchViaStub { direct: kind::FUNCTION_DELTA32 };

edge_kinds! { Rule;
    KEEP_ALIVE: "Keep-Alive" = "none", 0, KeepAlive, NOTHING;

    POINTER64: "Pointer64" = "T + A", 8, Address, data(Formula::Target, ANY);
    POINTER32: "Pointer32" = "T + A", 4, LowAddress, data(Formula::Target, E32);
    POINTER16: "Pointer16" = "T + A", 2, Address, data(Formula::Target, E16);
    DELTA64: "Delta64" = "T - P + A", 8, Address, data(Formula::Delta, ANY);
    DELTA32: "Delta32" = "T - P + A", 4, Address, data(Formula::Delta, E32);
    DELTA32_SIGNED: "Delta32Signed" = "T - P + A", 4, Address, data(Formula::Delta, S32);
    DELTA16: "Delta16" = "T - P + A", 2, Address, data(Formula::Delta, E16);
    NEG_DELTA64: "NegDelta64" = "P - T + A", 8, Address, data(Formula::NegDelta, ANY);
    NEG_DELTA32: "NegDelta32" = "P - T + A", 4, Address, data(Formula::NegDelta, S32);
    DELTA64_FROM_GOT: "Delta64FromGOT" = "T - GOT + A", 8, Address, data(Formula::FromGot, ANY);
    DELTA32_FROM_GOT: "Delta32FromGOT" = "T - GOT + A", 4, Address, data(Formula::FromGot, S32);
    REQUEST_GOT_DELTA32: "RequestGOTAndTransformToDelta32" = "G - P + A", 4, Got { plain: kind::DELTA32_SIGNED }, data(Formula::Delta, S32);
    REQUEST_GOT_POINTER64: "RequestGOTAndTransformToPointer64" = "G + A", 8, Got { plain: kind::POINTER64 }, data(Formula::Target, ANY);

    BRANCH26: "Branch26PCRel" = "T - P + A", 4, BRANCH26_STUBBABLE, rule(Formula::Delta, Limits::signed(28), Field::Branch26);
    BRANCH26_VIA_STUB: "Branch26PCRelToPtrJumpStubBypassable" = "T - P + A", 4, BRANCH26_BYPASSABLE, rule(Formula::Delta, Limits::signed(28), Field::Branch26);
    FUNCTION_DELTA32: "FunctionDelta32" = "T - P + A", 4, FUNCTION32_STUBBABLE, data(Formula::Delta, S32);
    FUNCTION_DELTA32_VIA_STUB: "FunctionDelta32ToPtrJumpStubBypassable" = "T - P + A", 4, FUNCTION32_BYPASSABLE, data(Formula::Delta, S32);
    // Compilers aim these at places of the same function; a stub for each would have to lie as near as that.
    COND_BRANCH19: "CondBranch19PCRel" = "T - P + A", 4, Address, rule(Formula::Delta, Limits::signed(21), Field::CondBranch19);
    TEST_AND_BRANCH14: "TestAndBranch14PCRel" = "T - P + A", 4, Address, rule(Formula::Delta, Limits::signed(16), Field::TestAndBranch14);

    LDR_LITERAL19: "LDRLiteral19" = "T - P + A", 4, Address, rule(Formula::Delta, Limits::signed(21), Field::Literal19);
    ADR_LITERAL21: "ADRLiteral21" = "T - P + A", 4, Address, rule(Formula::Delta, Limits::signed(21), Field::Adr);
    PAGE21: "Page21" = "Page(T + A) - Page(P)", 4, Address, rule(Formula::PageDelta, Limits::signed(33), Field::Adrp);
    PAGE21_NC: "Page21NoCheck" = "Page(T + A) - Page(P)", 4, Address, rule(Formula::PageDelta, ANY, Field::Adrp);
    PAGE_OFFSET12: "PageOffset12" = "(T + A) & 0xfff", 4, Address, rule(Formula::Target, ANY, Field::Add);
    PAGE_OFFSET12_LDST8: "PageOffset12LDST8" = "(T + A) & 0xfff", 4, Address, page_offset(0);
    PAGE_OFFSET12_LDST16: "PageOffset12LDST16" = "((T + A) & 0xfff) >> 1", 4, Address, page_offset(1);
    PAGE_OFFSET12_LDST32: "PageOffset12LDST32" = "((T + A) & 0xfff) >> 2", 4, Address, page_offset(2);
    PAGE_OFFSET12_LDST64: "PageOffset12LDST64" = "((T + A) & 0xfff) >> 3", 4, Address, page_offset(3);
    PAGE_OFFSET12_LDST128: "PageOffset12LDST128" = "((T + A) & 0xfff) >> 4", 4, Address, page_offset(4);

    // A 16-bit group takes only absolute symbols, a 48-bit one every address there is; 32 bits mean code for low addresses.
    MOVE_WIDE_G0: "MoveWide16G0" = "T + A", 4, Address, wide(Formula::Target, Limits::unsigned(16), Group::G0);
    MOVE_WIDE_G0_NC: "MoveWide16G0NoCheck" = "T + A", 4, Address, wide(Formula::Target, ANY, Group::G0);
    MOVE_WIDE_G1: "MoveWide16G1" = "(T + A) >> 16", 4, LowAddress, wide(Formula::Target, Limits::unsigned(32), Group::G1);
    MOVE_WIDE_G1_NC: "MoveWide16G1NoCheck" = "(T + A) >> 16", 4, Address, wide(Formula::Target, ANY, Group::G1);
    MOVE_WIDE_G2: "MoveWide16G2" = "(T + A) >> 32", 4, Address, wide(Formula::Target, Limits::unsigned(48), Group::G2);
    MOVE_WIDE_G2_NC: "MoveWide16G2NoCheck" = "(T + A) >> 32", 4, Address, wide(Formula::Target, ANY, Group::G2);
    MOVE_WIDE_G3: "MoveWide16G3" = "(T + A) >> 48", 4, Address, wide(Formula::Target, ANY, Group::G3);
    MOVE_WIDE_SIGNED_G0: "MoveWide16SignedG0" = "T + A", 4, Address, signed_wide(Formula::Target, S17, Group::G0);
    MOVE_WIDE_SIGNED_G1: "MoveWide16SignedG1" = "(T + A) >> 16", 4, LowAddress, signed_wide(Formula::Target, S33, Group::G1);
    MOVE_WIDE_SIGNED_G2: "MoveWide16SignedG2" = "(T + A) >> 32", 4, Address, signed_wide(Formula::Target, S49, Group::G2);
    MOVE_WIDE_DELTA_G0: "MoveWide16PCRelG0" = "T - P + A", 4, Address, signed_wide(Formula::Delta, S17, Group::G0);
    MOVE_WIDE_DELTA_G0_NC: "MoveWide16PCRelG0NoCheck" = "T - P + A", 4, Address, wide(Formula::Delta, ANY, Group::G0);
    MOVE_WIDE_DELTA_G1: "MoveWide16PCRelG1" = "(T - P + A) >> 16", 4, Address, signed_wide(Formula::Delta, S33, Group::G1);
    MOVE_WIDE_DELTA_G1_NC: "MoveWide16PCRelG1NoCheck" = "(T - P + A) >> 16", 4, Address, wide(Formula::Delta, ANY, Group::G1);
    MOVE_WIDE_DELTA_G2: "MoveWide16PCRelG2" = "(T - P + A) >> 32", 4, Address, signed_wide(Formula::Delta, S49, Group::G2);
    MOVE_WIDE_DELTA_G2_NC: "MoveWide16PCRelG2NoCheck" = "(T - P + A) >> 32", 4, Address, wide(Formula::Delta, ANY, Group::G2);
    MOVE_WIDE_DELTA_G3: "MoveWide16PCRelG3" = "(T - P + A) >> 48", 4, Address, signed_wide(Formula::Delta, ANY, Group::G3);
    MOVE_WIDE_FROM_GOT_G0: "MoveWide16FromGOTG0" = "T - GOT + A", 4, Address, signed_wide(Formula::FromGot, S17, Group::G0);
    MOVE_WIDE_FROM_GOT_G0_NC: "MoveWide16FromGOTG0NoCheck" = "T - GOT + A", 4, Address, wide(Formula::FromGot, ANY, Group::G0);
    MOVE_WIDE_FROM_GOT_G1: "MoveWide16FromGOTG1" = "(T - GOT + A) >> 16", 4, Address, signed_wide(Formula::FromGot, S33, Group::G1);
    MOVE_WIDE_FROM_GOT_G1_NC: "MoveWide16FromGOTG1NoCheck" = "(T - GOT + A) >> 16", 4, Address, wide(Formula::FromGot, ANY, Group::G1);
    MOVE_WIDE_FROM_GOT_G2: "MoveWide16FromGOTG2" = "(T - GOT + A) >> 32", 4, Address, signed_wide(Formula::FromGot, S49, Group::G2);
    MOVE_WIDE_FROM_GOT_G2_NC: "MoveWide16FromGOTG2NoCheck" = "(T - GOT + A) >> 32", 4, Address, wide(Formula::FromGot, ANY, Group::G2);
    MOVE_WIDE_FROM_GOT_G3: "MoveWide16FromGOTG3" = "(T - GOT + A) >> 48", 4, Address, signed_wide(Formula::FromGot, ANY, Group::G3);

    GOT_OFFSET15: "GotOffset15" = "(T - GOT + A) >> 3", 4, Address, rule(Formula::FromGot, Limits::unsigned(15), Field::Load64Offset15);
    GOT_PAGE_OFFSET15: "GotPageOffset15" = "(T - Page(GOT) + A) >> 3", 4, Address, rule(Formula::FromGotPage, Limits::unsigned(15), Field::Load64Offset15);

    REQUEST_GOT_PAGE21: "RequestGOTAndTransformToPage21" = "Page(G + A) - Page(P)", 4, Got { plain: kind::PAGE21 }, rule(Formula::PageDelta, Limits::signed(33), Field::Adrp);
    REQUEST_GOT_PAGE_OFFSET12: "RequestGOTAndTransformToPageOffset12" = "((G + A) & 0xfff) >> 3", 4, Got { plain: kind::PAGE_OFFSET12_LDST64 }, page_offset(3);
    REQUEST_GOT_PAGE_OFFSET15: "RequestGOTAndTransformToPageOffset15" = "(G - Page(GOT) + A) >> 3", 4, Got { plain: kind::GOT_PAGE_OFFSET15 }, rule(Formula::FromGotPage, Limits::unsigned(15), Field::Load64Offset15);
    REQUEST_GOT_OFFSET15: "RequestGOTAndTransformToOffset15" = "(G - GOT + A) >> 3", 4, Got { plain: kind::GOT_OFFSET15 }, rule(Formula::FromGot, Limits::unsigned(15), Field::Load64Offset15);
    REQUEST_GOT_LITERAL19: "RequestGOTAndTransformToLDRLiteral19" = "G - P + A", 4, Got { plain: kind::LDR_LITERAL19 }, rule(Formula::Delta, Limits::signed(21), Field::Literal19);
    REQUEST_GOT_MOVE_WIDE_G0: "RequestGOTAndTransformToMoveWide16G0" = "G - GOT + A", 4, Got { plain: kind::MOVE_WIDE_FROM_GOT_G0 }, signed_wide(Formula::FromGot, S17, Group::G0);
    REQUEST_GOT_MOVE_WIDE_G0_NC: "RequestGOTAndTransformToMoveWide16G0NoCheck" = "G - GOT + A", 4, Got { plain: kind::MOVE_WIDE_FROM_GOT_G0_NC }, wide(Formula::FromGot, ANY, Group::G0);
    REQUEST_GOT_MOVE_WIDE_G1: "RequestGOTAndTransformToMoveWide16G1" = "(G - GOT + A) >> 16", 4, Got { plain: kind::MOVE_WIDE_FROM_GOT_G1 }, signed_wide(Formula::FromGot, S33, Group::G1);
    REQUEST_GOT_MOVE_WIDE_G1_NC: "RequestGOTAndTransformToMoveWide16G1NoCheck" = "(G - GOT + A) >> 16", 4, Got { plain: kind::MOVE_WIDE_FROM_GOT_G1_NC }, wide(Formula::FromGot, ANY, Group::G1);
    REQUEST_GOT_MOVE_WIDE_G2: "RequestGOTAndTransformToMoveWide16G2" = "(G - GOT + A) >> 32", 4, Got { plain: kind::MOVE_WIDE_FROM_GOT_G2 }, signed_wide(Formula::FromGot, S49, Group::G2);
    REQUEST_GOT_MOVE_WIDE_G2_NC: "RequestGOTAndTransformToMoveWide16G2NoCheck" = "(G - GOT + A) >> 32", 4, Got { plain: kind::MOVE_WIDE_FROM_GOT_G2_NC }, wide(Formula::FromGot, ANY, Group::G2);
    REQUEST_GOT_MOVE_WIDE_G3: "RequestGOTAndTransformToMoveWide16G3" = "(G - GOT + A) >> 48", 4, Got { plain: kind::MOVE_WIDE_FROM_GOT_G3 }, signed_wide(Formula::FromGot, ANY, Group::G3);

    RELAXED_ADD: "GOTLoadRelaxedToADD" = "(T + A) & 0xfff", 4, Address, rule(Formula::Target, ANY, Field::AddFromLoad);

    THREAD_POINTER_DELTA64: "ThreadPointerDelta64" = "TP(T) + A", 8, ThreadLocal, data(Formula::Target, ANY);
    TLS_OFFSET_HIGH12: "ThreadPointerOffsetHigh12" = "(TP(T) + A) >> 12", 4, ThreadLocal, rule(Formula::Target, Limits::unsigned(24), Field::AddHigh);
    TLS_OFFSET12: "ThreadPointerOffset12" = "TP(T) + A", 4, ThreadLocal, rule(Formula::Target, Limits::unsigned(12), Field::Add);
    TLS_OFFSET12_NC: "ThreadPointerOffset12NoCheck" = "(TP(T) + A) & 0xfff", 4, ThreadLocal, rule(Formula::Target, ANY, Field::Add);
    TLS_OFFSET12_LDST8: "ThreadPointerOffset12LDST8" = "TP(T) + A", 4, ThreadLocal, rule(Formula::Target, Limits::unsigned(12), Field::LoadStore { shift: 0 });
    TLS_OFFSET12_LDST8_NC: "ThreadPointerOffset12LDST8NoCheck" = "(TP(T) + A) & 0xfff", 4, ThreadLocal, page_offset(0);
    TLS_OFFSET12_LDST16: "ThreadPointerOffset12LDST16" = "(TP(T) + A) >> 1", 4, ThreadLocal, rule(Formula::Target, Limits::unsigned(12), Field::LoadStore { shift: 1 });
    TLS_OFFSET12_LDST16_NC: "ThreadPointerOffset12LDST16NoCheck" = "((TP(T) + A) & 0xfff) >> 1", 4, ThreadLocal, page_offset(1);
    TLS_OFFSET12_LDST32: "ThreadPointerOffset12LDST32" = "(TP(T) + A) >> 2", 4, ThreadLocal, rule(Formula::Target, Limits::unsigned(12), Field::LoadStore { shift: 2 });
    TLS_OFFSET12_LDST32_NC: "ThreadPointerOffset12LDST32NoCheck" = "((TP(T) + A) & 0xfff) >> 2", 4, ThreadLocal, page_offset(2);
    TLS_OFFSET12_LDST64: "ThreadPointerOffset12LDST64" = "(TP(T) + A) >> 3", 4, ThreadLocal, rule(Formula::Target, Limits::unsigned(12), Field::LoadStore { shift: 3 });
    TLS_OFFSET12_LDST64_NC: "ThreadPointerOffset12LDST64NoCheck" = "((TP(T) + A) & 0xfff) >> 3", 4, ThreadLocal, page_offset(3);
    TLS_OFFSET12_LDST128: "ThreadPointerOffset12LDST128" = "(TP(T) + A) >> 4", 4, ThreadLocal, rule(Formula::Target, Limits::unsigned(12), Field::LoadStore { shift: 4 });
    TLS_OFFSET12_LDST128_NC: "ThreadPointerOffset12LDST128NoCheck" = "((TP(T) + A) & 0xfff) >> 4", 4, ThreadLocal, page_offset(4);
    TLS_OFFSET_MOVE_WIDE_G0: "ThreadPointerOffsetMoveWide16G0" = "TP(T) + A", 4, ThreadLocal, signed_wide(Formula::Target, S17, Group::G0);
    TLS_OFFSET_MOVE_WIDE_G0_NC: "ThreadPointerOffsetMoveWide16G0NoCheck" = "TP(T) + A", 4, ThreadLocal, wide(Formula::Target, ANY, Group::G0);
    TLS_OFFSET_MOVE_WIDE_G1: "ThreadPointerOffsetMoveWide16G1" = "(TP(T) + A) >> 16", 4, ThreadLocal, signed_wide(Formula::Target, S33, Group::G1);
    TLS_OFFSET_MOVE_WIDE_G1_NC: "ThreadPointerOffsetMoveWide16G1NoCheck" = "(TP(T) + A) >> 16", 4, ThreadLocal, wide(Formula::Target, ANY, Group::G1);
    TLS_OFFSET_MOVE_WIDE_G2: "ThreadPointerOffsetMoveWide16G2" = "(TP(T) + A) >> 32", 4, ThreadLocal, signed_wide(Formula::Target, S49, Group::G2);
    REQUEST_TLS_OFFSET_PAGE21: "RequestTLSOffsetInGOTAndTransformToPage21" = "Page(G + A) - Page(P)", 4, ThreadLocalGot { plain: kind::PAGE21 }, rule(Formula::PageDelta, Limits::signed(33), Field::Adrp);
    REQUEST_TLS_OFFSET_PAGE_OFFSET12: "RequestTLSOffsetInGOTAndTransformToPageOffset12" = "((G + A) & 0xfff) >> 3", 4, ThreadLocalGot { plain: kind::PAGE_OFFSET12_LDST64 }, page_offset(3);
    REQUEST_TLS_OFFSET_LITERAL19: "RequestTLSOffsetInGOTAndTransformToLDRLiteral19" = "G - P + A", 4, ThreadLocalGot { plain: kind::LDR_LITERAL19 }, rule(Formula::Delta, Limits::signed(21), Field::Literal19);
    REQUEST_TLS_OFFSET_MOVE_WIDE_G1: "RequestTLSOffsetInGOTAndTransformToMoveWide16G1" = "(G - GOT + A) >> 16", 4, ThreadLocalGot { plain: kind::MOVE_WIDE_FROM_GOT_G1 }, signed_wide(Formula::FromGot, S33, Group::G1);
    REQUEST_TLS_OFFSET_MOVE_WIDE_G0_NC: "RequestTLSOffsetInGOTAndTransformToMoveWide16G0NoCheck" = "G - GOT + A", 4, ThreadLocalGot { plain: kind::MOVE_WIDE_FROM_GOT_G0_NC }, wide(Formula::FromGot, ANY, Group::G0);
    TLS_OFFSET_PAGE_RELAXED: "TLSOffsetPageRelaxedToMoveWide16G1" = "(TP(T) + A) >> 16", 4, ThreadLocal, tls32(Rewrite::LoadHigh);
    TLS_OFFSET_LOAD_RELAXED: "TLSOffsetLoadRelaxedToMoveWide16G0" = "TP(T) + A", 4, ThreadLocal, tls32(Rewrite::LoadLow);
    REQUEST_TLS_INDEX_PAGE21: "RequestTLSIndexInGOTAndTransformToPage21" = "Page(G + A) - Page(P)", 4, ThreadLocalIndex { plain: kind::PAGE21 }, rule(Formula::PageDelta, Limits::signed(33), Field::Adrp);
    REQUEST_TLS_INDEX_PAGE_OFFSET12: "RequestTLSIndexInGOTAndTransformToPageOffset12" = "(G + A) & 0xfff", 4, ThreadLocalIndex { plain: kind::PAGE_OFFSET12 }, rule(Formula::Target, ANY, Field::Add);
    REQUEST_TLS_INDEX_ADR21: "RequestTLSIndexInGOTAndTransformToADRLiteral21" = "G - P + A", 4, ThreadLocalIndex { plain: kind::ADR_LITERAL21 }, rule(Formula::Delta, Limits::signed(21), Field::Adr);
    REQUEST_TLS_INDEX_MOVE_WIDE_G1: "RequestTLSIndexInGOTAndTransformToMoveWide16G1" = "(G - GOT + A) >> 16", 4, ThreadLocalIndex { plain: kind::MOVE_WIDE_FROM_GOT_G1 }, signed_wide(Formula::FromGot, S33, Group::G1);
    REQUEST_TLS_INDEX_MOVE_WIDE_G0_NC: "RequestTLSIndexInGOTAndTransformToMoveWide16G0NoCheck" = "G - GOT + A", 4, ThreadLocalIndex { plain: kind::MOVE_WIDE_FROM_GOT_G0_NC }, wide(Formula::FromGot, ANY, Group::G0);
    TLS_INDEX_PAGE_RELAXED: "TLSIndexPageRelaxedToThreadPointer" = "none", 4, ThreadLocal, tls24(Rewrite::ThreadPointer);
    TLS_INDEX_ADD_RELAXED: "TLSIndexAddRelaxedToHigh12" = "(TP(T) + A) >> 12", 4, ThreadLocal, tls24(Rewrite::AddHigh);
    TLS_INDEX_CALL_RELAXED: "TLSIndexCallRelaxedToAdd12" = "(TP(T) + A) & 0xfff", 4, ThreadLocal, tls24(Rewrite::AddLow);
    REQUEST_TLS_MODULE_PAGE21: "RequestTLSModuleInGOTAndTransformToPage21" = "Page(G + A) - Page(P)", 4, ThreadLocalModule { plain: kind::PAGE21 }, rule(Formula::PageDelta, Limits::signed(33), Field::Adrp);
    REQUEST_TLS_MODULE_PAGE_OFFSET12: "RequestTLSModuleInGOTAndTransformToPageOffset12" = "(G + A) & 0xfff", 4, ThreadLocalModule { plain: kind::PAGE_OFFSET12 }, rule(Formula::Target, ANY, Field::Add);
    REQUEST_TLS_MODULE_ADR21: "RequestTLSModuleInGOTAndTransformToADRLiteral21" = "G - P + A", 4, ThreadLocalModule { plain: kind::ADR_LITERAL21 }, rule(Formula::Delta, Limits::signed(21), Field::Adr);
    REQUEST_TLS_MODULE_LITERAL19: "RequestTLSModuleInGOTAndTransformToLDRLiteral19" = "G - P + A", 4, ThreadLocalModule { plain: kind::LDR_LITERAL19 }, rule(Formula::Delta, Limits::signed(21), Field::Literal19);
    REQUEST_TLS_MODULE_MOVE_WIDE_G1: "RequestTLSModuleInGOTAndTransformToMoveWide16G1" = "(G - GOT + A) >> 16", 4, ThreadLocalModule { plain: kind::MOVE_WIDE_FROM_GOT_G1 }, signed_wide(Formula::FromGot, S33, Group::G1);
    REQUEST_TLS_MODULE_MOVE_WIDE_G0_NC: "RequestTLSModuleInGOTAndTransformToMoveWide16G0NoCheck" = "G - GOT + A", 4, ThreadLocalModule { plain: kind::MOVE_WIDE_FROM_GOT_G0_NC }, wide(Formula::FromGot, ANY, Group::G0);
    TLS_MODULE_PAGE_RELAXED: "TLSModulePageRelaxedToThreadPointer" = "none", 4, ThreadLocal, tls_any(Rewrite::ThreadPointer);
    TLS_MODULE_ADD_RELAXED: "TLSModuleAddRelaxedToNothing" = "none", 4, ThreadLocal, tls_any(Rewrite::NoAdd);
    TLS_MODULE_CALL_RELAXED: "TLSModuleCallRelaxedToNothing" = "none", 4, ThreadLocal, tls_any(Rewrite::NoCall);
    REQUEST_TLS_DESCRIPTOR_PAGE21: "RequestTLSDescInGOTAndTransformToPage21" = "Page(G + A) - Page(P)", 4, ThreadLocalDescriptor { plain: kind::PAGE21 }, rule(Formula::PageDelta, Limits::signed(33), Field::Adrp);
    REQUEST_TLS_DESCRIPTOR_LDST64: "RequestTLSDescInGOTAndTransformToPageOffset12LDST64" = "((G + A) & 0xfff) >> 3", 4, ThreadLocalDescriptor { plain: kind::PAGE_OFFSET12_LDST64 }, page_offset(3);
    REQUEST_TLS_DESCRIPTOR_PAGE_OFFSET12: "RequestTLSDescInGOTAndTransformToPageOffset12" = "(G + A) & 0xfff", 4, ThreadLocalDescriptor { plain: kind::PAGE_OFFSET12 }, rule(Formula::Target, ANY, Field::Add);
    REQUEST_TLS_DESCRIPTOR_LITERAL19: "RequestTLSDescInGOTAndTransformToLDRLiteral19" = "G - P + A", 4, ThreadLocalDescriptor { plain: kind::LDR_LITERAL19 }, rule(Formula::Delta, Limits::signed(21), Field::Literal19);
    REQUEST_TLS_DESCRIPTOR_ADR21: "RequestTLSDescInGOTAndTransformToADRLiteral21" = "G - P + A", 4, ThreadLocalDescriptor { plain: kind::ADR_LITERAL21 }, rule(Formula::Delta, Limits::signed(21), Field::Adr);
    REQUEST_TLS_DESCRIPTOR_MOVE_WIDE_G1: "RequestTLSDescInGOTAndTransformToMoveWide16G1" = "(G - GOT + A) >> 16", 4, ThreadLocalDescriptor { plain: kind::MOVE_WIDE_FROM_GOT_G1 }, signed_wide(Formula::FromGot, S33, Group::G1);
    REQUEST_TLS_DESCRIPTOR_MOVE_WIDE_G0_NC: "RequestTLSDescInGOTAndTransformToMoveWide16G0NoCheck" = "G - GOT + A", 4, ThreadLocalDescriptor { plain: kind::MOVE_WIDE_FROM_GOT_G0_NC }, wide(Formula::FromGot, ANY, Group::G0);
    REQUEST_TLS_DESCRIPTOR_REGISTER: "RequestTLSDescInGOTForRegister" = "none", 4, ThreadLocalDescriptor { plain: kind::KEEP_ALIVE }, NOTHING;
    REQUEST_TLS_DESCRIPTOR_CALL: "RequestTLSDescInGOTForCall" = "none", 4, ThreadLocalDescriptor { plain: kind::KEEP_ALIVE }, NOTHING;
    TLS_DESCRIPTOR_HIGH: "TLSDescriptorRelaxedToMoveWide16G1" = "(TP(T) + A) >> 16", 4, ThreadLocal, tls32(Rewrite::DescriptorHigh);
    TLS_DESCRIPTOR_LOW: "TLSDescriptorRelaxedToMoveWide16G0" = "TP(T) + A", 4, ThreadLocal, tls32(Rewrite::DescriptorLow);
    TLS_DESCRIPTOR_ADD: "TLSDescriptorAddRelaxedToNothing" = "none", 4, ThreadLocal, tls_any(Rewrite::NoAdd);
    TLS_DESCRIPTOR_CALL: "TLSDescriptorCallRelaxedToNothing" = "none", 4, ThreadLocal, tls_any(Rewrite::NoCall);
}
