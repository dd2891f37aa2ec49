# A pair of instructions that loads an address from the GOT computes it where 33 bits reach the target, and loads it elsewhere; the
# entry is there in either case.
#
# UNSUPPORTED: emulated
# RUN: rm -rf %t && mkdir %t && llvm-mc -triple=aarch64-linux-gnu -filetype=obj %s -o %t/t.o
# RUN: %rjitlink %slab -abs target=0x2fffef008 -check=%s -check-name=near-check %t/t.o
# RUN: %rjitlink %slab -abs target=0x100002008 -check=%s -check-name=near-check %t/t.o
# RUN: %checked -abs target=0x300010000 -check=%s -check-name=far-check %t/t.o | FileCheck %s
# RUN: %checked -abs target=0xffff0000 -check=%s -check-name=far-check %t/t.o | FileCheck %s
# CHECK: all agree: 0
#
# near-check: decode_operand(load, 1)[20:0] = ((target >> 12) - (load >> 12))[20:0]
# near-check: (*{4}(load + 4)) & 0xffc003ff = 0x91000000
# near-check: decode_operand(load + 4, 2) = target[11:0]
# near-check: *{8}(got_addr(t.o, target)) = target
#
# far-check: decode_operand(load, 1)[20:0] = (got_addr(t.o, target)[32:12] - load[32:12])[20:0]
# far-check: (*{4}(load + 4)) & 0xffc003ff = 0xf9400000
# far-check: decode_operand(load + 4, 2) = got_addr(t.o, target)[11:3]
# far-check: *{8}(got_addr(t.o, target)) = target

        .text
        .globl  main, load
        .p2align 2
main:   ret
        .size   main, .-main
load:   adrp    x0, :got:target
        ldr     x0, [x0, :got_lo12:target]
        .size   load, .-load
