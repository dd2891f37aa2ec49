//! x86-64 (AMD64, Intel 64), little-endian, LP64: System V psABI for x86-64, and what Mach-O shares with it.
//!
//! # Addressing
//! Instructions reach data and code with a signed 32-bit displacement from the *next* instruction. Relocations count from
//! the displacement's own place `P`, so nearly every one carries the addend `-4` (more if an immediate follows). Kinds here
//! keep that addend as the file has it: a call is `T - P + A` with `A = -4`. Code of the small models assumes that
//! everything lies within 2 GiB of everything else; what may not goes through a GOT entry (data) or a stub (calls).
//! Absolute 32-bit fields, common in code that is not position-independent, hold only low addresses: they come zero-extended
//! ([`kind::POINTER32`]) and sign-extended ([`kind::POINTER32_SIGNED`]).
//!
//! # GOT accesses that need no GOT
//! The psABI (B.2, "Optimize GOTPCRELX Relocations") marks the GOT accesses whose instruction may be rewritten:
//!
//! | access | rewritten |
//! |---|---|
//! | `mov foo@GOTPCREL(%rip), %reg` | `lea foo(%rip), %reg` |
//! | `call *foo@GOTPCREL(%rip)` | `addr32 call foo` |
//! | `jmp *foo@GOTPCREL(%rip)` | `jmp foo; nop` |
//! | `mov`, `test`, `add` … with that operand | the same with the address as immediate, if it is known and fits |
//!
//! [`Architecture::relax`] changes only kinds; bytes are rewritten when the new kinds are applied, on the copy of the content.
//! The rewritten call keeps the class of an address use: it loaded the pointer that the program could also have compared.
//!
//! # Thread-local storage
//! The thread pointer is the base of `%fs`, and at `%fs:0` it stands in memory. Variables of the program and of libraries
//! that the loader knows from the start lie at constant distances below it, which is all that the local-exec model uses; accesses by
//! other models are rewritten to that one (`thread_local`) where the variable has such a distance. Where it has none, general and local
//! dynamic accesses call `__tls_get_addr` with a pair of words in the GOT, and descriptor accesses call the function that the
//! descriptor in the GOT names.
//!
//! # Stubs and trampolines
//! A call stub is `jmp *ptr(%rip)`: it changes no register and no flag, so it may stand between any caller and callee,
//! whatever the calling convention. A reentry trampoline is one `call`; the return address it pushes identifies it.
//! Both are padded with `int3`, so that straight-line speculation behind the jump finds nothing to run.
//!
//! Neither begins with `endbr64`, although calls through pointers arrive at them. That landing pad matters only where
//! indirect-branch tracking is on, and Linux does not turn it on for user programs (it enforces shadow stacks alone, for
//! which a jump stub is neutral; the trampoline's `call` is answered by the reentry function, which takes its
//! return address off both stacks). Four more bytes in every stub would buy nothing.

mod kinds;
mod relax;
#[cfg(test)]
mod tests;
mod thread_local;

pub use kinds::{KINDS, kind};

use super::formula::{Formula, store};
use super::{Architecture, CodeShape, Fixup, FixupError, Reach, ShapeEdge};
use crate::base::{Arch, MemProt};
use crate::link::edge::{EdgeKind, EdgeKindInfo};
use crate::link::graph::LinkGraph;
use kinds::{Form, RULES, Rule};

/// Opcodes of the instructions that have the distance to their target right behind: `call`, `jmp`, and behind [`TWO_BYTES`] `jcc`.
const CALL: u8 = 0xe8;
const JUMP: u8 = 0xe9;
const TWO_BYTES: u8 = 0x0f;
const CONDITIONAL_JUMP: u8 = 0x80;

/// The addend of a displacement that ends its instruction.
const DISPLACEMENT_ADDEND: i64 = -4;

/// How far a displacement with that addend reaches for sure in both directions; that of a relaxed jump, which begins and
/// ends one byte earlier, reaches as far.
const REACH: u64 = (1 << 31) - 4;

/// `jmp *ptr(%rip)`.
static POINTER_JUMP_STUB: CodeShape = CodeShape {
    code: &[0xff, 0x25, 0, 0, 0, 0, 0xcc, 0xcc],
    stride: 8,
    align: 8,
    bare: (6, 1),
    edges: &[ShapeEdge { offset: 2, kind: kind::DELTA32, addend: DISPLACEMENT_ADDEND }],
};

/// `call reenter`. The reentry function knows the trampoline by its return address, 5 bytes on.
static REENTRY_TRAMPOLINE: CodeShape = CodeShape {
    code: &[0xe8, 0, 0, 0, 0, 0xcc, 0xcc, 0xcc],
    stride: 8,
    align: 8,
    bare: (5, 1),
    edges: &[ShapeEdge { offset: 1, kind: kind::BRANCH_PCREL32, addend: DISPLACEMENT_ADDEND }],
};

/// The architecture; see the module documentation.
#[derive(Debug)]
pub struct X86_64;

impl Architecture for X86_64 {
    fn arch(&self) -> Arch {
        Arch::X86_64
    }

    fn edge_kinds(&self) -> &'static [EdgeKindInfo] {
        KINDS
    }

    fn pointer(&self) -> EdgeKind {
        kind::POINTER64
    }

    fn delta32(&self) -> EdgeKind {
        kind::DELTA32
    }

    fn is_relative(&self, kind: EdgeKind) -> bool {
        RULES[usize::from(kind.0)].formula.is_relative()
    }

    fn keep_alive(&self) -> EdgeKind {
        kind::KEEP_ALIVE
    }

    fn branch_addend(&self) -> i64 {
        DISPLACEMENT_ADDEND
    }

    fn behind_target(&self, kind: EdgeKind, addend: i64) -> i64 {
        match (kind, RULES[usize::from(kind.0)].formula) {
            (kind::FUNCTION_DELTA32 | kind::FUNCTION_DELTA32_VIA_STUB, _) => 0,
            (_, Formula::Delta) => addend.wrapping_sub(DISPLACEMENT_ADDEND),
            _ => addend,
        }
    }

    fn is_call(&self, kind: EdgeKind, code: &[u8], offset: usize) -> bool {
        // What comes before the distance of a data reference is its ModRM byte, which is none of these.
        kind == kind::BRANCH_PCREL32
            || kind == kind::DELTA32
                && match code.get(..offset).unwrap_or_default() {
                    [.., CALL | JUMP] => true,
                    [.., TWO_BYTES, condition] => condition & 0xf0 == CONDITIONAL_JUMP,
                    _ => false,
                }
    }

    fn branch_reach(&self) -> u64 {
        REACH
    }

    fn jitlink_got_prot(&self) -> MemProt {
        MemProt::Read
    }

    fn pointer_jump_stub(&self) -> &'static CodeShape {
        &POINTER_JUMP_STUB
    }

    fn reentry_trampoline(&self) -> Option<&'static CodeShape> {
        Some(&REENTRY_TRAMPOLINE)
    }

    fn fragment_frame(&self) -> (&'static [u8], &'static [u8]) {
        // endbr64; nopl 0(%rax,%rax,1); sub $8, %rsp
        const BEFORE: &[u8] = &[0xf3, 0x0f, 0x1e, 0xfa, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0, 0x48, 0x83, 0xec, 0x08];
        // add $8, %rsp; ret
        const AFTER: &[u8] = &[0x48, 0x83, 0xc4, 0x08, 0xc3];
        (BEFORE, AFTER)
    }

    fn relax(&self, graph: &mut LinkGraph, reach: &Reach<'_>) {
        relax::relax(graph, reach);
    }

    // Into the loop over the edges of a block.
    #[inline(always)]
    fn apply(&self, fixup: &Fixup, block: &mut [u8]) -> Result<(), FixupError> {
        let index = usize::from(fixup.kind.0);
        let Rule { formula, limits, form } = RULES[index];
        let value = formula.value(fixup);
        match form {
            Form::Nothing => Ok(()),
            Form::Data => {
                limits.check(value)?;
                store(block, fixup.offset, KINDS[index].width, value)
            }
            Form::Lea | Form::Call | Form::Jump | Form::Immediate(_) => {
                let value = value.wrapping_add(relax::correction(form));
                limits.check(value)?;
                relax::rewrite(form, value as i32, fixup.offset, block)
            }
            Form::ThreadLocalIndex | Form::Descriptor(_) => {
                let value = value.wrapping_add(thread_local::CORRECTION);
                limits.check(value)?;
                thread_local::rewrite(form, value as i32, fixup.offset, block)
            }
            Form::ThreadLocalModule | Form::DescriptorCall => thread_local::rewrite(form, 0, fixup.offset, block),
        }
    }
}
