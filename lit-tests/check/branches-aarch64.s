# A branch goes straight to its target as far as 28 bits reach, and through a stub beyond. Conditional branches and those that test a
# bit have no stubs: beyond their range is an error.
#
# UNSUPPORTED: emulated
# RUN: rm -rf %t && mkdir %t && llvm-mc -triple=aarch64-linux-gnu -filetype=obj %s -o %t/t.o
# RUN: %rjitlink %slab -abs above=0x207ffff00 -abs below=0x1f8002080 -check=%s -check-name=near-check %t/t.o
# RUN: %checked -abs above=0x208010000 -abs below=0x1f7ff0000 -check=%s -check-name=far-check %t/t.o | FileCheck %s
# CHECK: all agree: 0
#
# near-check: decode_operand(up, 0)[25:0] = (above - up)[27:2]
# near-check: decode_operand(down, 0)[25:0] = (below - down)[27:2]
# near-check: decode_operand(jump, 0)[25:0] = (above - jump)[27:2]
#
# far-check: decode_operand(up, 0)[25:0] = (stub_addr(t.o, above) - up)[27:2]
# far-check: decode_operand(down, 0)[25:0] = (stub_addr(t.o, below) - down)[27:2]
# far-check: decode_operand(jump, 0)[25:0] = (stub_addr(t.o, above) - jump)[27:2]
# far-check: decode_operand(own, 0)[25:0] = (main - own)[27:2]
# far-check: decode_operand(tested, 1) = 3
# far-check: decode_operand(tested, 2)[13:0] = (main - tested)[15:2]
# far-check: decode_operand(conditional, 1)[18:0] = (main - conditional)[20:2]
# far-check: *{8}(got_addr(t.o, above)) = above
# The stub loads its pointer and goes there: adrp x16; ldr x16, [x16]; br x16.
# far-check: (*{4}(stub_addr(t.o, above))) & 0x9f00001f = 0x90000010
# far-check: (*{4}(stub_addr(t.o, above) + 4))[21:10] = got_addr(t.o, above)[11:3]
# far-check: *{4}(stub_addr(t.o, above) + 8) = 0xd61f0200

        .text
        .globl  main, up, down, jump, own, tested, conditional
        .p2align 2
main:   ret
        .size   main, .-main
up:     bl      above
        .size   up, .-up
down:   bl      below
        .size   down, .-down
jump:   b       above
        .size   jump, .-jump
own:    bl      main
        .size   own, .-own
tested: tbz     x0, #3, main
        .size   tested, .-tested
conditional:
        b.eq    main
        .size   conditional, .-conditional
