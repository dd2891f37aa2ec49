# GOT accesses whose instruction may be rewritten do without the GOT where 32 bits reach the target, and keep it elsewhere; the entry
# is there in either case.
#
# UNSUPPORTED: emulated
# RUN: rm -rf %t && mkdir %t && llvm-mc -triple=x86_64-linux-gnu -filetype=obj %s -o %t/t.o
# RUN: %rjitlink %slab -abs target=0x27fffff00 -check=%s -check-name=near-check %t/t.o
# RUN: %rjitlink %slab -abs target=0x180002080 -check=%s -check-name=near-check %t/t.o
# RUN: %checked -abs target=0x280003000 -check=%s -check-name=far-check %t/t.o | FileCheck %s
# RUN: %checked -abs target=0x17fff0000 -check=%s -check-name=far-check %t/t.o | FileCheck %s
# RUN: %checked -abs target=0x123456789abc -check=%s -check-name=far-check %t/t.o | FileCheck %s
# CHECK: all agree: 0
#
# near-check: *{2}(load + 1) = 0x58d
# near-check: decode_operand(load, 4) = target - next_pc(load)
# near-check: *{2}call = 0xe867
# near-check: decode_operand(call, 0) = target - next_pc(call)
# near-check: *{1}jump = 0xe9
# near-check: decode_operand(jump, 0) = target - next_pc(jump)
# near-check: *{1}(jump + 5) = 0x90
# near-check: decode_operand(plain, 4) = got_addr(t.o, target) - next_pc(plain)
# near-check: decode_operand(compare, 4) = got_addr(t.o, target) - next_pc(compare)
# near-check: *{8}(got_addr(t.o, target)) = target
# near-check: decode_operand(offset, 1) = main - _GLOBAL_OFFSET_TABLE_
#
# far-check: *{2}(load + 1) = 0x58b
# far-check: decode_operand(load, 4) = got_addr(t.o, target) - next_pc(load)
# far-check: decode_operand(call, 3) = got_addr(t.o, target) - next_pc(call)
# far-check: decode_operand(jump, 3) = got_addr(t.o, target) - next_pc(jump)
# far-check: decode_operand(plain, 4) = got_addr(t.o, target) - next_pc(plain)
# far-check: decode_operand(compare, 4) = got_addr(t.o, target) - next_pc(compare)
# far-check: *{8}(got_addr(t.o, target)) = target

        .text
        .globl  main, load, call, jump, plain, compare, offset
main:   ret
        .size   main, .-main
load:   movq    target@GOTPCREL(%rip), %rax
        .size   load, .-load
call:   call    *target@GOTPCREL(%rip)
        .size   call, .-call
jump:   jmp     *target@GOTPCREL(%rip)
        .size   jump, .-jump
compare:
        cmpq    target@GOTPCREL(%rip), %rax
        .size   compare, .-compare
plain:  movq    0(%rip), %rax
        .size   plain, .-plain
        .reloc  plain+3, R_X86_64_GOTPCREL, target-4
offset: movabsq $main@GOTOFF, %rax
        .size   offset, .-offset
