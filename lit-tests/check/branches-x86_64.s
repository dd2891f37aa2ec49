# A call goes straight to its target as far as 32 bits reach, and through a stub beyond. Targets of the same file need no stub.
#
# UNSUPPORTED: emulated
# RUN: rm -rf %t && mkdir %t && llvm-mc -triple=x86_64-linux-gnu -filetype=obj %s -o %t/t.o
# RUN: %checked -abs above=0x27fffff00 -abs below=0x180002080 -check=%s -check-name=near-check %t/t.o | FileCheck %s
# RUN: %checked -abs above=0x280003000 -abs below=0x17fff0000 -check=%s -check-name=far-check %t/t.o | FileCheck %s
# CHECK: all agree: 0
#
# near-check: decode_operand(up, 0) = above - next_pc(up)
# near-check: decode_operand(down, 0) = below - next_pc(down)
# near-check: decode_operand(jump, 0) = above - next_pc(jump)
# near-check: *{8}(got_addr(t.o, above)) = above
#
# far-check: decode_operand(up, 0) = stub_addr(t.o, above) - next_pc(up)
# far-check: decode_operand(down, 0) = stub_addr(t.o, below) - next_pc(down)
# far-check: decode_operand(jump, 0) = stub_addr(t.o, above) - next_pc(jump)
# far-check: decode_operand(own, 0) = main - next_pc(own)
# far-check: *{2}(stub_addr(t.o, above)) = 0x25ff
# far-check: *{4}(stub_addr(t.o, above) + 2) = (got_addr(t.o, above) - stub_addr(t.o, above) - 6)[31:0]
# far-check: *{8}(got_addr(t.o, above)) = above
# far-check: *{8}(got_addr(t.o, below)) = below

        .text
        .globl  main, up, down, jump, own
main:   ret
        .size   main, .-main
up:     call    above@PLT
        .size   up, .-up
down:   call    below
        .size   down, .-down
jump:   jmp     above@PLT
        .size   jump, .-jump
own:    call    main@PLT
        .size   own, .-own
