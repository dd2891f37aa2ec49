// What the assembler sources of the runtime share: symbol names and directives, which differ between object formats.
//
// A macro that must become several statements is an assembler macro and not a preprocessor one, because the character
// that separates statements on one line is not the same in every assembler.

#ifndef ORC_RT_ASM_H
#define ORC_RT_ASM_H

#define ORC_RT_JOIN_EXPANDED(a, b) a##b
#define ORC_RT_JOIN(a, b) ORC_RT_JOIN_EXPANDED(a, b)

// The name of the C symbol `name` in the object file.
#define SYM(name) ORC_RT_JOIN(__USER_LABEL_PREFIX__, name)

// A label that does not become a symbol.
#ifdef __APPLE__
#define LOCAL(name) L##name
#else
#define LOCAL(name) .L##name
#endif

// Opens the section of the function `name`.
.macro function_section name
#ifdef __APPLE__
	.text
#else
	.section .text.\name, "ax", %progbits
#endif
	.p2align 4
.endm

// Defines `name` as a global function that starts here. Several names may stand in a row: they are aliases.
.macro global_function name
	.globl \name
#ifndef __APPLE__
	.type \name, %function
#endif
\name:
.endm

// Ends the function `name`.
.macro function_end name
#ifndef __APPLE__
	.size \name, . - \name
#endif
.endm

// Says that `name`, defined in another member of this archive, is hidden there: no PLT between the two.
.macro hidden_import name
#ifndef __APPLE__
	.hidden \name
#endif
.endm

// Last line of every file: no executable stack; functions may be moved apart.
.macro end_of_file
#ifdef __APPLE__
	.subsections_via_symbols
#else
	.section .note.GNU-stack, "", %progbits
#endif
.endm

// The four names of the reentry point: two as the current runtime interface has them, two from its first published
// form. The format whose C names carry a prefix gets the plain name too, since trampolines ask for that one.
.macro define_reentry_names
global_function SYM(__orc_rt_sysv_reentry)
global_function SYM(__orc_rt_reentry)
#ifdef __APPLE__
global_function __orc_rt_reenter
#endif
global_function SYM(__orc_rt_reenter)
global_function SYM(__orc_rt_sysv_reenter)
.endm

.macro end_reentry_names
function_end SYM(__orc_rt_sysv_reenter)
function_end SYM(__orc_rt_reenter)
function_end SYM(__orc_rt_reentry)
function_end SYM(__orc_rt_sysv_reentry)
.endm

#endif
