"""Writes assembly that asks for every operand of every instruction.

    operands.py FILE

FILE has one instruction a line. Each gets a symbol of its own, and rules in the check language for its operands 0 to 9 that cannot
hold: messages say what each operand is, or that it is a register, or how many there are.
"""

import sys

print("        .text\n        .globl  main\nmain:   ret\n        .size   main, .-main")
with open(sys.argv[1]) as file:
    instructions = [line.strip() for line in file if line.strip()]
for number, instruction in enumerate(instructions):
    print(f"        .globl  i{number}\ni{number}:\n        {instruction}\n        .size   i{number}, .-i{number}")
    print(f"# jitlink-check: next_pc(i{number}) = i{number} + 99")
    for operand in range(10):
        print(f"# jitlink-check: decode_operand(i{number}, {operand}) = 0x5555555555555555")
