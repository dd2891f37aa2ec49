//! The edge kinds of x86-64.

use super::super::formula::{Formula, Limits, edge_kinds};
use crate::link::edge::EdgeClass::{
    self, Address, Got, KeepAlive, LowAddress, Size, ThreadLocal, ThreadLocalDescriptor, ThreadLocalGot,
    ThreadLocalIndex, ThreadLocalModule,
};
use crate::link::edge::EdgeKindInfo;

/// How a kind is applied.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    /// What is computed.
    pub formula: Formula,
    /// What it must fit.
    pub limits: Limits,
    /// What is written.
    pub form: Form,
}

/// What a fixup writes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Form {
    /// Nothing.
    Nothing,
    /// The value, in as many bytes as the kind is wide.
    Data,
    /// A GOT load turned into an address computation: `mov` becomes `lea`.
    Lea,
    /// A call through the GOT turned into a direct one.
    Call,
    /// A jump through the GOT turned into a direct one.
    Jump,
    /// An operand loaded from the GOT turned into an immediate.
    Immediate(Prefix),
    /// A call for a variable's address turned into an addition to the thread pointer.
    ThreadLocalIndex,
    /// A call for the module's thread-local memory turned into a load of the thread pointer.
    ThreadLocalModule,
    /// The address of a descriptor turned into the offset that the descriptor's function would return.
    Descriptor(Prefix),
    /// The call of that function turned into nothing.
    DescriptorCall,
}

/// The register-extension prefix in front of an opcode.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Prefix {
    /// None that counts.
    None,
    /// REX: one byte, `0x40..=0x4f`.
    Rex,
    /// REX2 (APX): `0xd5` and a payload byte.
    Rex2,
}

const fn data(formula: Formula, limits: Limits) -> Rule {
    Rule { formula, limits, form: Form::Data }
}

const fn relaxed(formula: Formula, form: Form) -> Rule {
    Rule { formula, limits: S32, form }
}

const NOTHING: Rule = Rule { formula: Formula::Target, limits: Limits::ANY, form: Form::Nothing };

const S32: Limits = Limits::signed(32);
const U32: Limits = Limits::unsigned(32);
// The psABI does not say how 8 and 16 bits are extended; linkers accept what fits either way.
const E16: Limits = Limits::either(16);
const E8: Limits = Limits::either(8);

const VIA_STUB: EdgeClass = EdgeClass::Branch { via_stub: kind::BRANCH_PCREL32_VIA_STUB };
const BYPASSABLE: EdgeClass = EdgeClass::BranchViaStub { direct: kind::BRANCH_PCREL32 };
const FUNCTION32_STUBBABLE: EdgeClass = EdgeClass::Branch { via_stub: kind::FUNCTION_DELTA32_VIA_STUB };
const FUNCTION32_BYPASSABLE: EdgeClass = EdgeClass::BranchViaStub { direct: kind::FUNCTION_DELTA32 };

edge_kinds! { Rule;
    KEEP_ALIVE: "Keep-Alive" = "none", 0, KeepAlive, NOTHING;

    POINTER64: "Pointer64" = "T + A", 8, Address, data(Formula::Target, Limits::ANY);
    POINTER32: "Pointer32" = "T + A", 4, LowAddress, data(Formula::Target, U32);
    POINTER32_SIGNED: "Pointer32Signed" = "T + A", 4, LowAddress, data(Formula::Target, S32);
    POINTER16: "Pointer16" = "T + A", 2, Address, data(Formula::Target, E16);
    POINTER8: "Pointer8" = "T + A", 1, Address, data(Formula::Target, E8);

    DELTA64: "Delta64" = "T - P + A", 8, Address, data(Formula::Delta, Limits::ANY);
    DELTA32: "Delta32" = "T - P + A", 4, Address, data(Formula::Delta, S32);
    DELTA16: "Delta16" = "T - P + A", 2, Address, data(Formula::Delta, Limits::signed(16));
    DELTA8: "Delta8" = "T - P + A", 1, Address, data(Formula::Delta, Limits::signed(8));
    NEG_DELTA64: "NegDelta64" = "P - T + A", 8, Address, data(Formula::NegDelta, Limits::ANY);
    NEG_DELTA32: "NegDelta32" = "P - T + A", 4, Address, data(Formula::NegDelta, S32);
    SIZE64: "Size64" = "Size + A", 8, Size, data(Formula::Size, Limits::ANY);
    SIZE32: "Size32" = "Size + A", 4, Size, data(Formula::Size, U32);

    BRANCH_PCREL32: "BranchPCRel32" = "T - P + A", 4, VIA_STUB, data(Formula::Delta, S32);
    BRANCH_PCREL32_VIA_STUB: "BranchPCRel32ToPtrJumpStubBypassable" = "T - P + A", 4, BYPASSABLE, data(Formula::Delta, S32);
    FUNCTION_DELTA32: "FunctionDelta32" = "T - P + A", 4, FUNCTION32_STUBBABLE, data(Formula::Delta, S32);
    FUNCTION_DELTA32_VIA_STUB: "FunctionDelta32ToPtrJumpStubBypassable" = "T - P + A", 4, FUNCTION32_BYPASSABLE, data(Formula::Delta, S32);

    DELTA64_FROM_GOT: "Delta64FromGOT" = "T - GOT + A", 8, Address, data(Formula::FromGot, Limits::ANY);
    DELTA32_FROM_GOT: "Delta32FromGOT" = "T - GOT + A", 4, Address, data(Formula::FromGot, S32);
    GOT_DELTA64: "GOTDelta64" = "GOT - P + A", 8, Address, data(Formula::GotDelta, Limits::ANY);
    GOT_DELTA32: "GOTDelta32" = "GOT - P + A", 4, Address, data(Formula::GotDelta, S32);

    REQUEST_GOT_DELTA64: "RequestGOTAndTransformToDelta64" = "G - P + A", 8, Got { plain: kind::DELTA64 }, data(Formula::Delta, Limits::ANY);
    REQUEST_GOT_DELTA32: "RequestGOTAndTransformToDelta32" = "G - P + A", 4, Got { plain: kind::DELTA32 }, data(Formula::Delta, S32);
    REQUEST_GOT_DELTA64_FROM_GOT: "RequestGOTAndTransformToDelta64FromGOT" = "G - GOT + A", 8, Got { plain: kind::DELTA64_FROM_GOT }, data(Formula::FromGot, Limits::ANY);
    REQUEST_GOT_DELTA32_FROM_GOT: "RequestGOTAndTransformToDelta32FromGOT" = "G - GOT + A", 4, Got { plain: kind::DELTA32_FROM_GOT }, data(Formula::FromGot, S32);

    REQUEST_GOT_LOAD: "RequestGOTAndTransformToPCRel32GOTLoadRelaxable" = "G - P + A", 4, Got { plain: kind::GOT_LOAD }, data(Formula::Delta, S32);
    REQUEST_GOT_LOAD_REX: "RequestGOTAndTransformToPCRel32GOTLoadREXRelaxable" = "G - P + A", 4, Got { plain: kind::GOT_LOAD_REX }, data(Formula::Delta, S32);
    REQUEST_GOT_LOAD_REX2: "RequestGOTAndTransformToPCRel32GOTLoadREX2Relaxable" = "G - P + A", 4, Got { plain: kind::GOT_LOAD_REX2 }, data(Formula::Delta, S32);
    GOT_LOAD: "PCRel32GOTLoadRelaxable" = "T - P + A", 4, Address, data(Formula::Delta, S32);
    GOT_LOAD_REX: "PCRel32GOTLoadREXRelaxable" = "T - P + A", 4, Address, data(Formula::Delta, S32);
    GOT_LOAD_REX2: "PCRel32GOTLoadREX2Relaxable" = "T - P + A", 4, Address, data(Formula::Delta, S32);

    RELAXED_LEA: "PCRel32GOTLoadRelaxedToLEA" = "T - P + A", 4, Address, relaxed(Formula::Delta, Form::Lea);
    RELAXED_CALL: "PCRel32GOTCallRelaxed" = "T - P + A", 4, Address, relaxed(Formula::Delta, Form::Call);
    RELAXED_JUMP: "PCRel32GOTJumpRelaxed" = "T - (P - 1) + A", 4, Address, relaxed(Formula::Delta, Form::Jump);
    RELAXED_IMMEDIATE: "GOTLoadRelaxedToImmediate32" = "T + A + 4", 4, Address, relaxed(Formula::Target, Form::Immediate(Prefix::None));
    RELAXED_IMMEDIATE_REX: "GOTLoadREXRelaxedToImmediate32" = "T + A + 4", 4, Address, relaxed(Formula::Target, Form::Immediate(Prefix::Rex));
    RELAXED_IMMEDIATE_REX2: "GOTLoadREX2RelaxedToImmediate32" = "T + A + 4", 4, Address, relaxed(Formula::Target, Form::Immediate(Prefix::Rex2));

    THREAD_POINTER_DELTA64: "ThreadPointerDelta64" = "TP(T) + A", 8, ThreadLocal, data(Formula::Target, Limits::ANY);
    THREAD_POINTER_DELTA32: "ThreadPointerDelta32" = "TP(T) + A", 4, ThreadLocal, data(Formula::Target, S32);
    REQUEST_TLS_OFFSET: "RequestTLSOffsetInGOTAndTransformToDelta32" = "G - P + A", 4, ThreadLocalGot { plain: kind::DELTA32 }, data(Formula::Delta, S32);
    REQUEST_TLS_OFFSET_REX: "RequestTLSOffsetInGOTAndTransformToDelta32REXRelaxable" = "G - P + A", 4, ThreadLocalGot { plain: kind::DELTA32 }, data(Formula::Delta, S32);
    REQUEST_TLS_OFFSET_REX2: "RequestTLSOffsetInGOTAndTransformToDelta32REX2Relaxable" = "G - P + A", 4, ThreadLocalGot { plain: kind::DELTA32 }, data(Formula::Delta, S32);
    TLS_OFFSET_IMMEDIATE_REX: "TLSOffsetLoadREXRelaxedToImmediate32" = "TP(T) + A + 4", 4, ThreadLocal, relaxed(Formula::Target, Form::Immediate(Prefix::Rex));
    TLS_OFFSET_IMMEDIATE_REX2: "TLSOffsetLoadREX2RelaxedToImmediate32" = "TP(T) + A + 4", 4, ThreadLocal, relaxed(Formula::Target, Form::Immediate(Prefix::Rex2));
    REQUEST_TLS_INDEX: "RequestTLSIndexInGOTAndTransformToDelta32" = "G - P + A", 4, ThreadLocalIndex { plain: kind::DELTA32 }, data(Formula::Delta, S32);
    TLS_INDEX_RELAXED: "TLSIndexCallRelaxedToThreadPointerDelta32" = "TP(T) + A + 4", 4, ThreadLocal, relaxed(Formula::Target, Form::ThreadLocalIndex);
    REQUEST_TLS_MODULE: "RequestTLSModuleInGOTAndTransformToDelta32" = "G - P + A", 4, ThreadLocalModule { plain: kind::DELTA32 }, data(Formula::Delta, S32);
    TLS_MODULE_RELAXED: "TLSModuleCallRelaxedToThreadPointer" = "none", 4, ThreadLocal, relaxed(Formula::Target, Form::ThreadLocalModule);
    REQUEST_TLS_DESCRIPTOR: "RequestTLSDescInGOTAndTransformToDelta32" = "G - P + A", 4, ThreadLocalDescriptor { plain: kind::DELTA32 }, data(Formula::Delta, S32);
    REQUEST_TLS_DESCRIPTOR_REX2: "RequestTLSDescInGOTAndTransformToDelta32REX2Relaxable" = "G - P + A", 4, ThreadLocalDescriptor { plain: kind::DELTA32 }, data(Formula::Delta, S32);
    REQUEST_TLS_DESCRIPTOR_CALL: "RequestTLSDescInGOTForCall" = "none", 2, ThreadLocalDescriptor { plain: kind::KEEP_ALIVE }, NOTHING;
    TLS_DESCRIPTOR: "TLSDescriptorRelaxedToImmediate32" = "TP(T) + A + 4", 4, ThreadLocal, relaxed(Formula::Target, Form::Descriptor(Prefix::Rex));
    TLS_DESCRIPTOR_REX2: "TLSDescriptorREX2RelaxedToImmediate32" = "TP(T) + A + 4", 4, ThreadLocal, relaxed(Formula::Target, Form::Descriptor(Prefix::Rex2));
    TLS_DESCRIPTOR_CALL: "TLSDescriptorCallRelaxedToNothing" = "none", 2, ThreadLocal, relaxed(Formula::Target, Form::DescriptorCall);
}
