// What only assembly asks for: alternative entries, data among instructions, weak definitions and references, local labels of all sorts,
// symbols in the middle, distances of labels.
// flags:
// flags: -fno-common

int word_of_table(int index);
long distance(void);
int weakly(void);
extern int chosen(void);

__asm__(".section __DATA,__entries\n"
        ".p2align 3\n"
        ".globl _entries, _entries_middle, _entries_end\n"
        "_entries: .quad _entries_middle\n"
        " .quad _entries_end - _entries\n"
        ".alt_entry _entries_middle\n"
        "_entries_middle: .quad _entries + 8\n"
        " .long _entries_end - .\n"
        " .long Lhere - _entries\n"
        "Lhere: .quad Lhere\n"
        "_entries_end: .quad 0\n"
        ".private_extern _private\n"
        ".globl _private\n"
        "_private: .quad _undefined_elsewhere + 16\n"
        ".weak_reference _undefined_elsewhere\n"
        ".globl _weak_value\n"
        ".weak_definition _weak_value\n"
        "_weak_value: .quad _private - 4\n"
        "_local: .short 1, 2\n"
        " .p2align 2\n"
        ".no_dead_strip _local\n"
        " .quad _local + 2\n"
        ".section __TEXT,__text,regular,pure_instructions\n"
        ".p2align 4\n"
        ".globl _word_of_table\n"
#ifdef __aarch64__
        "_word_of_table: adr x8, Ltable\n"
        " ldrsw x9, [x8, w0, sxtw #2]\n"
        " add w0, w9, w0\n"
        " ret\n"
        ".p2align 2\n"
#else
        "_word_of_table: leaq Ltable(%rip), %rax\n"
        " movslq %edi, %rdi\n"
        " movl (%rax,%rdi,4), %eax\n"
        " retq\n"
#endif
        ".data_region jt32\n"
        "Ltable: .long Lone - Ltable, Ltwo - Ltable, 7\n"
        ".end_data_region\n"
#ifdef __aarch64__
        "Lone: b _chosen\n"
        "Ltwo: bl _weakly\n"
        ".globl _distance\n"
        ".alt_entry _distance\n"
        "_distance: adrp x0, _entries_end@PAGE\n"
        " add x0, x0, _entries_end@PAGEOFF\n"
        " adrp x1, _private@GOTPAGE\n"
        " ldr x1, [x1, _private@GOTPAGEOFF]\n"
        " adrp x2, _entries@PAGE + 24\n"
        " ldr w2, [x2, _entries@PAGEOFF + 24]\n"
        " ret\n"
#else
        "Lone: jmp _chosen\n"
        "Ltwo: callq _weakly\n"
        ".globl _distance\n"
        ".alt_entry _distance\n"
        "_distance: leaq _entries_end+8(%rip), %rax\n"
        " cmpq $0, _private@GOTPCREL(%rip)\n"
        " movq _private@GOTPCREL(%rip), %rcx\n"
        " cmpl $5, 4+_entries(%rip)\n"
        " movb $1, _entries_middle+1(%rip)\n"
        " movw $2, Lhere(%rip)\n"
        " retq\n"
#endif
        ".data\n");

__attribute__((weak)) int weakly(void) { return word_of_table(1); }
int use(void) { return chosen() + weakly() + (int)distance(); }
int tentative;
int tentative_array[100];
