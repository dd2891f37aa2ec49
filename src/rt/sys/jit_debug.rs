//! GDB's JIT interface ("JIT Compilation Interface" in GDB's manual): a list of object files in memory, and a function on which a
//! debugger sets a breakpoint to learn that the list has changed. LLDB uses it too.
//!
//! The debugger finds both by their names, in the program's symbol table.

use std::ptr;
use std::sync::{Mutex, PoisonError};

/// `struct jit_code_entry`.
#[repr(C)]
struct CodeEntry {
    next: *mut CodeEntry,
    prev: *mut CodeEntry,
    symfile: *const u8,
    size: u64,
}

/// `struct jit_descriptor`.
#[repr(C)]
struct Descriptor {
    version: u32,
    action: u32,
    relevant: *mut CodeEntry,
    first: *mut CodeEntry,
}

const REGISTER: u32 = 1;
const UNREGISTER: u32 = 2;

#[unsafe(no_mangle)]
static mut __jit_debug_descriptor: Descriptor =
    Descriptor { version: 1, action: 0, relevant: ptr::null_mut(), first: ptr::null_mut() };

/// The function that debuggers stop at. It begins with [`NOP`], unless a debugger has put a breakpoint there.
#[unsafe(no_mangle)]
#[unsafe(naked)]
extern "C" fn __jit_debug_register_code() {
    std::arch::naked_asm!("nop", "ret")
}

#[cfg(target_arch = "x86_64")]
const NOP: [u8; 1] = [0x90];
#[cfg(target_arch = "aarch64")]
const NOP: [u8; 4] = [0x1f, 0x20, 0x03, 0xd5];

/// Held while the list is changed and the debugger told.
static CHANGING: Mutex<()> = Mutex::new(());

/// Whether a debugger listens: it has put a breakpoint into the function. Costs the look at a few bytes.
pub fn debugger_listens() -> bool {
    let start = (__jit_debug_register_code as *const ()).cast::<[u8; NOP.len()]>();
    // SAFETY: the function's own first bytes. Volatile, since they are not what the compiler has put there.
    unsafe { ptr::read_volatile(start) != NOP }
}

/// An object file that debuggers know.
pub struct Registration {
    entry: *mut CodeEntry,
    _symfile: Box<[u8]>,
}

// SAFETY: the entry is used only while the list is locked.
unsafe impl Send for Registration {}

impl std::fmt::Debug for Registration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Registration of {} bytes", self._symfile.len())
    }
}

impl Registration {
    /// Tells debuggers of `symfile`, a complete object file at final addresses.
    pub fn new(symfile: Box<[u8]>) -> Registration {
        let changing = CHANGING.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = CodeEntry {
            next: ptr::null_mut(),
            prev: ptr::null_mut(),
            symfile: symfile.as_ptr(),
            size: symfile.len() as u64,
        };
        let entry = Box::into_raw(Box::new(entry));
        let list = &raw mut __jit_debug_descriptor;
        // SAFETY: the list is locked; its entries are boxes that only `forget` frees, after it has taken them out.
        unsafe {
            (*entry).next = (*list).first;
            if !(*entry).next.is_null() {
                (*(*entry).next).prev = entry;
            }
            (*list).first = entry;
            announce(REGISTER, entry);
        }
        drop(changing);
        Registration { entry, _symfile: symfile }
    }

    /// Makes debuggers forget it.
    pub fn forget(self) {
        let changing = CHANGING.lock().unwrap_or_else(PoisonError::into_inner);
        let list = &raw mut __jit_debug_descriptor;
        // SAFETY: the list is locked, and the entry in it: nobody else takes it out.
        unsafe {
            let CodeEntry { next, prev, .. } = *self.entry;
            if prev.is_null() {
                (*list).first = next;
            } else {
                (*prev).next = next;
            }
            if !next.is_null() {
                (*next).prev = prev;
            }
            announce(UNREGISTER, self.entry);
            drop(Box::from_raw(self.entry));
        }
        drop(changing);
    }
}

/// Stops a debugger that listens, so that it reads the list.
///
/// # Safety
/// The list is locked, and `entry` a box of this module.
unsafe fn announce(action: u32, entry: *mut CodeEntry) {
    let list = &raw mut __jit_debug_descriptor;
    // SAFETY: the caller's promise.
    unsafe {
        ptr::write_volatile(&raw mut (*list).action, action);
        ptr::write_volatile(&raw mut (*list).relevant, entry);
    }
    __jit_debug_register_code();
    // SAFETY: the caller's promise.
    unsafe {
        ptr::write_volatile(&raw mut (*list).action, 0);
        ptr::write_volatile(&raw mut (*list).relevant, ptr::null_mut());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sizes of the entries, as a debugger reads them: first to last, checking the links back.
    fn listed() -> Vec<u64> {
        let _changing = CHANGING.lock().unwrap();
        let mut sizes = Vec::new();
        // SAFETY: the list is locked.
        unsafe {
            let list = &raw const __jit_debug_descriptor;
            let mut at = (*list).first;
            let mut before = ptr::null_mut();
            while !at.is_null() {
                assert_eq!((*at).prev, before);
                sizes.push((*at).size);
                before = at;
                at = (*at).next;
            }
        }
        sizes
    }

    #[test]
    fn entries_come_and_go() {
        let [a, b, c] = [1001, 1002, 1003].map(|size| Registration::new(vec![0; size].into()));
        let ours = || listed().into_iter().filter(|size| (1001..1004).contains(size)).collect::<Vec<_>>();
        assert_eq!(ours(), [1003, 1002, 1001]);
        b.forget();
        assert_eq!(ours(), [1003, 1001]);
        c.forget();
        a.forget();
        assert!(ours().is_empty());
    }

    #[test]
    fn nobody_listens_in_a_test() {
        assert!(!debugger_listens());
    }
}
